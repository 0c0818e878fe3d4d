//go:build !linux

// Package oom counts the processes that the system has killed for want of memory.
package oom

// Kills is known on Linux only.
func Kills() (int, bool) { return 0, false }
