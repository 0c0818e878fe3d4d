//go:build unix

package merge

import "golang.org/x/sys/unix"

// writable says why files cannot be made in dir, nil if they can.
func writable(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }
