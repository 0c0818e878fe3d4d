package option

import (
	"testing"
	"time"
)

// Options read numbers as all of study.yaml does, of which YAML makes text.
func TestNumbersOfOptions(t *testing.T) {
	for _, c := range []struct {
		v    any
		n    int
		wait time.Duration
	}{{2, 2, 2 * time.Second}, {"2e1", 20, 20 * time.Second}, {2.0, 2, 2 * time.Second}, {"3", 3, 3 * time.Second}, {1.5, 0, 1500 * time.Millisecond}, {"5e-1", 0, time.Second / 2}, {"90s", 0, 90 * time.Second}, {"x", 0, 0}, {-1, 0, 0}, {"-1e0", 0, 0}} {
		n, err := AtLeastOne(c.v)
		if n != c.n || (err == nil) != (c.n > 0) {
			t.Errorf("%v is %d, %v as a whole number, want %d", c.v, n, err, c.n)
		}
		wait, err := Duration(c.v)
		if wait != c.wait || (err == nil) != (c.wait > 0) {
			t.Errorf("%v is %v, %v as a time, want %v", c.v, wait, err, c.wait)
		}
	}
}
