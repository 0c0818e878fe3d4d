package digits

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"parfait/evaluator"
	"parfait/merge/safetensors"
)

func score(t *testing.T, dir string, tasks ...string) evaluator.Metrics {
	t.Helper()
	var got evaluator.Metrics
	err := New(Options{}).Submit(t.Context(), []evaluator.Candidate{{
		Key: "k", Attempt: 1, Tasks: tasks, Split: evaluator.Test,
		Model: func(context.Context, evaluator.Form) (evaluator.Lease, error) {
			return evaluator.Lease{Path: dir, Release: func() {}}, nil
		},
	}}, func(e evaluator.Event) error {
		if e.State.Final() {
			got = e.Metrics
			if e.Err != nil {
				t.Errorf("%s: %v", dir, e.Err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestZoo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "zoo")
	if err := WriteZoo(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := WriteZoo(t.Context(), dir); !errors.Is(err, Occupied) {
		t.Errorf("a second zoo in the same place: %v, expected %s", err, Occupied)
	}
	read := func(path string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, path, safetensors.SingleName))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if !bytes.Equal(read("checkpoints/step-500"), read("models/rotated")) {
		t.Error("the last checkpoint is not the model that the run made")
	}
	models, err := Write(t.Context(), filepath.Join(dir, "models"), zooTasks)
	if err != nil || len(models.Experts) != zooTasks {
		t.Errorf("models/ is not as Write leaves it: %v", err)
	}
	// Checkpoints get better, too low a learning rate learns little, and pruning costs little.
	right := map[string]float64{}
	for _, path := range []string{
		"models/base", "models/rotated", "checkpoints/step-100", "checkpoints/step-300",
		"soups/rate-0.0005", "soups/rate-0.004", "soups/rate-0.032", "sparse/base", "sparse/one", "sparse/three", "strangers/one",
	} {
		m := score(t, filepath.Join(dir, path), "rotated", Guard)
		right[path] = m["rotated"].Value
		t.Logf("%-24s rotated %.3f, upright %.3f", path, m["rotated"].Value, m[Guard].Value)
	}
	for _, less := range [][2]string{
		{"models/base", "checkpoints/step-100"},
		{"checkpoints/step-100", "models/rotated"},
		{"soups/rate-0.0005", "soups/rate-0.004"},
		{"soups/rate-0.032", "soups/rate-0.004"},
		{"sparse/base", "sparse/one"},
		{"strangers/one", "models/base"},
	} {
		if right[less[0]] >= right[less[1]] {
			t.Errorf("%s reads %.3f of rotated digits, %s %.3f: expected less", less[0], right[less[0]], less[1], right[less[1]])
		}
	}
	sameZeros(t, filepath.Join(dir, "sparse"))
}

// sameZeros checks that half of the weights of all sparse models are zero, in the same places.
func sameZeros(t *testing.T, dir string) {
	t.Helper()
	flat := func(name string) []float32 {
		n, err := readModel(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return n.flat()
	}
	base, zeros := flat("base"), 0
	for _, name := range []string{"one", "two", "three"} {
		zeros = 0
		for i, v := range flat(name) {
			if base[i] == 0 {
				zeros++
				if v != 0 && i < hidden*pixels { // biases of the base may be zero by themselves
					t.Fatalf("%s: entry %d is %g, the base has a zero there", name, i, v)
				}
			}
		}
	}
	if share := float64(zeros) / parameters; share < 0.49 {
		t.Errorf("%.2f of the weights are zero, expected half", share)
	}
}

// The Fisher information in closed form is the mean of the squared gradients that training computes.
func TestFisherIsTheMeanSquaredGradient(t *testing.T) {
	models, err := school.models(t.Context(), false, 2)
	if err != nil {
		t.Fatal(err)
	}
	var n network
	n.fromFlat(models.experts[0])
	few := load().train.pick([]int{0, 5, 77, 300, 600})
	want := make([]float64, parameters)
	for i := range few.images {
		var h [hidden]float32
		var logits [classes]float32
		n.forward(&few.images[i], &h, &logits)
		for c := range classes {
			var g network
			n.backward(&few.images[i], c, &g)
			p := probability(&logits, c)
			for k, v := range g.flat() {
				d := float64(v) * batchSize
				want[k] += p * d * d / float64(len(few.images))
			}
		}
	}
	largest := 0.0
	for _, w := range want {
		largest = max(largest, w)
	}
	for k, f := range n.fisher(few) {
		if math.Abs(float64(f)-want[k]) > 1e-4*want[k]+1e-7*largest {
			t.Fatalf("parameter %d: %g, the squared gradients say %g", k, f, want[k])
		}
	}
}

// Attempts: against drawing answers one after the other.
func TestPassingIsDrawing(t *testing.T) {
	models, err := school.models(t.Context(), false, 2)
	if err != nil {
		t.Fatal(err)
	}
	var n network
	n.fromFlat(models.base)
	set := views.of("rotated", evaluator.Validation)
	random := newStream(1)
	last := 0.0
	for _, k := range []int{1, 4, 32} {
		right := 0
		for i := range set.images {
			var h [hidden]float32
			var logits [classes]float32
			n.forward(&set.images[i], &h, &logits)
			p := probability(&logits, int(set.labels[i]))
			for range k {
				if float64(random.below(1<<30))/(1<<30) < p {
					right++
					break
				}
			}
		}
		got := n.passing(set, k)
		drawn := float64(right) / float64(len(set.images))
		if math.Abs(got.Value-drawn) > 4*math.Sqrt(0.25/450) || got.Value <= last || got.Stderr <= 0 || got.Stderr > 0.03 {
			t.Errorf("%d attempts: %+v, drawn %.3f, fewer attempts %.3f", k, got, drawn, last)
		}
		last = got.Value
	}
	if m := score(t, writeOne(t, models.base), "rotated", "rotated_pass1", "upright_pass32"); len(m) != 3 || m["rotated_pass1"].Value >= m["upright_pass32"].Value {
		t.Errorf("measured as tasks: %v", m)
	}
	for _, bad := range []string{"rotated_pass", "rotated_pass0", "rotated_pass99999", "sideways_pass2", "_pass2"} {
		if err := checkTasks([]string{bad}); !errors.Is(err, evaluator.UnknownTask) {
			t.Errorf("%s: %v, expected %s", bad, err, evaluator.UnknownTask)
		}
	}
}

func writeOne(t *testing.T, v []float32) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	if err := writeModel(dir, v); err != nil {
		t.Fatal(err)
	}
	return dir
}
