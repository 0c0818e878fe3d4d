// Package oom counts the processes that the system has killed for want of memory.
package oom

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Kills is how many processes of this one's control group the system has killed so far for want of memory; false
// where that cannot be known: memory.events of cgroup v2, which counts the groups within it too, memory.oom_control of v1.
func Kills() (int, bool) { return killsIn("/proc/self/cgroup", "/sys/fs/cgroup") }

func killsIn(cgroup, root string) (int, bool) {
	events := ""
	b, err := os.ReadFile(cgroup)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) { // number:controllers:path
		_, line, _ = strings.Cut(strings.TrimSpace(line), ":")
		switch kind, path, _ := strings.Cut(line, ":"); kind {
		case "memory":
			return killsOf(filepath.Join(root, kind, path, "memory.oom_control"))
		case "":
			events = filepath.Join(root, path, "memory.events")
		}
	}
	return killsOf(events)
}

func killsOf(events string) (int, bool) {
	f, err := os.Open(events)
	if err != nil {
		return 0, false
	}
	defer f.Close() //nolint:errcheck // nothing was written
	for in := bufio.NewScanner(f); in.Scan(); {
		if n, ok := strings.CutPrefix(in.Text(), "oom_kill "); ok {
			count, err := strconv.Atoi(n)
			return count, err == nil
		}
	}
	return 0, false
}
