// Package benchtest holds what documents say of benches to archived runs.
package benchtest

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Read reads an archived run.
func Read(t *testing.T, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Hold compares what stands in the document at path between two lines, of an archived run, with what has to; with update
// it writes it.
func Hold(t *testing.T, path, begin, want, end string, update bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	was, after, closed := strings.Cut(rest, end)
	switch {
	case !ok || !closed:
		t.Fatalf("%s has no place for the figures between %q and %q", path, begin, end)
	case update:
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	case was != want:
		t.Errorf("%s does not have the figures of the archived run: run this test with -update", path)
	}
}
