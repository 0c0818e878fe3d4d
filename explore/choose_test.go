package explore_test

import (
	"slices"
	"strings"
	"testing"

	"parfait/explore"
	"parfait/explore/exploretest"
	"parfait/problem"
	"parfait/search"
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
		{"aspire", explore.Preference{Aspire: map[string]float64{"rotated": 0.9}}, func(c explore.Choice) bool { return value(c, 0) >= 0.9 && value(c, 0) < 0.91 }},
		{"aspire too high", explore.Preference{Aspire: map[string]float64{"rotated": 0.999}}, func(c explore.Choice) bool {
			return c.Front == a.Best[0] && strings.Contains(c.Why, "no point of the front reaches")
		}},
		{"aspire and weights", explore.Preference{Aspire: map[string]float64{"rotated": 0.8}, Weights: map[string]float64{"mirrored": 1}}, func(c explore.Choice) bool {
			return value(c, 0) >= 0.8 && value(c, 0) < 0.81 && value(c, 1) > value(c, 2)
		}},
		{"aspire and order", explore.Preference{Aspire: map[string]float64{"rotated": 0.8}, Lexicographic: []string{"upside_down"}}, func(c explore.Choice) bool {
			return value(c, 0) >= 0.8 && value(c, 0) < 0.81 && value(c, 2) > value(c, 1)
		}},
		{"aspire and floor", explore.Preference{Aspire: map[string]float64{"rotated": 0.8}, AtLeast: map[string]float64{"mirrored": 0.8}}, func(c explore.Choice) bool {
			return value(c, 0) >= 0.8 && value(c, 1) >= 0.8
		}},
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
	if c, err := explore.Choose(a, explore.Preference{Knee: true}); err != nil || !strings.HasSuffix(c.Why, "the most balanced point of the front; every such point is below the base and the uniform average on some task") || !a.AlwaysBelow() {
		t.Errorf("where nothing is above the base, the knee: %+v, %v", c, err)
	}
}

// Whoever asks for points that beat something gets one that does, and is told where there is none.
func TestChooseWhatBeats(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	r, err := explore.RivalNamed(a, explore.RivalBase, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := explore.Choose(a, explore.Preference{Best: a.Tasks[0].Name, Beats: &r})
	if err != nil || !r.Beats(a, c.X, c.Predicted) || a.Chance(c.X, r.X) < search.FloorSure || !strings.Contains(c.Why, "with all that the base has, nowhere below the base with probability ") {
		t.Errorf("beating the base: %+v, %v", c, err)
	}
	if n := r.Beating(a); n == 0 || n == len(a.Front) {
		t.Errorf("the test tests little: %d of %d points beat the base", n, len(a.Front))
	}
	ideal := explore.Rival{Title: "nothing there is", Predicted: slices.Clone(a.Front[0].Predicted), X: a.Front[0].X}
	for i := range ideal.Predicted {
		ideal.Predicted[i].Value = 2
	}
	if _, err := explore.Choose(a, explore.Preference{Beats: &ideal}); code(err) != explore.Infeasible || !strings.Contains(err.Error(), "all that nothing there is has") || !strings.Contains(err.Error(), "costs the most") {
		t.Errorf("beating what cannot be beaten: %v", err)
	}
	if _, err := explore.RivalNamed(a, "bass", nil); code(err) != explore.UnknownRival || !strings.Contains(err.Error(), "base") {
		t.Errorf("a typo: %v", err)
	}
}

// Where no task varies nothing beats anything, and where some do not it is said of the others.
func TestNothingBeatsWhereNothingVaries(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	r, err := explore.RivalNamed(a, explore.RivalBase, nil)
	if err != nil {
		t.Fatal(err)
	}
	if words := explore.BeatingWords(a, r); !strings.HasSuffix(words, "the base on every task") {
		t.Errorf("where all tasks vary: %q", words)
	}
	n := r.Beating(a)
	a.Fits[a.Objectives[0]].Trust.Constant = true
	if words := explore.BeatingWords(a, r); !strings.HasSuffix(words, "the base on every task that varies") || r.Beating(a) != n {
		t.Errorf("where one task is constant: %q, %d points, before %d", words, r.Beating(a), n)
	}
	for _, o := range a.Objectives {
		a.Fits[o].Trust.Constant = true
	}
	want := "no point beats the base: no task varies beyond its noise"
	if words := explore.BeatingWords(a, r); words != want || r.Beating(a) != 0 || explore.Answers(a) != want {
		t.Errorf("where every task is constant: %q, %d points, %q; want %q of none", words, r.Beating(a), explore.Answers(a), want)
	}
}

// One key asks for more than the base, then the average, the best model, the pins, and at last nothing in particular.
func TestBeatGoesRound(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	s, _ := explore.Apply(a, explore.Start(a), explore.Move{Kind: explore.Keep, Name: "mine"})
	var seen []string
	for range len(explore.Rivals(a, s.Pins)) {
		var note explore.Note
		s, note = explore.Apply(a, s, explore.Move{Kind: explore.Beat})
		seen = append(seen, s.Beats)
		if r := explore.Read(a, s); r.Beating == "" || note.Text == "" {
			t.Errorf("beating %s says %q, and %q on the way", s.Beats, r.Beating, note.Text)
		}
		r, err := explore.RivalNamed(a, s.Beats, s.Pins)
		if err != nil {
			t.Fatal(err)
		}
		if note.Code != explore.NoteInfeasible && len(a.Below(a.Predict(s.X), r.Predicted)) > 0 {
			t.Errorf("asked to beat %s it stands at %v", s.Beats, s.X)
		}
	}
	if !slices.Equal(seen[:2], []string{explore.RivalBase, explore.RivalAverage}) || seen[len(seen)-1] != "mine" {
		t.Errorf("beaten one after the other: %q", seen)
	}
	if s, _ = explore.Apply(a, s, explore.Move{Kind: explore.Beat}); s.Beats != "" {
		t.Errorf("after the last it is still %q", s.Beats)
	}
	if s, _ = explore.Apply(a, s, explore.Move{Kind: explore.Undo}); s.Beats != "mine" {
		t.Errorf("undone it is %q, want mine", s.Beats)
	}
	s.Beats = "gone"
	if r := explore.Read(a, s); r.Beating != "" {
		t.Errorf("a rival that is no more: %q", r.Beating)
	}
}

// What is measured is held against what the rival's trial measured, and noise is no gain.
func TestGains(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	r, err := explore.RivalNamed(a, explore.RivalBase, nil)
	if err != nil || r.Trial < 0 {
		t.Fatalf("the base was not measured: %v", err)
	}
	measured := map[string]study.Metric{}
	for name, m := range a.Trials[r.Trial].Metrics {
		measured[name] = study.Metric{Value: m.Value, N: 1000}
	}
	a.Trials[r.Trial].Metrics = map[string]study.Metric{}
	for name, m := range measured {
		a.Trials[r.Trial].Metrics[name] = m
	}
	first, second := a.Tasks[0].Name, a.Tasks[1].Name
	measured[first] = study.Metric{Value: measured[first].Value + .1, N: 1000}
	measured[second] = study.Metric{Value: measured[second].Value - .1, N: 1000}
	if w := r.GainWords(a, measured); !strings.HasPrefix(w, "measured against the base: better by 10 pt "+first+"; worse by 10 pt "+second+"; within the noise on ") {
		t.Errorf("in words: %q", w)
	}
	r.Trial = -1
	if w := r.GainWords(a, measured); w != "" {
		t.Errorf("of a base that nobody measured: %q", w)
	}
}

func TestNoSearch(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	for x, want := range map[[3]float64]string{{0, 0, 0}: "the base itself", {0, .5, 0}: "alone", {.333, .333, .333}: "the uniform average itself", {.1, .5, 0}: ""} {
		if w := explore.NoSearch(a, x[:]); !strings.Contains(w, want) || want == "" && w != "" {
			t.Errorf("%v: %q, want %q", x, w, want)
		}
	}
}

// What other rules call the best compromise is what a search by hand finds.
func TestCompromises(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	named := map[string]int{}
	for _, p := range explore.Compromises(a) {
		named[p.Name] = p.Front
	}
	value := func(i, t int) float64 { return a.Front[i].Predicted[t].Value }
	for name, score := range map[string]func(i int) float64{
		"best mean":       func(i int) float64 { return value(i, 0) + value(i, 1) + value(i, 2) },
		"best worst task": func(i int) float64 { return min(value(i, 0), value(i, 1), value(i, 2)) },
	} {
		for i := range a.Front {
			if score(i) > score(named[name])+1e-9 {
				t.Errorf("%s is point %d, and point %d is better", name, named[name], i)
			}
		}
	}
	loss := analysis(t, exploretest.Options{Minimize: true})
	for _, p := range explore.Compromises(loss) {
		if p.Name == "best worst task" {
			t.Error("a loss and rates have no worst task in common")
		}
	}
	for _, name := range []string{"most balanced", "nearest to the ideal"} {
		if _, ok := named[name]; !ok {
			t.Errorf("there is no %s point among %v", name, named)
		}
	}
}
