package yamldoc

import (
	"errors"
	"strings"
	"testing"
)

func read(t *testing.T, text string, f func(Node)) []Problem {
	t.Helper()
	n, d, err := Parse("x.yaml", []byte(text))
	if err == nil {
		f(n)
		err = d.Err()
	}
	if err == nil {
		return nil
	}
	var p *Problems
	if !errors.As(err, &p) {
		t.Fatalf("error %v (%T) is not *Problems", err, err)
	}
	return p.List
}

func TestEverythingWrongIsSaidAtOnceWithItsLine(t *testing.T) {
	got := read(t, "nam: x\nsize: big\nsize: 3\nitems:\n  - {a: 1}\n  - {b: 2}\n", func(n Node) {
		n.Fields(map[string]func(Node){
			"name": func(v Node) { v.Text() },
			"size": func(v Node) { v.Float() },
			"items": func(v Node) {
				for _, i := range v.List() {
					i.Fields(map[string]func(Node){"a": func(v Node) { v.Float() }})
				}
			},
		})
	})
	want := []struct {
		line int
		text string
	}{{1, `did you mean "name"?`}, {2, "expected a number"}, {3, "stands twice (first on line 2)"}, {6, `unknown key "b"`}}
	if len(got) != len(want) {
		t.Fatalf("got %d problems, want %d: %v", len(got), len(want), got)
	}
	for i, w := range want {
		if got[i].Line != w.line || !strings.Contains(got[i].Msg, w.text) {
			t.Errorf("problem %d: line %d %q, want line %d with %q", i, got[i].Line, got[i].Msg, w.line, w.text)
		}
	}
}

func TestScalars(t *testing.T) {
	p := read(t, "f: 1e-3\ni: 7\nb: true\ns: 3.5\nz: -0.25\n", func(n Node) {
		n.Fields(map[string]func(Node){
			"f": func(v Node) { eq(t, v.Float(), 1e-3) },
			"i": func(v Node) { eq(t, v.Int(1), 7) },
			"b": func(v Node) { eq(t, v.Bool(), true) },
			"s": func(v Node) { eq(t, v.Text(), "3.5") },
			"z": func(v Node) { eq(t, v.Float(), -0.25) },
		})
	})
	if p != nil {
		t.Fatal(p)
	}
}

func eq[T comparable](t *testing.T, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"models", "method", "search", "tasks"}
	for word, want := range map[string]string{"model": "models", "serach": "search", "Tasks": "tasks", "banana": ""} {
		eq(t, Nearest(word, known), want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a: {b: [1, 2, x]}\nc: &x 1\nd: *x\n")
	f.Add("- 1\n- 2\n")
	f.Add("a: |\n  text\nb: !!str 3\n? x\n: y\n")
	f.Fuzz(func(_ *testing.T, s string) {
		n, d, err := Parse("x", []byte(s))
		if err == nil {
			n.Value()
			n.Fields(map[string]func(Node){"a": func(v Node) { v.Float(); v.Int(0); v.Bool(); v.List() }})
			_ = d.Err()
		}
	})
}
