package study

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// oomKills is how many processes of this one's control group the system has killed so far for want of memory; false
// where that cannot be known. It counts groups within it too (cgroup v2: memory.events, oom_kill).
func oomKills() (int, bool) { return oomKillsIn("/proc/self/cgroup", "/sys/fs/cgroup") }

func oomKillsIn(cgroup, root string) (int, bool) {
	b, err := os.ReadFile(cgroup)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return oomKillsOf(filepath.Join(root, path, "memory.events"))
		}
	}
	return 0, false
}

func oomKillsOf(events string) (int, bool) {
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
