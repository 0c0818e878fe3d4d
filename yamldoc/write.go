package yamldoc

import (
	"strconv"
	"strings"

	"parfait/visible"
)

// Quote writes a text as a scalar: as it is, or in quotes where YAML would take it for something else.
func Quote(s string) string {
	plain := s != "" && strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune(plainLetters, r) }) < 0
	if plain && (s[0] == '/' || 'a' <= s[0] && s[0] <= 'z' || 'A' <= s[0] && s[0] <= 'Z') && !yamlWords[strings.ToLower(s)] {
		return s
	}
	if visible.Line(s) == s && !strings.ContainsRune(s, 0xfeff) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return strconv.Quote(s)
}

const plainLetters = "_/.-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

var yamlWords = map[string]bool{
	"true": true, "false": true, "null": true, "yes": true, "no": true, "on": true, "off": true, "y": true, "n": true, "nan": true, "inf": true,
}

// FormatNumber is the shortest decimal that reads back to the same float64, with a point so that YAML
// takes it for a number.
func FormatNumber(v float64) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if mantissa, exp, ok := strings.Cut(s, "e"); ok && !strings.Contains(mantissa, ".") {
		return mantissa + ".0e" + exp
	}
	return s
}

// Float is a number of Go, of whatever type, as a float64; ok is false for anything else.
func Float(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case float32:
		return float64(x), true
	case int:
		return float64(x), true
	case int64:
		return float64(x), true
	case uint64:
		return float64(x), true
	}
	return 0, false
}
