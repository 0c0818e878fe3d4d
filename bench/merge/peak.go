package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// peakMiB is the largest resident set of this process so far. Linux says it in /proc: getrusage counts
// there what the process was before it became this program.
func peakMiB() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err == nil {
		for line := range strings.SplitSeq(string(status), "\n") {
			if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				kib, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
				return kib / 1024
			}
		}
	}
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return float64(usage.Maxrss) / (1 << 20) // bytes on macOS
}
