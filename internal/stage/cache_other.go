//go:build !linux

package stage

// DropCache asks the system to forget a file; this one has no way to.
func DropCache(string) {}
