package tui

import "testing"

func TestShortName(t *testing.T) {
	for _, c := range []struct {
		name string
		w    int
		want string
	}{
		{"code.k1", 12, "code.k1"},
		{"mathematics.k1", 12, "mathemat….k1"},
		{"mathematics.early.k3", 12, "mat….ear….k3"},
		{"c.mathematics.k1", 14, "mathematics.k1"},
		{"c.mathematics.k1", 6, "ma….k1"},
		{"mathematics", 6, "mathe…"},
		{"a.b.c.d", 4, "a.b…"},
	} {
		if got := shortName(c.name, c.w); got != c.want {
			t.Errorf("%s in %d cells is %s, want %s", c.name, c.w, got, c.want)
		}
	}
}
