package explore_test

import (
	"math"
	"strings"
	"testing"

	"parfait/explore"
	"parfait/explore/exploretest"
	"parfait/search"
	"parfait/study"
)

func TestReadAtTheKnee(t *testing.T) {
	a := analysis(t, exploretest.Options{Flagged: true, Floor: 0.8})
	r := explore.Read(a, explore.Start(a))
	if r.Name != "knee" || r.Label != "knee" || r.Dominator != -1 || r.Trial != -1 || len(r.Broken) != 0 || !r.Believed {
		t.Errorf("readout %+v", r)
	}
	for i, task := range r.Tasks {
		if task.Predicted != a.Front[a.Knee].Predicted[i] {
			t.Errorf("%s is predicted as %+v", task.Task.Name, task.Predicted)
		}
		if task.Share <= 0 || task.Share > 1 {
			t.Errorf("%s has %g of the best", task.Task.Name, task.Share)
		}
	}
	if !r.Tasks[2].Flagged || r.Tasks[2].Why == "" || r.Tasks[0].Flagged {
		t.Error("which surrogates are not to be believed is lost")
	}
	if r.Tasks[3].Floor != 0.8 || !math.IsNaN(r.Tasks[0].Floor) {
		t.Errorf("floors %g and %g", r.Tasks[3].Floor, r.Tasks[0].Floor)
	}
}

// A rate is what Favour does, for each point of the task: the words and the figures must agree with the
// two points of the front.
func TestRatesAreThoseOfFavour(t *testing.T) {
	for _, o := range []exploretest.Options{{}, {Minimize: true}, {Tasks: []string{"math", "code"}}} {
		a := analysis(t, o)
		for task := range a.Tasks[:len(a.Objectives)] {
			s := explore.Start(a)
			s.Task = task
			r := explore.Read(a, s).Rate
			next, note := explore.Apply(a, s, explore.Move{Kind: explore.Favour, N: 1})
			if note.Code != explore.NoteNone || next.Front != r.To {
				t.Fatalf("the rate is of point %d, favour goes to %d (%+v)", r.To, next.Front, note)
			}
			if r.Step <= 0 {
				t.Errorf("%s: a step of %g gains nothing", a.Tasks[task].Name, r.Step)
			}
			costs := 0
			for i, g := range r.Gains {
				if a.Tasks[i].Role == study.Objective && i != task && g < 0 {
					costs++
				}
			}
			if costs == 0 {
				t.Errorf("%s: more of it costs no other objective, so this is no front", a.Tasks[task].Name)
			}
			if !strings.Contains(r.Words, a.Tasks[task].Name) || !strings.Contains(r.Words, "costs") {
				t.Errorf("said as %q", r.Words)
			}
			if a.Tasks[task].Sense == study.Minimize && !strings.HasPrefix(r.Words, "−") {
				t.Errorf("less of %s is better, and it is said as %q", a.Tasks[task].Name, r.Words)
			}
		}
	}
}

// Where the next point has hardly more of the task, what is said is that step: nobody can have one point more.
func TestRatesOfSmallSteps(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	s := explore.Start(a)
	best := 0.0
	for _, p := range a.Front {
		best = max(best, p.Predicted[0].Value)
	}
	a.Front[s.Front].Predicted[0].Value = best - 0.0002345
	r := explore.Read(a, s).Rate
	if r.To < 0 || math.Abs(r.Step-0.0002345) > 1e-9 || !strings.HasPrefix(r.Words, "+.023 pt rotated costs ") {
		t.Errorf("a step of %g to %d is said as %q", r.Step, r.To, r.Words)
	}
	for i, g := range r.Gains {
		if math.Abs(g) > 1 {
			t.Errorf("%s changes by %g, and it is a rate", a.Tasks[i].Name, g)
		}
	}
}

func TestReadAtATrial(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	s, _ := explore.Apply(a, explore.Start(a), explore.Move{Kind: explore.Go, X: a.Trials[6].X})
	r := explore.Read(a, s)
	if r.Trial != 6 || r.Name != "trial 7" || r.Tasks[0].Measured == nil || r.Tasks[0].Measured.Value != a.Trials[6].Metrics["rotated"].Value {
		t.Errorf("readout %+v", r)
	}
}

// Who dominates is what a look at every pair says.
func TestDominatorIsTheDefinition(t *testing.T) {
	a := analysis(t, exploretest.Options{Minimize: true})
	for _, trial := range a.Trials {
		p := a.Predict(trial.X)
		dominated := false
		for _, f := range a.Front {
			worse, better := false, false
			for _, i := range a.Objectives {
				worse = worse || a.Tasks[i].Better(p[i].Value, f.Predicted[i].Value)
				better = better || a.Tasks[i].Better(f.Predicted[i].Value, p[i].Value)
			}
			dominated = dominated || better && !worse
		}
		if got := explore.Dominator(a, p); (got >= 0) != dominated {
			t.Errorf("trial %d: dominator %d, dominated %v", trial.ID, got, dominated)
		}
	}
}

func TestWords(t *testing.T) {
	rate, loss := study.Task{Name: "r", Unit: "rate"}, study.Task{Name: "l", Unit: "loss", Sense: study.Minimize}
	for _, tt := range []struct{ got, want string }{
		{explore.Number(rate, 0.9124), ".912"},
		{explore.Number(rate, 1), "1.000"},
		{explore.Number(rate, math.NaN()), "—"},
		{explore.Number(loss, 9.4567), "9.457"},
		{explore.Number(loss, 123456), "123456"},
		{explore.Number(loss, 1e-5), "1e-05"},
		{explore.Spread(rate, 0.014), ".014"},
		{explore.Spread(loss, math.Inf(1)), "—"},
		{explore.Decimal(-0.3, 1), "-.3"},
		{explore.Decimal(-0.001, 2), ".00"},
		{explore.Difference(rate, 0.8, 0.812), "+1.2"},
		{explore.Difference(rate, 0.8, 0.8001), "="},
		{explore.Difference(rate, 0.9, 0.7), "−20"},
		{explore.Difference(loss, 2, 2.5), "+.5"},
		{explore.Sign(loss), "≤"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, expected %q", tt.got, tt.want)
		}
	}
}

// Why a point is not believed is the landscape's word; one that is believed lies inside the samples of every
// task, or that is said.
func TestDoubtIsSaidInWords(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	s := explore.Start(a)
	if r := explore.Read(a, s); r.Doubt != "" {
		t.Errorf("the knee is doubted: %s", r.Doubt)
	}
	s.X, s.Front = []float64{1.2, 1.2, 1.2}, -1
	if r := explore.Read(a, s); r.Believed || r.Doubt != string(search.Outside) {
		t.Errorf("far outside the doubt is %q", r.Doubt)
	}
	inside := a.Front[a.Knee].X
	if d := a.Doubtful(inside, true, 1.2); d != string(search.Outside) {
		t.Errorf("outside the samples of a task that is not optimised: %q", d)
	}
}

func TestACliffIsRead(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	a.Fits[1].Trust.Cliff, a.Fits[1].Trust.CliffWhy = true, "collapses"
	if r := explore.Read(a, explore.Start(a)); r.Tasks[1].Cliff != "collapses" || r.Tasks[0].Cliff != "" {
		t.Errorf("the cliffs are %q and %q", r.Tasks[0].Cliff, r.Tasks[1].Cliff)
	}
}

// How probably a point is nowhere below something is read against the rival, or else the base.
func TestTheChanceOfThePointInHand(t *testing.T) {
	a := analysis(t, exploretest.Options{})
	s := explore.Start(a)
	for beats, over := range map[string]string{"": explore.RivalBase, explore.RivalAverage: explore.RivalAverage} {
		s.Beats = beats
		r := explore.Read(a, s)
		if want := a.Chance(s.X, r.Over.X); r.Over.Name != over || r.Chance != want || math.IsNaN(want) {
			t.Errorf("beats %q: against %q with probability %g, want %q and %g", beats, r.Over.Name, r.Chance, over, want)
		}
		at := s
		at.X = r.Over.X
		if r := explore.Read(a, at); !math.IsNaN(r.Chance) {
			t.Errorf("%s is not below itself with probability %g", over, r.Chance)
		}
	}
}
