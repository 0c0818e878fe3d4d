package study

import (
	"math"
	"slices"
	"testing"

	"parfait/evaluator"
	"parfait/pareto"
	"parfait/search"
)

// interfering measures three ordinary tasks, two rates and a loss, of merges whose models get in each other's way.
func interfering(x []float64) map[string]Metric {
	sum := x[0] + x[1] + x[2]
	rate := func(z float64) Metric { return Metric{Value: 1 / (1 + math.Exp(-z))} }
	return map[string]Metric{
		"gsm8k":     rate(3*x[0] - 1.2*x[1] - 1 - .4*sum*sum),
		"humaneval": rate(3*x[1] - x[2] - 1.5 - .4*sum*sum),
		"loss":      {Value: 2.5 - x[2] + .8*x[2]*x[2] + .3*x[0]*x[0] + .1*sum},
	}
}

// analysed is what trials of interfering say, the base among them, on tasks that shape has changed.
func analysed(t *testing.T, shape func(*Snapshot)) *Analysis {
	t.Helper()
	snap := &Snapshot{Spec: &Spec{}, Tasks: []Task{
		{Name: "gsm8k", Unit: "rate", Role: Objective, Sense: Maximize, Link: "logit"},
		{Name: "humaneval", Unit: "rate", Role: Objective, Sense: Maximize, Link: "logit"},
		{Name: "loss", Role: Objective, Sense: Minimize, Link: "identity"},
	}}
	for _, m := range []string{"math", "code", "chat"} {
		snap.Space.Coefficients = append(snap.Space.Coefficients, search.Coefficient{Name: m, Model: m, Hi: 1.2, Kind: search.Scaling})
	}
	var done []Trial
	for i := range 27 { // a lattice, shaken a little
		x := []float64{.6 * float64(i%3), .6 * float64(i/3%3), .6 * float64(i/9)}
		for k := range x {
			x[k] = math.Mod(x[k]+.07*float64(i*(k+1)%5), 1.2)
		}
		done = append(done, Trial{ID: i + 1, X: x, State: evaluator.Done, Metrics: interfering(x)})
	}
	if shape != nil {
		shape(snap)
	}
	a, err := analyse(t.Context(), snap, done)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A trial is below the base where it was measured worse, in the task's sense, and the base is never below itself.
func TestMeasuredBelowTheBase(t *testing.T) {
	a := analysed(t, nil)
	base, known := a.reference(BaseName)
	if !known || base.Trial < 0 {
		t.Fatalf("the base was not measured: %+v", base)
	}
	at := a.Trials[base.Trial].Metrics
	if below, known := a.MeasuredBelowBase(at); !known || len(below) > 0 {
		t.Errorf("the base is below itself on %v (known: %v)", below, known)
	}
	worse := map[string]Metric{"gsm8k": {Value: at["gsm8k"].Value + .1}, "loss": {Value: at["loss"].Value + .1}}
	if below, _ := a.MeasuredBelowBase(worse); !slices.Equal(below, []int{2}) {
		t.Errorf("more of a rate and more of a loss is below the base on %v, want the loss alone", below)
	}
	a.References[slices.IndexFunc(a.References, func(r Reference) bool { return r.Name == BaseName })].Trial = -1
	if _, known := a.MeasuredBelowBase(worse); known {
		t.Error("it is known beside a base that was not measured")
	}
}

// On a front with interference the point that gives the most for the least gives up a task: nobody is handed it
// unasked while there are points that keep all that the base can do.
func TestTheKneeIsNotBelowTheBase(t *testing.T) {
	a := analysed(t, nil)
	all := everyIndex(len(a.Front))
	plain := a.plainKnee(all)
	if below, known := a.BelowBase(a.Front[plain].Predicted); !known || len(below) == 0 {
		t.Fatalf("the test tests nothing: the plain knee %+v is below the base on %v", a.Front[plain].Predicted, below)
	}
	if a.AlwaysBelow() {
		t.Fatal("the test tests nothing: every point is below the base")
	}
	if below, _ := a.BelowBase(a.Front[a.Knee].Predicted); len(below) > 0 {
		t.Errorf("the knee %+v is below the base %+v on %v", a.Front[a.Knee].Predicted, predictedOf(a, BaseName), below)
	}
	onlyBelow := slices.DeleteFunc(all, func(i int) bool { return a.nowhereBelow(i) })
	k, of := a.KneeOf(onlyBelow)
	average := predictedOf(a, AverageName)
	switch below := a.Below(a.Front[k].Predicted, average); {
	case of == AboveAverage && len(below) > 0:
		t.Errorf("among points that are all below the base the knee is below the uniform average on %v", below)
	case of != AboveAverage && of != Balanced:
		t.Errorf("among points that are all below the base the knee is taken from %q", of)
	}
	worse := slices.DeleteFunc(onlyBelow, func(i int) bool { return len(a.Below(a.Front[i].Predicted, average)) == 0 })
	if k, of := a.KneeOf(worse); of != Balanced || k != a.MostBalanced(worse) {
		t.Errorf("among points below base and average alike the knee is %d of %q, expected %d, the most balanced", k, of, a.MostBalanced(worse))
	}
	e, _ := a.BelowBase(interferingBase(a))
	if len(e) > 0 {
		t.Errorf("the base is below itself on %v", e)
	}
}

// A knee that is not below the base stays what it was, whatever else is.
func TestAKneeAboveTheBaseStays(t *testing.T) {
	a := analysed(t, func(s *Snapshot) { s.Tasks[0].Role, s.Tasks[1].Role = Guard, Objective })
	all := everyIndex(len(a.Front))
	if below, _ := a.BelowBase(a.Front[a.plainKnee(all)].Predicted); len(below) > 0 {
		t.Fatalf("the test tests nothing: the plain knee is below the base on %v", below)
	}
	if a.Knee != a.plainKnee(all) {
		t.Errorf("the knee is point %d, expected %d", a.Knee, a.plainKnee(all))
	}
}

// Where proportions add up to one the base is no merge, and nothing is said of it, whatever a model is called.
func TestWithoutABaseNothingIsBelowIt(t *testing.T) {
	a := analysed(t, nil)
	a.Space.Simplex = [][]int{{0, 1, 2}}
	if below, known := a.BelowBase(a.Front[0].Predicted); known || below != nil {
		t.Errorf("below %v, known %v", below, known)
	}
	a.Space.Simplex, a.References = nil, nil
	if _, known := a.BelowBase(a.Front[0].Predicted); known {
		t.Error("there is no base, and it is said to be known")
	}
}

func TestAnUntestedFrontFlagsEveryTask(t *testing.T) {
	a := analysed(t, nil)
	a.Untested = ""
	for i := range a.Tasks {
		if why := a.Flagged(i); why != "" {
			t.Fatalf("%s is flagged: %s", a.Tasks[i].Name, why)
		}
	}
	a.Untested = "far from all trials"
	a.Fits[1].Trust.Flagged, a.Fits[1].Trust.Why = true, "too few"
	for i, want := range []string{"far from all trials", "too few", "far from all trials"} {
		if why := a.Flagged(i); why != want {
			t.Errorf("%s is flagged as %q, expected %q", a.Tasks[i].Name, why, want)
		}
	}
}

func interferingBase(a *Analysis) []Prediction { return a.Predict(make([]float64, 3)) }

func predictedOf(a *Analysis, name string) []Prediction {
	r, _ := a.reference(name)
	return r.Predicted
}

func everyIndex(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// KneeOf agrees with a search by hand.
func TestKneeOfIsTheKneeOfWhatIsNotBelow(t *testing.T) {
	a := analysed(t, nil)
	var points []int
	for i, p := range a.Front {
		if p.Predicted[0].Value >= predictedOf(a, BaseName)[0].Value && p.Predicted[1].Value >= predictedOf(a, BaseName)[1].Value && p.Predicted[2].Value <= predictedOf(a, BaseName)[2].Value {
			points = append(points, i)
		}
	}
	if want := pareto.KneeAmong(a.frontCosts(), points); a.Knee != want {
		t.Errorf("the knee is point %d, expected %d of %d points", a.Knee, want, len(points))
	}
}
