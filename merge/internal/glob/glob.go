// Package glob matches names of tensors with patterns.
package glob

import (
	"fmt"
	"regexp"
	"strings"
)

// Glob is a compiled pattern on whole tensor names: '*' any run of characters (dots too), '?' one
// character, '[abc]', '[a-z]' and '[!a-z]' one of a class, '\' takes the next character as it is.
type Glob struct {
	Pattern string
	re      *regexp.Regexp
}

// Match says whether the whole of name is of the pattern.
func (g Glob) Match(name string) bool { return g.re.MatchString(name) }

// Compile refuses an empty pattern and an unclosed class.
func Compile(pattern string) (Glob, error) {
	if pattern == "" {
		return Glob{}, fmt.Errorf("the pattern is empty")
	}
	var b strings.Builder
	b.WriteString(`\A(?s:`)
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteString(".")
		case '\\':
			if i++; i == len(pattern) {
				return Glob{}, fmt.Errorf(`the pattern %q ends in a lone backslash`, pattern)
			}
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		case '[':
			end := strings.IndexByte(pattern[i+1:], ']')
			if end < 1 {
				return Glob{}, fmt.Errorf(`the pattern %q opens a class with '[' and does not close it; write \[ for the bracket itself`, pattern)
			}
			class := pattern[i+1 : i+1+end]
			b.WriteByte('[')
			if class[0] == '!' || class[0] == '^' {
				b.WriteByte('^')
				class = class[1:]
			}
			b.WriteString(strings.NewReplacer(`\`, `\\`, `^`, `\^`, `[`, `\[`).Replace(class))
			b.WriteByte(']')
			i += end + 1
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	b.WriteString(`)\z`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		return Glob{}, fmt.Errorf("the pattern %q has a class that cannot be read: %w", pattern, err)
	}
	return Glob{pattern, re}, nil
}

// Escape is the pattern that matches a text and nothing else.
func Escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(s)
}
