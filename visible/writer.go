package visible

import (
	"crypto/rand"
	"io"
	"regexp"
	"strings"
)

// Writer writes [Text] of what it is given. Styling passes where [Styled] has marked it: nobody else can write the
// mark, which is drawn anew by every process.
type Writer struct {
	To io.Writer
	// Ours says that all that is written is ours as far as its styling goes, marked or not: help, manual pages.
	Ours bool
}

var (
	mark   = "\x1b_" + rand.Text()
	marked = regexp.MustCompile(regexp.QuoteMeta(mark) + `\[[0-9;:]*m`)
)

// Styled marks the styling (SGR sequences) of a text that this program has styled, after other people's text in it
// went through [Text] or [Line]. It is for a [Writer] only.
func Styled(s string) string { return strings.ReplaceAll(s, "\x1b[", mark+"[") }

// Write implements io.Writer. It writes all of p or returns an error. p has to begin and end between characters, as
// what fmt and encoding/json write does.
func (w Writer) Write(p []byte) (int, error) {
	pass := marked
	if w.Ours {
		pass = styling
	}
	var b strings.Builder
	rest := string(p)
	for rest != "" {
		at := pass.FindStringIndex(rest)
		if at == nil {
			at = []int{len(rest), len(rest)}
		}
		b.WriteString(Text(rest[:at[0]]))
		b.WriteString(strings.Replace(rest[at[0]:at[1]], mark, "\x1b", 1))
		rest = rest[at[1]:]
	}
	if _, err := io.WriteString(w.To, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}
