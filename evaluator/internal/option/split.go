package option

import (
	"fmt"
	"strings"
)

// SplitLine splits a command line that was written as one string into arguments. Arguments are separated by
// spaces and tabs; '…' keeps everything as it is, "…" keeps everything but \" and \\, and \ outside of
// quotes takes the next character as it is. What only a shell could do is an error that says what to
// write instead.
func SplitLine(line string) ([]string, error) {
	var (
		args   []string
		arg    strings.Builder
		inside bool // of an argument: "" is one, too
		quote  rune // ' or ", 0 for none
	)
	in := []rune(line)
	for i := 0; i < len(in); i++ {
		r := in[i]
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == '\'':
			arg.WriteRune(r)
		case r == '\\':
			if i+1 == len(in) {
				return nil, fmt.Errorf("%q ends with a backslash that escapes nothing", line)
			}
			next := in[i+1]
			if quote == '"' && next != '"' && next != '\\' {
				arg.WriteRune(r)
				continue
			}
			i++
			arg.WriteRune(next)
			inside = true
		case quote == '"':
			if r == '$' || r == '`' {
				return nil, needsShell(line, r)
			}
			arg.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case r == ' ' || r == '\t':
			if inside {
				args = append(args, arg.String())
				arg.Reset()
				inside = false
			}
		case strings.ContainsRune("|&;<>()$`*?\n\r", r) || strings.ContainsRune("~#[", r) && !inside:
			return nil, needsShell(line, r)
		default:
			arg.WriteRune(r)
			inside = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("%q has a quote %c that is not closed", line, quote)
	}
	if inside {
		args = append(args, arg.String())
	}
	if len(args) == 0 {
		return nil, fmt.Errorf("expected a program and its arguments, found %q", line)
	}
	return args, nil
}

func needsShell(line string, r rune) error {
	return fmt.Errorf("%q has the character %q, which only a shell understands, and there is none: quote it with '…' if it is meant as it is, write the arguments as a list, or call the shell yourself: [sh, -c, '…']", line, r)
}
