package cli

import (
	"testing"

	"parfait/evaluator"
)

func TestProgressText(t *testing.T) {
	for want, p := range map[string]evaluator.Progress{
		"PENDING (Priority, task 7_1)":            {Note: "PENDING (Priority, task 7_1)"},
		"3 of 10, RUNNING on n1 · two \\u001b[2J": {Done: 3, Total: 10, Note: "RUNNING on n1 · two \x1b[2J"},
	} {
		if got := progressText(p); got != want {
			t.Errorf("%+v is %q, want %q", p, got, want)
		}
	}
}
