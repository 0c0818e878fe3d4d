package report

import (
	"strings"
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

// The line that says why is found where a person would look.
func TestReason(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		"loading\nTraceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    f()\nValueError: Tasks not found: math\n":                                                                             "ValueError: Tasks not found: math",
		"Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'a'\n\nDuring handling:\n\nTraceback (most recent call last):\n  File \"b.py\", line 2\ntorch.OutOfMemoryError: CUDA out of memory\n": "torch.OutOfMemoryError: CUDA out of memory",
		"Traceback (most recent call last):\n  File \"a.py\", line 1\n\x1b[31mRuntimeError: first\nsecond\x1b[0m\n[W1] process group was not destroyed\n":                                                             "RuntimeError: first",
		"Traceback (most recent call last):\n  File \"a.py\", li":    "File \"a.py\", li",
		"  0%|   | 0/3\r100%|████| 3/3\nCUDA error: out of memory\n": "CUDA error: out of memory",
		"sh: 1: ./no.sh: not found\nbye\n":                           "sh: 1: ./no.sh: not found",
		"  0%|   | 0/3\r 33%|██  | 1/3":                              "33%|██  | 1/3",
		"one\r\ntwo\r\n":                                             "two",
		"an Error: " + strings.Repeat("x", 1000):                     "an Error: " + strings.Repeat("x", 290) + "…",
	} {
		if got := Reason([]byte(text)); got != want {
			t.Errorf("of %q: %q, expected %q", text, got, want)
		}
	}
}
