package report

import (
	"testing"

	"parfait/evaluator"
)

func TestParseProgress(t *testing.T) {
	for line, want := range map[string]evaluator.Progress{
		"PARFAIT_PROGRESS 3/10 gsm8k":                             {Done: 3, Total: 10, Note: "gsm8k"},
		"  PARFAIT_PROGRESS 3/10  \r":                             {Done: 3, Total: 10},
		"PARFAIT_PROGRESS 7":                                      {Done: 7},
		"PARFAIT_PROGRESS 0/5 a\x1b[31m":                          {Total: 5, Note: "a"},
		`{"progress": {"done": 3, "total": 10, "note": "gsm8k"}}`: {Done: 3, Total: 10, Note: "gsm8k"},
		`{"progress": {"done": 3}}`:                               {Done: 3},
	} {
		if got, ok := ParseProgress([]byte(line)); !ok || got != want {
			t.Errorf("%q: %+v, %t; expected %+v", line, got, ok, want)
		}
	}
	for _, line := range []string{
		"", "PARFAIT_PROGRESS", "PARFAIT_PROGRESS x/3", "PARFAIT_PROGRESS 3/x", "PARFAIT_PROGRESS -1/3", "PARFAIT_PROGRESS 4/3",
		`{"progress": 3}`, `{"progress": {"done": 3}, "a": 1}`, `{"progress": null}`, `{"progress": {"done": 1.5}}`, "10%|#####", `{"a": 1}`,
	} {
		if got, ok := ParseProgress([]byte(line)); ok {
			t.Errorf("%q is no progress, read %+v", line, got)
		}
	}
}

func FuzzParseProgress(f *testing.F) {
	f.Add([]byte("PARFAIT_PROGRESS 3/10 gsm8k"))
	f.Add([]byte(`{"progress": {"done": 3, "total": 10}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if p, ok := ParseProgress(line); ok && !sound(p) {
			t.Errorf("%q is progress of %+v, want a number of a total", line, p)
		}
	})
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"\x1b[1;31mred\x1b[0m": "red", "\x1b]0;title\x07x": "x", "a\x00\x7f\u0085b": "ab", "tab\tline\n": "tab\tline\n", "bad\xff": "bad�",
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q: %q, expected %q", in, got, want)
		}
	}
}
