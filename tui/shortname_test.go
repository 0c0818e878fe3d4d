package tui

import (
	"testing"

	"parfait/search"
	"parfait/study"
)

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
		{"c.mathematics", 6, "c.mat…"},
		{"a.b.c.d", 4, "a.b…"},
	} {
		if got := shortName(c.name, c.w); got != c.want {
			t.Errorf("%s in %d cells is %s, want %s", c.name, c.w, got, c.want)
		}
	}
}

// The list of models says of which one another has the coefficients.
func TestTiedTo(t *testing.T) {
	number := func(model, group string, of int) search.Number {
		return search.Number{Name: model + "." + group, Model: model, Group: group, Of: of}
	}
	space := search.Space{
		Coefficients: []search.Coefficient{{Name: "a.x", Model: "a+b"}, {Name: "a.y", Model: "a+b"}, {Name: "c.x", Model: "c", Group: "x+y"}},
		All:          []search.Number{number("a", "x", 0), number("b", "x", 0), number("c", "x", 2), number("d", "x", -1), number("a", "y", 1), number("b", "y", 1), number("c", "y", 2), number("d", "y", -1)},
	}
	p := modelsPane{props: props{snap: &study.Snapshot{Space: space}}}
	for model, want := range map[string]string{"a": "", "b": "a", "c": "", "d": ""} {
		if got := p.tiedTo(model); got != want {
			t.Errorf("%s is said to be tied to %q, want %q", model, got, want)
		}
	}
}
