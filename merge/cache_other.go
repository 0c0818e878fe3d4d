//go:build !linux

package merge

// dropCache asks the system to forget a file; this one has no way to.
func dropCache(string) {}
