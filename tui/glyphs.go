package tui

import (
	"os"
	"strings"

	"parfait/tui/chart"
)

// environ looks a variable up in the session's environment.
func (o Options) environ(key string) string {
	env := o.Environ
	if env == nil {
		env = os.Environ()
	}
	value := ""
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, key+"="); ok {
			value = v
		}
	}
	return value
}

// glyphsOf are the glyphs that a session asked for, or those that its environment can show.
func glyphsOf(o Options) chart.Glyphs {
	if g, ok := chart.ParseGlyphs(o.Glyphs); ok {
		return g
	}
	locale := ""
	for _, key := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale == "" {
			locale = strings.ToLower(o.environ(key))
		}
	}
	utf8 := strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
	switch term := o.environ("TERM"); {
	case !utf8, strings.HasPrefix(term, "vt"):
		return chart.ASCII
	case term == "linux":
		return chart.Block // the console's fonts have no braille
	}
	return chart.Braille
}

// answersQueries says whether a terminal may be asked what it can do: the old ones print the question.
func answersQueries(o Options) bool {
	term := o.environ("TERM")
	return term != "" && term != "linux" && term != "ansi" && term != "cons25" && !strings.HasPrefix(term, "vt")
}
