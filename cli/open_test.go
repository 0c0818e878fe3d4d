package cli

import "testing"

// A command that is to be copied stays on its line, and means the word that it quotes.
func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{
		"a/b.yaml":            "a/b.yaml",
		"my study":            "'my study'",
		"it's":                `'it'\''s'`,
		"x\nkept as y":        `$'x\nkept as y'`,
		"q\t\"it's\"":         `$'q\t"it\'s"'`,
		`back\slash` + "\x1b": `$'back\\slash\x1b'`,
		"alone\x1b":           `$'alone\x1b'`,
		"\u202egnp.study":     `$'\u202egnp.study'`,
		"no\xffUTF-8":         `$'no\xffUTF-8'`,
	} {
		if got := quoted(in); got != want {
			t.Errorf("quoted(%q) = %s, want %s", in, got, want)
		}
	}
}
