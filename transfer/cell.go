package transfer

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cell is a piece of text in a file, without the blanks around it.
type cell struct {
	name  string // of its column, as the file has it
	where string // line 12, column gsm8k
	text  string
	comma bool // numbers have a decimal comma
}

// empty are the ways in which people and programs say that nothing is there.
var empty = []string{"", "na", "n/a", "nan", "none", "null", "-", "–"}

func (c cell) empty() bool { return slices.Contains(empty, strings.ToLower(c.text)) }

// number reads a finite number; share says that it may be in percent.
func (c cell) number(share bool) (v float64, expected string) {
	text, percent := strings.CutSuffix(c.text, "%")
	text = strings.TrimSpace(text)
	if c.comma && strings.Count(text, ",") == 1 && !strings.Contains(text, ".") {
		text = strings.Replace(text, ",", ".", 1)
	}
	switch {
	case percent && !share:
		return 0, "a number without %"
	case percent && strings.ContainsAny(text, "eExX"):
		return 0, "a number such as 62%"
	case percent:
		text += "e-2" // exactly the nearest number
	}
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil && strings.Contains(text, ","):
		return 0, "a number with a decimal point, such as 0.62"
	case err != nil:
		return 0, "a number such as 0.62"
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, "a finite number"
	}
	return v, ""
}

// whole reads a number of things, as pandas writes it too: 450.0.
func (c cell) whole() (n int, expected string) {
	v, expected := c.number(false)
	if expected != "" || v < 0 || v != math.Trunc(v) || v > 1<<53 {
		return 0, "a whole number, 0 or more"
	}
	return int(v), ""
}

// moment reads a time; without a zone it is this machine's.
func (c cell) moment() (t time.Time, expected string) {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.ParseInLocation(form, c.text, time.Local); err == nil {
			return t.UTC(), ""
		}
	}
	return t, "a time such as 2026-05-01T12:30:00Z"
}

// found is what stands there, shortened.
func (c cell) found() string {
	text := []rune(c.text)
	if len(text) > 40 {
		text = append(text[:40], '…')
	}
	return fmt.Sprintf("%q", string(text))
}
