// Package glob matches names of tensors with patterns.
package glob

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Glob is a compiled pattern on whole tensor names: '*' any run of characters (dots too), '?' one
// character, '[abc]', '[a-z]' and '[!a-z]' one of a class, '{a,b}' one of several texts, '{4..17}' one of several whole numbers, '\' takes
// the next character as it is.
type Glob struct {
	Pattern string
	re      *regexp.Regexp
}

// Match says whether the whole of name is of the pattern.
func (g Glob) Match(name string) bool { return g.re.MatchString(name) }

// Compile refuses an empty pattern, and a class or a list that is not closed.
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
		case '{':
			end := strings.IndexByte(pattern[i:], '}')
			if end < 0 {
				return Glob{}, fmt.Errorf(`the pattern %q opens a list with '{' and does not close it; write \{ for the brace itself`, pattern)
			}
			texts, err := alternatives(pattern[i+1 : i+end])
			if err != nil {
				return Glob{}, fmt.Errorf("the pattern %q: %w", pattern, err)
			}
			b.WriteString("(?:" + strings.Join(texts, "|") + ")")
			i += end
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

// mostNumbers is how many numbers {a..b} may stand for.
const mostNumbers = 10000

// alternatives are what a list in braces stands for, as regular expressions.
func alternatives(list string) ([]string, error) {
	var out []string
	if first, last, ok := strings.Cut(list, ".."); ok {
		lo, err := strconv.Atoi(first)
		hi, err2 := strconv.Atoi(last)
		if err != nil || err2 != nil || lo < 0 || hi < lo || hi-lo >= mostNumbers {
			return nil, fmt.Errorf("{%s} is no range of whole numbers such as {4..17}", list)
		}
		for n := lo; n <= hi; n++ {
			out = append(out, strconv.Itoa(n))
		}
		return out, nil
	}
	for text := range strings.SplitSeq(list, ",") {
		out = append(out, regexp.QuoteMeta(text))
	}
	return out, nil
}

// Escape is the pattern that matches a text and nothing else.
func Escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "{", `\{`).Replace(s)
}
