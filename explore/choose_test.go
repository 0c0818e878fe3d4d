package explore_test

import (
	"slices"
	"strings"
	"testing"

	"parfait/explore"
	"parfait/explore/exploretest"
	"parfait/problem"
	"parfait/study"
)

func code(err error) explore.Code { return problem.CodeOf(err) }

func TestChoose(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	value := func(c explore.Choice, task int) float64 { return c.Predicted[task].Value }
	for _, tt := range []struct {
		name string
		want explore.Preference
		ok   func(explore.Choice) bool
	}{
		{"knee", explore.Preference{Knee: true}, func(c explore.Choice) bool { return c.Front == a.Knee }},
		{"best", explore.Preference{Best: "mirrored"}, func(c explore.Choice) bool { return c.Front == a.Best[1] }},
		{"best guard", explore.Preference{Best: "upright"}, func(c explore.Choice) bool { return c.Front >= 0 }},
		{"floor", explore.Preference{AtLeast: map[string]float64{"mirrored": 0.85}}, func(c explore.Choice) bool { return value(c, 1) >= 0.85 }},
		{"floor and best", explore.Preference{Best: "rotated", AtLeast: map[string]float64{"mirrored": 0.8, "upright": 0.8}}, func(c explore.Choice) bool {
			return value(c, 1) >= 0.8 && value(c, 3) >= 0.8 && value(c, 0) < value2(a.Front[a.Best[0]].Predicted[0].Value)
		}},
		{"aspire", explore.Preference{Aspire: map[string]float64{"rotated": 0.95}}, func(c explore.Choice) bool { return c.Front == a.Best[0] }},
		{"weights", explore.Preference{Weights: map[string]float64{"upside_down": 1}}, func(c explore.Choice) bool { return c.Front == a.Best[2] }},
		{"order", explore.Preference{Lexicographic: []string{"mirrored", "rotated"}}, func(c explore.Choice) bool { return c.Front == a.Best[1] }},
		{"order with slack", explore.Preference{Lexicographic: []string{"mirrored", "rotated"}, Slack: map[string]float64{"mirrored": 0.1}}, func(c explore.Choice) bool {
			return value(c, 0) > a.Front[a.Best[1]].Predicted[0].Value
		}},
		{"at", explore.Preference{At: map[string]float64{"rotated": 0.3}}, func(c explore.Choice) bool { return c.X[0] == 0.3 && c.X[1] == 0 && c.Front == -1 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := explore.Choose(a, tt.want)
			if err != nil {
				t.Fatal(err)
			}
			if !tt.ok(c) {
				t.Errorf("chose %+v", c)
			}
			if c.Why == "" || len(c.X) != 3 || len(c.Predicted) != 4 {
				t.Errorf("incomplete: %+v", c)
			}
		})
	}
}

func value2(v float64) float64 { return v + 1e-12 }

func TestChooseRefuses(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	for _, tt := range []struct {
		name string
		want explore.Preference
		code explore.Code
		says []string
	}{
		{"nothing", explore.Preference{}, explore.BadPreference, nil},
		{"two ways", explore.Preference{Knee: true, Best: "rotated"}, explore.BadPreference, nil},
		{"typo", explore.Preference{Best: "rotatd"}, explore.UnknownTask, []string{`"rotated"`}},
		{"two typos", explore.Preference{Aspire: map[string]float64{"rotatd": 1, "miror": 1}}, explore.UnknownTask, []string{"rotatd", "miror"}},
		{"coefficient", explore.Preference{At: map[string]float64{"rotatet": 1}}, explore.UnknownCoefficient, []string{`"rotated"`}},
		{"at with floors", explore.Preference{At: map[string]float64{"rotated": 1}, AtLeast: map[string]float64{"rotated": 1}}, explore.BadPreference, nil},
		{"negative weight", explore.Preference{Weights: map[string]float64{"rotated": -1}}, explore.BadPreference, []string{"-1"}},
		{"infeasible", explore.Preference{AtLeast: map[string]float64{"rotated": 0.999}}, explore.Infeasible, []string{"rotated ≥ .999"}},
		{"costliest", explore.Preference{AtLeast: map[string]float64{"rotated": 0.5, "mirrored": 0.999}}, explore.Infeasible, []string{"floor of mirrored"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := explore.Choose(a, tt.want)
			if code(err) != tt.code {
				t.Fatalf("code %q (%v), expected %q", code(err), err, tt.code)
			}
			for _, s := range tt.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("does not say %q: %v", s, err)
				}
			}
		})
	}
	if _, err := explore.Choose(nil, explore.Preference{Knee: true}); code(err) != explore.NoAnalysis {
		t.Error(err)
	}
}

func TestFloorsOfTheSpecAreKeptWhereTheyCanBe(t *testing.T) {
	hard := analysis(t, exploretest.Options{Floor: 0.999})
	c, err := explore.Choose(hard, explore.Preference{Knee: true})
	if err != nil || c.Front != hard.Knee || !strings.Contains(c.Why, "upright ≥ .999") {
		t.Errorf("%v, %v", c.Why, err)
	}
}

// A choice says which bounds it breaks: those of study.yaml in whatever sense, and a person's own instead.
func TestAChoiceSaysWhatItBreaks(t *testing.T) {
	words := func(a *study.Analysis, w explore.Preference) string {
		t.Helper()
		c, err := explore.Choose(a, w)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, b := range c.Breaks {
			out = append(out, b.In(a.Tasks))
		}
		return strings.Join(out, ", ")
	}
	hard := analysis(t, exploretest.Options{Floor: 0.999})
	for _, c := range []struct {
		want   explore.Preference
		breaks string
	}{
		{explore.Preference{Knee: true}, "upright ≥ .999"},
		{explore.Preference{At: map[string]float64{"rotated": 0.3}}, "upright ≥ .999"},
		{explore.Preference{Best: "rotated", AtLeast: map[string]float64{"upright": 0.1}}, "upright ≥ .999"}, // a lower floor is for looking
		{explore.Preference{Best: "rotated", AtLeast: map[string]float64{"rotated": 0.1}}, "upright ≥ .999"},
	} {
		if got := words(hard, c.want); got != c.breaks {
			t.Errorf("%+v breaks %q, expected %q", c.want, got, c.breaks)
		}
	}
	limit := 0.2 // at most, of a task that is maximised: against its sense, and a bound all the same
	odd := analysis(t, exploretest.Options{})
	odd.Tasks = slices.Clone(odd.Tasks)
	odd.Tasks[0].AtMost = &limit
	if got := words(odd, explore.Preference{Best: "rotated"}); got != "rotated ≤ .20" {
		t.Errorf("the best rotated breaks %q, expected its ceiling", got)
	}
	limit = odd.Front[odd.Knee].Predicted[0].Value
	c, err := explore.Choose(odd, explore.Preference{Best: "rotated"})
	if err != nil || len(c.Breaks) > 0 || c.Predicted[0].Value > limit {
		t.Errorf("the best rotated with a ceiling of %g is %+v, %v", limit, c, err)
	}
	if n := explore.Keeping(odd, nil); n == 0 || n == len(odd.Front) {
		t.Errorf("%d of %d points keep the ceiling", n, len(odd.Front))
	}
}

// Where the knee gives up a task that the base has, another one is chosen, with floors as without, and it says so.
func TestTheChosenKneeIsNotBelowTheBase(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	plain := a.Front[a.Knee]
	base := slices.IndexFunc(a.References, func(r study.Reference) bool { return r.Name == study.BaseName })
	a.References[base].Predicted = slices.Clone(a.References[base].Predicted)
	a.References[base].Predicted[0].Value = plain.Predicted[0].Value + 0.02
	a.References[base].Predicted[1].Value, a.References[base].Predicted[2].Value = 0, 0
	if r := explore.Read(a, explore.Start(a)); !slices.Equal(r.BelowBase, []int{0}) || !r.Tasks[0].BelowBase || r.Tasks[1].BelowBase {
		t.Errorf("the knee of before is below the base on %v", r.BelowBase)
	}
	for _, w := range []explore.Preference{{Knee: true}, {AtLeast: map[string]float64{"mirrored": plain.Predicted[1].Value - 0.2}}} {
		c, err := explore.Choose(a, w)
		if err != nil || c.Predicted[0].Value <= plain.Predicted[0].Value || !strings.HasPrefix(c.Why, "the knee of the part of the front that is nowhere below the base") {
			t.Errorf("%+v chose %+v, %v", w, c, err)
		}
	}
	if w := explore.KneeWords(a); !strings.Contains(w, "nowhere below the base") {
		t.Errorf("in words: %s", w)
	}
	a.References[base].Predicted[0].Value = 2
	if c, err := explore.Choose(a, explore.Preference{Knee: true}); err != nil || c.Front != a.Knee || !a.AlwaysBelow() {
		t.Errorf("where nothing is above the base, the knee: %+v, %v", c, err)
	}
	a.References[base].X = a.Front[a.Knee].X
	if w := explore.KneeWords(a); !strings.HasSuffix(w, ": the base itself, which no merge is predicted to beat") {
		t.Errorf("a knee that is the base, in words: %s", w)
	}
}
