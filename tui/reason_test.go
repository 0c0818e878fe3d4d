package tui

import "testing"

// The row of a failed trial has what went wrong, in errors of an older parfait too, and no path.
func TestReasonOfARow(t *testing.T) {
	for text, want := range map[string]string{
		"ValueError: no (a ended with exit status 1)\nits stderr ends with\n  x\n  ValueError: no\nall of it is in /s/logs/trial-0001.log": "ValueError: no (a ended with exit status 1)",
		"a ended with exit status 1; the last of its stderr:\nx\nValueError: no\nall of it is in /s/logs/trial-0001.log":                   "ValueError: no",
		"a: 3 is no rate": "a: 3 is no rate",
	} {
		if got := reason(text); got != want {
			t.Errorf("%q: %q, expected %q", text, got, want)
		}
	}
}
