package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/evaluator"
	"parfait/merge"
	"parfait/merge/safetensors"
	"parfait/search"
	"parfait/study"
)

// checks say for every example what its page promises. An example without one is a mistake.
var checks = map[string]func(f finished){
	"map":          front,
	"bayesian":     front,
	"nested":       nested,
	"soups":        soups,
	"wise-ft":      wiseFT,
	"fisher":       fisher,
	"ties":         density,
	"dare":         density,
	"sparse-soups": sparse,
	"lcsc":         lcsc,
	"hma":          layerGroups,
	"pass-at-k":    passAtK,
	"variance":     variance,
	"mergeability": mergeability,
}

// TestExamples runs every example as its reader would: run, look at the front, export the knee, measure.
func TestExamples(t *testing.T) {
	studies, err := write(t.Context(), filepath.Join(t.TempDir(), "zoo"))
	if err != nil {
		t.Fatal(err)
	}
	if len(studies) != len(checks) {
		t.Errorf("%d studies, and promises about %d", len(studies), len(checks))
	}
	for _, folder := range studies {
		name := strings.TrimSuffix(filepath.Base(folder), ".study")
		t.Run(name, func(t *testing.T) {
			check := checks[name]
			if check == nil {
				t.Fatal("nobody says what this example should come to")
			}
			check(finish(t, folder))
		})
	}
}

// finished is an example that was run, looked at and exported.
type finished struct {
	*testing.T
	dir      string
	snap     *study.Snapshot
	exported study.Export
}

func finish(t *testing.T, folder string) finished {
	t.Helper()
	s, err := study.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Run(t.Context(), study.RunOptions{Workers: 2}); err != nil {
		t.Fatal(err)
	}
	snap, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, trial := range snap.Trials {
		if trial.State != evaluator.Done {
			t.Errorf("trial %d is %s: %s", trial.ID, trial.State, trial.Error)
		}
	}
	a := snap.Analysis
	if a == nil || len(a.Front) == 0 || len(a.Measured) == 0 {
		t.Fatalf("%d trials, and no front", len(snap.Trials))
	}
	e, err := s.Export(t.Context(), study.ExportRequest{X: a.Front[a.Knee].X, Verify: true, Why: "the knee"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, split := range []evaluator.Split{evaluator.Validation, evaluator.Test} {
		if len(e.Measured[split]) != len(snap.Tasks) {
			t.Errorf("%s: measured %v, want %d tasks", split, e.Measured[split], len(snap.Tasks))
		}
	}
	if _, err := merge.ReadRecipe(filepath.Join(e.Out, "recipe.yaml")); err != nil {
		t.Error(err)
	}
	return finished{t, folder, snap, e}
}

// at is the trial nearest to x.
func (f finished) at(x ...float64) study.Trial {
	return slices.MinFunc(f.snap.Trials, func(a, b study.Trial) int {
		d := distance(a.X, x) - distance(b.X, x)
		return int(math.Copysign(1, d))
	})
}

func distance(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += (a[i] - b[i]) * (a[i] - b[i])
	}
	return sum
}

// best is the largest value of a task among the trials that are wanted.
func (f finished) best(task string, wanted func(x []float64) bool) float64 {
	best := math.Inf(-1)
	for _, trial := range f.snap.Trials {
		if wanted(trial.X) {
			best = max(best, trial.Metrics[task].Value)
		}
	}
	return best
}

// names of the coefficients.
func (f finished) names() []string {
	var out []string
	for _, c := range f.snap.Space.Coefficients {
		out = append(out, c.Name)
	}
	return out
}

// question is what the search would be asked now.
func (f finished) question() search.Question {
	q := search.Question{Space: f.snap.Space, Budget: f.snap.Spec.Search.Budget, Seed: f.snap.Spec.Search.Seed}
	for _, task := range f.snap.Tasks {
		q.Tasks = append(q.Tasks, search.Task{Name: task.Name, Link: task.Link, Maximize: task.Sense == study.Maximize, Optimise: task.Role == study.Objective})
	}
	for _, trial := range f.snap.Trials {
		p := search.Point{X: trial.X, Batch: trial.Batch}
		for _, task := range f.snap.Tasks {
			m := trial.Metrics[task.Name]
			p.Y = append(p.Y, search.Measurement{Value: m.Value, Stderr: m.Stderr, N: m.N})
		}
		q.Done = append(q.Done, p)
	}
	return q
}

// weights of the models in a folder, by tensor.
func weights(t *testing.T, folder string) map[string][]float32 {
	t.Helper()
	set, err := safetensors.OpenFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	}()
	out := map[string][]float32{}
	for _, name := range set.Names() {
		file, tensor, _ := set.Lookup(name)
		if out[name], err = file.Float32s(tensor); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// front: the knee is a better compromise than any model alone, and than all of them averaged.
func front(f finished) {
	worst := func(m map[string]study.Metric) float64 {
		least := math.Inf(1)
		for _, task := range f.snap.Tasks {
			if task.Role == study.Objective {
				least = min(least, m[task.Name].Value)
			}
		}
		return least
	}
	d := len(f.snap.Space.Coefficients)
	known := [][]float64{slices.Repeat([]float64{1 / float64(d)}, d)}
	for i := range d {
		known = append(known, make([]float64, d))
		known[i+1][i] = 1
	}
	knee := worst(f.exported.Measured[evaluator.Validation])
	for _, x := range known {
		if near := f.at(x...); distance(near.X, x) < 0.02 && worst(near.Metrics) >= knee {
			f.Errorf("the knee has %.3f on its worst task, %v has %.3f", knee, near.X, worst(near.Metrics))
		}
	}
}

func nested(f finished) {
	roots, err := search.NestedTree(f.Context(), f.question(), f.snap.Spec.Search.Options)
	if err != nil || len(roots) != 1 || roots[0].Round != 2 {
		f.Fatalf("the tree has %d roots (%v)", len(roots), err)
	}
	last := f.snap.Trials[len(f.snap.Trials)-1]
	if !slices.Equal(last.X, roots[0].X) && !slices.ContainsFunc(f.snap.Trials, func(t study.Trial) bool { return slices.Equal(t.X, roots[0].X) }) {
		f.Errorf("the winner %v was not measured", roots[0].X)
	}
	if !strings.Contains(last.Why, roots[0].Recipe()) {
		f.Errorf("the last trial is %q, the tree says %q", last.Why, roots[0].Recipe())
	}
}

func soups(f finished) {
	one := func(x []float64) bool { return slices.Max(x) == 1 }
	several := func(x []float64) bool { return !one(x) }
	if alone, soup := f.best("rotated", one), f.best("rotated", several); soup < alone {
		f.Errorf("the best soup reads %.3f, the best model alone %.3f", soup, alone)
	}
	uniform := slices.Repeat([]float64{1. / 7}, 7)
	if distance(f.at(uniform...).X, uniform) > 1e-5 {
		f.Error("the uniform soup was not measured")
	}
}

func wiseFT(f finished) {
	base, tuned, between := f.at(0).Metrics, f.at(1).Metrics, f.at(0.25).Metrics
	if tuned["rotated"].Value < 0.96 || tuned["upright"].Value > 0.27 || base["upright"].Value < 0.95 {
		f.Errorf("the ends are not as the page says: %v, %v", base, tuned)
	}
	if between["rotated"].Value < 0.85 || between["upright"].Value < 0.92 {
		f.Errorf("a quarter of the way: %v", between)
	}
	if m := "mirrored"; f.best(m, func([]float64) bool { return true }) <= max(base[m].Value, tuned[m].Value) {
		f.Error("nothing in between reads more mirrored digits than the ends")
	}
}

func fisher(f finished) {
	if len(f.snap.Space.Simplex) != 1 || len(f.names()) != 3 {
		f.Errorf("the coefficients %v are not proportions of three models", f.names())
	}
	r, err := merge.ReadRecipe(filepath.Join(f.exported.Out, "recipe.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	if files, ok := r.Spec().Params["fisher"].(map[string]any); !ok || len(files) != 3 {
		f.Errorf("the recipe has the files %v", r.Spec().Params["fisher"])
	}
}

func density(f finished) {
	k := slices.Index(f.names(), "density")
	if k < 0 {
		f.Fatalf("density is not among the coefficients %v", f.names())
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, trial := range f.snap.Trials {
		lo, hi = min(lo, trial.X[k]), max(hi, trial.X[k])
	}
	if c := f.snap.Space.Coefficients[k]; lo > c.Lo+0.2 || hi < c.Hi-0.2 || c.Kind != search.Parameter {
		f.Errorf("density was tried from %g to %g of [%g, %g]", lo, hi, c.Lo, c.Hi)
	}
}

func sparse(f finished) {
	base, out := weights(f.T, filepath.Join(f.dir, "..", "sparse", "base")), weights(f.T, f.exported.Out)
	for _, name := range []string{"fc1.weight", "fc2.weight"} {
		zeros := 0
		for i, v := range base[name] {
			if v == 0 {
				zeros++
				if out[name][i] != 0 {
					f.Fatalf("%s[%d] is %g, and zero in the base", name, i, out[name][i])
				}
			}
		}
		if zeros < len(base[name])/2 {
			f.Errorf("%s: %d zeros of %d", name, zeros, len(base[name]))
		}
	}
}

func lcsc(f finished) {
	last := f.at(0, 0, 0, 0, 1).Metrics["rotated"].Value
	best := f.best("rotated", func([]float64) bool { return true })
	average := f.at(0.2, 0.2, 0.2, 0.2, 0.2).Metrics["rotated"].Value
	if best < last || best < average+0.005 {
		f.Errorf("the best combination reads %.3f, the last checkpoint %.3f, the average %.3f", best, last, average)
	}
}

func layerGroups(f finished) {
	if got := f.names(); !slices.Equal(got, []string{"aligned.input", "aligned.output"}) {
		f.Errorf("coefficients %v", got)
	}
}

func passAtK(f finished) {
	base, tuned := f.at(0).Metrics, f.at(1).Metrics
	if base["rotated_pass1"].Value > 0.6 || tuned["rotated_pass1"].Value < 0.93 || base["mirrored_pass32"].Value < 0.94 || tuned["mirrored_pass32"].Value > 0.45 {
		f.Errorf("the ends are not as the page says: %v, %v", base, tuned)
	}
}

func variance(f finished) {
	want, out := 0.0, weights(f.T, f.exported.Out)["fc1.weight"]
	for i, m := range f.snap.Spec.Models {
		want += f.exported.X[i] * spread(weights(f.T, filepath.Join(f.dir, m.Path))["fc1.weight"])
	}
	if got := spread(out); math.Abs(got/want-1) > 0.01 {
		f.Errorf("the merge has a variance of %g, its inputs of %g", got, want)
	}
}

func spread(v []float32) float64 {
	mean, sum := 0.0, 0.0
	for _, x := range v {
		mean += float64(x) / float64(len(v))
	}
	for _, x := range v {
		sum += (float64(x) - mean) * (float64(x) - mean)
	}
	return sum / float64(len(v))
}

func mergeability(f finished) {
	q := f.question()
	lines, err := search.Lines(q)
	if err != nil || len(lines) != 3 || len(q.Tasks) != 1 {
		f.Fatalf("%v (%v), tasks %v", lines, err, q.Tasks)
	}
	for _, l := range lines {
		b, ok := l.Barrier(0, q.Tasks[0])
		if !ok {
			f.Errorf("%s and %s: not measured", l.A, l.B)
		}
		if far := b.B == "stranger"; far && b.Height < 0.06 || !far && b.Height > 0.02 {
			f.Errorf("%+v, want a height above .06 to the stranger, and else below .02", b)
		}
	}
	found, err := merge.Inspect(f.Context(), merge.Spec{Base: filepath.Join(f.dir, "../models/base"), Models: []merge.Source{
		{Name: "mirrored", Path: filepath.Join(f.dir, "../models/mirrored")},
		{Name: "stranger", Path: filepath.Join(f.dir, "../strangers/one")},
	}}, merge.InspectOptions{}, nil)
	if err != nil {
		f.Fatal(err)
	}
	if r := found.Total.VarianceRatio; r > 0.7 {
		f.Errorf("r is %.2f for models that have nothing to do with each other", r)
	}
}

// The page tells of every example, and shows only lines that are in one of those that the section links to.
func TestPageShowsTheExamples(t *testing.T) {
	page, err := os.ReadFile("../systems.md")
	if err != nil {
		t.Fatal(err)
	}
	names, err := examples.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if !strings.Contains(string(page), "(examples/"+n.Name()+")") {
			t.Errorf("systems.md does not link to %s", n.Name())
		}
	}
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		title, rest, _ := strings.Cut(section, "\n")
		var linked strings.Builder
		for _, part := range strings.Split(rest, "(examples/")[1:] {
			name, _, _ := strings.Cut(part, ")")
			text, err := examples.ReadFile(name)
			if err != nil {
				t.Errorf("%s: %v", title, err)
			}
			linked.Write(text)
		}
		for _, block := range strings.Split(rest, "```yaml\n")[1:] {
			block, _, _ = strings.Cut(block, "```")
			for line := range strings.Lines(block) {
				if !strings.Contains(linked.String(), line) {
					t.Errorf("%s: no example has the line %q", title, line)
				}
			}
		}
	}
}
