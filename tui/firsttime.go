package tui

import (
	"os"
	"path/filepath"
)

// firstTime says whether nobody has seen the hints on this machine yet, and gives what remembers that they
// were seen. Where nothing can be remembered there are no hints: better none than every time.
func firstTime(environ func(string) string) (bool, func()) {
	state := environ("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return false, nil
		}
		state = filepath.Join(home, ".local", "state")
	}
	dir := filepath.Join(state, "parfait")
	file := filepath.Join(dir, "hints-seen")
	if _, err := os.Stat(file); err == nil {
		return false, nil
	}
	if os.MkdirAll(dir, 0o700) != nil {
		return false, nil
	}
	return true, func() { _ = os.WriteFile(file, nil, 0o600) }
}
