package yamldoc

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// What a number is stands here and nowhere else, as YAML's versions disagree and people follow none of them:
// to YAML 1.1, 5e-1 is text and 010 is 8; to YAML 1.2 they are 0.5 and 10.

var (
	decimalRule = regexp.MustCompile(`^[-+]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)([eE][-+]?\d+)?$`)
	basedRule   = regexp.MustCompile(`^[-+]?0(x[\dA-Fa-f_]+|o[0-7_]+|b[01_]+)$`)
	leadingZero = regexp.MustCompile(`^[-+]?0[\d_]+$`)
)

var (
	errNoNumber    = errors.New("expected a number")
	errNotWhole    = errors.New("expected a whole number")
	errLeadingZero = errors.New("expected a number without leading zeros, as some programs take 010 for 8 and others for 10")
	errTooLarge    = errors.New("expected a number of at most 1.8e308")
)

// Number reads a number: decimal, with or without a point and an exponent, or a whole number in base 16
// (0x1f), 8 (0o17) or 2 (0b11). Underscores between digits do not count. Leading zeros of a whole number are
// refused, as they are read in two ways; infinities and NaN are no numbers. The error says what was expected.
func Number(text string) (float64, error) {
	switch {
	case leadingZero.MatchString(text):
		return math.NaN(), errLeadingZero
	case basedRule.MatchString(text):
		negative, size, err := Whole(text)
		if err != nil {
			return math.NaN(), errNoNumber
		}
		if negative {
			return -float64(size), nil
		}
		return float64(size), nil
	case !decimalRule.MatchString(text):
		return math.NaN(), errNoNumber
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	if err != nil {
		return math.NaN(), errTooLarge
	}
	return v, nil
}

// Whole reads a whole number exactly: its sign and its size. 6e1 and 60.0 are whole up to 2⁵³. The error says what was
// expected.
func Whole(text string) (negative bool, size uint64, err error) {
	bare := strings.ReplaceAll(strings.TrimLeft(text, "-+"), "_", "")
	negative = strings.HasPrefix(text, "-")
	switch {
	case leadingZero.MatchString(text):
		return false, 0, errLeadingZero
	case basedRule.MatchString(text):
		if size, err = strconv.ParseUint(bare, 0, 64); err != nil {
			err = errNotWhole
		}
		return negative, size, err
	case !decimalRule.MatchString(text):
		return false, 0, errNotWhole
	}
	if size, err = strconv.ParseUint(bare, 10, 64); err == nil {
		return negative, size, nil
	}
	if v, err := strconv.ParseFloat(bare, 64); err == nil && v == math.Trunc(v) && v <= 1<<53 {
		return negative, uint64(v), nil
	}
	return false, 0, errNotWhole
}

// Numbers returns v with every text in it that Number can read as that number, in mappings too: a value of
// Value for a setting that can only be a number.
func Numbers(v any) any {
	switch v := v.(type) {
	case string:
		if f, err := Number(v); err == nil {
			return f
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = Numbers(x)
		}
		return out
	}
	return v
}

// scalar is the text of a scalar that may be a number: quoted ones count too, as they do for mergekit.
func (n Node) scalar() string {
	switch n.node.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.StringNode:
		return strings.TrimSpace(n.node.GetToken().Value)
	}
	return ""
}

// Float returns a finite number; NaN, and a problem, where there is none.
func (n Node) Float() float64 {
	v, err := Number(n.scalar())
	if err != nil {
		n.Failf("%s, found %s", err, n.Kind())
	}
	return v
}

// Int returns a whole number of at least least; least, and a problem, where there is none.
func (n Node) Int(least int) int {
	negative, size, err := Whole(n.scalar())
	if v := int(size); err == nil && size <= math.MaxInt {
		if negative {
			v = -v
		}
		if v >= least {
			return v
		}
	}
	if errors.Is(err, errLeadingZero) {
		n.Failf("%s, found %s", err, n.Kind())
	} else {
		n.Failf("expected a whole number of at least %d, found %s", least, n.Kind())
	}
	return least
}

// Uint64 returns a whole number of 64 bits, such as a seed; 0, and a problem, where there is none.
func (n Node) Uint64() uint64 {
	negative, size, err := Whole(n.scalar())
	switch {
	case errors.Is(err, errLeadingZero):
		n.Failf("%s, found %s", err, n.Kind())
	case err != nil || negative && size > 0:
		n.Failf("expected a whole number from 0 to %d, found %s", uint64(math.MaxUint64), n.Kind())
		return 0
	}
	return size
}
