package tui

import (
	"os"
	"strings"

	"parfait/tui/chart"
)

// glyphsOf are the glyphs that a session asked for, or those that its environment can show.
func glyphsOf(o Options) chart.Glyphs {
	if g, ok := chart.ParseGlyphs(o.Glyphs); ok {
		return g
	}
	env := o.Environ
	if env == nil {
		env = os.Environ()
	}
	get := func(key string) string {
		value := ""
		for _, kv := range env {
			if v, ok := strings.CutPrefix(kv, key+"="); ok {
				value = v
			}
		}
		return value
	}
	locale := get("LC_ALL")
	if locale == "" {
		locale = get("LC_CTYPE")
	}
	if locale == "" {
		locale = get("LANG")
	}
	locale = strings.ToLower(locale)
	utf8 := strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
	switch term := get("TERM"); {
	case !utf8:
		return chart.ASCII
	case term == "linux":
		return chart.Block // the console's fonts have no braille
	case strings.HasPrefix(term, "vt"):
		return chart.ASCII
	}
	return chart.Braille
}
