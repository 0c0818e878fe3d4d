package visible

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWhatActsIsWrittenAsWhatItIs(t *testing.T) {
	for in, want := range map[string]string{
		"plain ≥ .90 · 模型🍓\n\ttab": "plain ≥ .90 · 模型🍓\n\ttab",
		"\x1b]0;title\a":           `\u001b]0;title\u0007`,
		"\x1b[31mred\x1b[m":        `\u001b[31mred\u001b[m`,
		"a\u009b2Jb":               `a\u009b2Jb`,
		"a\x9b2Jb":                 "a\ufffd2Jb",
		"\u202egnp.exe\u2066x":     `\u202egnp.exe\u2066x`,
		"over\rwrite":              `over\u000dwrite`,
		"\u2028\x7f":               `\u2028\u007f`,
	} {
		if got := Text(in); got != want {
			t.Errorf("Text(%q) = %q, expected %q", in, got, want)
		}
	}
	if got := Line("a\nb\tc"); got != `a\u000ab\u0009c` {
		t.Errorf("Line: %q", got)
	}
	if got := Log("\x1b[32m 50%\r100%\x1b[0m\r\ndone\x1b[2J"); got != "100%\ndone\\u001b[2J" {
		t.Errorf("Log: %q", got)
	}
}

func FuzzText(f *testing.F) {
	f.Add("\x1b]52;c;UFdO\x07\u202e\x9b")
	f.Fuzz(func(t *testing.T, s string) {
		for name, of := range map[string]func(string) string{"Text": Text, "Line": Line, "Log": Log} {
			got := of(s)
			if !utf8.ValidString(got) || strings.ContainsFunc(got, Acts) || of(got) != got {
				t.Errorf("%s(%q) = %q, want text that does nothing, and stays as it is", name, s, got)
			}
		}
		// A string of JSON is the same string before and after.
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var was, is string
		if err := json.Unmarshal(b, &was); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(Text(string(b))), &is); err != nil || is != was {
			t.Errorf("%s is read back as %q, %v", b, is, err)
		}
	})
}

func TestTheWriterKnowsItsOwnStyling(t *testing.T) {
	write := func(w Writer, s string) string {
		var b strings.Builder
		w.To = &b
		if n, err := w.Write([]byte(s)); n != len(s) || err != nil {
			t.Fatalf("%d of %d written, %v", n, len(s), err)
		}
		return b.String()
	}
	foreign := "\x1b[31mforeign\x1b[m\x1b]0;t\a"
	seen := `\u001b[31mforeign\u001b[m\u001b]0;t\u0007`
	own := "\x1b[1mown\x1b[m"
	if got := write(Writer{}, Styled(own)+foreign+Styled(own)+"\n"); got != own+seen+own+"\n" {
		t.Errorf("%q, want our styling as it is and what is foreign made visible", got)
	}
	if got := write(Writer{}, own); got != `\u001b[1mown\u001b[m` {
		t.Errorf("styling that nobody marked: %q", got)
	}
	if got := write(Writer{Ours: true}, own+"\x1b]0;t\a"); got != own+`\u001b]0;t\u0007` {
		t.Errorf("help: %q", got)
	}
	// A mark that is no styling does nothing.
	if got := write(Writer{}, Styled("\x1b[2J")); strings.Contains(got, "\x1b") {
		t.Errorf("%q, want no escape", got)
	}
	for _, s := range []string{"", "\n", "ü"} {
		if got := write(Writer{}, s); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}
