package study

import (
	"slices"
	"testing"

	"parfait/surrogate"
)

// TestSurrogateOfTheStudy runs a study with MAP's own quadratic: the analysis stands on it, the strategy asks
// by it, and it may be changed afterwards, because nothing was measured with it.
func TestSurrogateOfTheStudy(t *testing.T) {
	t.Parallel()
	models := ""
	asked := map[string][]string{}
	for _, c := range []struct{ key, fitter string }{
		{"surrogate: auto", "gp"},
		{"surrogate: {kind: quadratic}", "quadratic"},
		{"surrogate: {kind: quadratic, plain: true}", "plain"},
	} {
		dir := strategyStudy(t, "adaptive", &models)
		edit(t, dir, "budget: 12", "budget: 20")
		edit(t, dir, "version: 1", "version: 1\n"+c.key)
		s := open(t, dir)
		if err := s.Run(t.Context(), RunOptions{Workers: 2}); err != nil {
			t.Fatalf("%s: %v", c.key, err)
		}
		audit(t, s)
		snap := load(t, s)
		asked[c.fitter] = facts(snap)
		for _, f := range snap.Analysis.Fits {
			if f.Trust.Fitter != c.fitter {
				t.Errorf("%s: %s is fitted by %q", c.key, f.Task, f.Trust.Fitter)
			}
		}
		if snap.Analysis.Surrogate != snap.Spec.Surrogate || snap.Question().Surrogate != snap.Spec.Surrogate {
			t.Errorf("%s: the analysis says %v", c.key, snap.Analysis.Surrogate)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}

		edit(t, dir, c.key, "surrogate: gp")
		again := load(t, open(t, dir))
		if got := again.Analysis.Fits[0].Trust.Fitter; got != "gp" {
			t.Errorf("%s, then gp: fitted by %q", c.key, got)
		}
	}
	if slices.Equal(asked["gp"], asked["quadratic"]) || slices.Equal(asked["quadratic"], asked["plain"]) {
		t.Error("what is asked for does not depend on the surrogate")
	}
}

func TestSurrogateIsAWordOrAMapping(t *testing.T) {
	for text, want := range map[string]surrogate.Choice{
		"":                             {},
		"surrogate: auto":              {Kind: surrogate.KindAuto},
		"surrogate: gp":                {Kind: surrogate.KindGP},
		"surrogate: {kind: quadratic}": {Kind: surrogate.KindQuadratic},
		"surrogate: {plain: true, kind: quadratic}": {Kind: surrogate.KindQuadratic, Plain: true},
	} {
		s, err := ParseSpec("study.yaml", []byte(goodSpec+"\n"+text+"\n"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if s.Surrogate != want {
			t.Errorf("%s is read as %v", text, s.Surrogate)
		}
	}
}
