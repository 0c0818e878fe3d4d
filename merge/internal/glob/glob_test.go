package glob

import "testing"

func TestGlobs(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "a.b", true},
		{"model.layers.[0-9].*", "model.layers.3.mlp.weight", true},
		{"model.layers.[0-9].*", "model.layers.13.mlp.weight", false},
		{"model.layers.1?.*", "model.layers.13.mlp.weight", true},
		{"*.mlp.*", "model.layers.1.mlp.up", true},
		{"a", "ab", false},
		{"a[!b-d]", "ab", false},
		{"a[!b-d]", "ae", true},
		{`a\*`, "a*", true},
		{`a\*`, "ab", false},
		{"a.b", "aXb", false},
		{"(a|b)", "a", false},
		{"[^x]", "y", true},
		{"layers.{4..17}.*", "layers.9.w", true},
		{"layers.{4..17}.*", "layers.18.w", false},
		{"layers.{4..17}.*", "layers.170.w", false},
		{"{q,k.x}_proj", "k.x_proj", true},
		{"{q,k.x}_proj", "kax_proj", false},
		{`\{q}`, "{q}", true},
	} {
		g, err := Compile(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if g.Match(c.name) != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.name, !c.want)
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("a[!b]*?\\*")
	f.Fuzz(func(t *testing.T, pattern string) {
		if g, err := Compile(Escape(pattern)); err == nil && !g.Match(pattern) {
			t.Errorf("%q does not match itself", pattern)
		}
		if g, err := Compile(pattern); err == nil {
			g.Match("model.layers.0.weight")
		}
	})
}
