package digits

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"runtime"
	"testing"

	"parfait/evaluator"
)

func landscape(t testing.TB, n int) *Landscape {
	t.Helper()
	l, err := NewLandscape(context.Background(), n)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// The models are part of every study made with them, so their bytes are the same on every machine: these
// sums were made on amd64 and hold for all.
func TestSameBytesEverywhere(t *testing.T) {
	for n, want := range map[int]string{
		3: "329b64ed4d602e94517f1ecf2fe4e0fd0b98a85cda8a4fa09e145cdfc7c5abf8",
		8: "b0052c4dce63e82081e72b08717867e2cab8d0198fc6c00260e4684879ee9f16",
	} {
		set, err := train(context.Background(), n, false)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		for _, v := range append([][]float32{set.base}, set.experts...) {
			if err := binary.Write(sum, binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != want {
			t.Errorf("%d tasks: the models' sum is %s, expected %s", n, got, want)
		}
	}
}

func TestTrainingDoesNotDependOnWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	alone, err := train(context.Background(), 2, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range alone.experts {
		for j, w := range v {
			if school := mustModels(t, 2).experts[i][j]; school != w {
				t.Fatalf("expert %d, parameter %d: %v with one worker, %v with more", i, j, w, school)
			}
		}
	}
}

func mustModels(t *testing.T, n int) *trained {
	t.Helper()
	m, err := school.models(context.Background(), false, n)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Experts are unequal: their task vectors differ in norm by a factor of about four.
func TestNorms(t *testing.T) {
	l := landscape(t, 4)
	low, high := math.Inf(1), 0.0
	for i, delta := range l.deltas {
		sum := 0.0
		for _, d := range delta {
			sum += float64(d) * float64(d)
		}
		norm := math.Sqrt(sum)
		t.Logf("%-12s %.2f", l.tasks[i], norm)
		low, high = min(low, norm), max(high, norm)
	}
	if r := high / low; r < 3 || r > 6 {
		t.Errorf("the norms differ by a factor of %.1f, expected about 4", r)
	}
}

// The reason for this data set: every expert is best at its own task, no merge is best at all, the front
// is curved, and its best trade-off is far better than averaging.
func TestFrontIsWorthExploring(t *testing.T) {
	for _, c := range []struct {
		tasks, steps int
		gain         float64 // of the worst task, over the uniform average
	}{{2, 8, .2}, {3, 4, .1}, {4, 3, .05}} {
		l := landscape(t, c.tasks)
		best := make([]float64, c.tasks) // of each task, over the grid
		worst, at := 0.0, []float64(nil)
		grid(c.tasks, c.steps, func(x []float64) {
			v := l.Values(nil, x, evaluator.Validation)[:c.tasks]
			low := 1.0
			for i, a := range v {
				best[i] = max(best[i], a)
				low = min(low, a)
			}
			if low > worst {
				worst, at = low, append(at[:0], x...)
			}
		})
		uniform := make([]float64, c.tasks)
		for i := range uniform {
			uniform[i] = 1 / float64(c.tasks)
		}
		average := l.Values(nil, uniform, evaluator.Validation)[:c.tasks]
		floor := 1.0
		for _, a := range average {
			floor = min(floor, a)
		}
		t.Logf("%d tasks: uniform %.3f, worst %.3f; best trade-off %.3f, worst %.3f at %.2f; best alone %.3f",
			c.tasks, average, floor, l.Values(nil, at, evaluator.Validation), worst, at, best)
		if worst < floor+c.gain {
			t.Errorf("%d tasks: the best trade-off's worst task is %.3f, the uniform average's %.3f: not worth searching", c.tasks, worst, floor)
		}
		for i, b := range best {
			if b < .85 {
				t.Errorf("%d tasks: nobody is good at %s: %.3f", c.tasks, l.tasks[i], b)
			}
			if v := l.Values(nil, at, evaluator.Validation)[i]; v > b-.03 {
				t.Errorf("%d tasks: the best trade-off is also best at %s (%.3f of %.3f): the front is a point", c.tasks, l.tasks[i], v, b)
			}
		}
	}
}

// grid calls f for every point of a grid over the box [0, 1.2]; f must not keep x.
func grid(dim, steps int, f func(x []float64)) {
	x := make([]float64, dim)
	var turn func(i int)
	turn = func(i int) {
		if i == dim {
			f(x)
			return
		}
		for k := range steps + 1 {
			x[i] = 1.2 * float64(k) / float64(steps)
			turn(i + 1)
		}
	}
	turn(0)
}

func TestEveryExpertKnowsItsTask(t *testing.T) {
	l := landscape(t, MaxTasks())
	x := make([]float64, l.Dim())
	base := l.Values(nil, x, evaluator.Test)
	for i := range l.Dim() {
		x[i] = 1
		v := l.Values(nil, x, evaluator.Test)
		x[i] = 0
		t.Logf("%-12s base %.3f, expert %.3f", l.tasks[i], base[i], v[i])
		if v[i] < .75 || v[i] < base[i]+.1 {
			t.Errorf("the expert %s has %.3f on its task, the base %.3f", l.tasks[i], v[i], base[i])
		}
	}
	if guard := base[len(base)-1]; guard < .9 {
		t.Errorf("the base has %.3f on %s", guard, Guard)
	}
}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		k, n   int
		stderr float64
	}{{225, 450, .02357}, {450, 450, .00157}, {0, 450, .00157}} {
		m := Rate(c.k, c.n)
		if m.Value != float64(c.k)/float64(c.n) || math.Abs(m.Stderr-c.stderr) > 1e-5 || m.N != c.n {
			t.Errorf("Rate(%d, %d) = %+v", c.k, c.n, m)
		}
	}
}

func TestExp(t *testing.T) {
	for x := 0.0; x > -100; x -= 0.37 {
		if got, want := exp(x), math.Exp(x); math.Abs(got-want) > 4e-16*want {
			t.Errorf("exp(%v) = %v, expected %v", x, got, want)
		}
	}
	if exp(-1e4) != 0 {
		t.Error("exp(-10000) is not 0")
	}
}

func BenchmarkTrain3(b *testing.B) {
	for b.Loop() {
		if _, err := train(context.Background(), 3, false); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValues3(b *testing.B) { benchmarkValues(b, 3) }
func BenchmarkValues8(b *testing.B) { benchmarkValues(b, 8) }

func benchmarkValues(b *testing.B, n int) {
	l := landscape(b, n)
	x := make([]float64, n)
	for i := range x {
		x[i] = .3
	}
	dst := l.Values(nil, x, evaluator.Validation)
	for b.Loop() {
		dst = l.Values(dst, x, evaluator.Validation)
	}
}

// The landscapes for benchmarks are what their names say.
func TestRecipes(t *testing.T) {
	const n = 6
	values := func(r Recipe, x []float64) []float64 {
		l, err := r.Landscape(context.Background(), n)
		if err != nil {
			t.Fatal(err)
		}
		return l.Values(nil, x, evaluator.Validation)[:n]
	}
	base, average := make([]float64, n), make([]float64, n)
	for i := range average {
		average[i] = 1.0 / n
	}
	for i, v := range values(Ignorant, base) {
		if v != 0 {
			t.Errorf("the ignorant base scores %.3f on task %d, expected nothing", v, i)
		}
	}
	nothing := 0
	for i := range n {
		alone := make([]float64, n)
		alone[i] = 1
		for k, v := range values(Ignorant, alone) {
			if k == i && v < 0.5 {
				t.Errorf("expert %d scores %.3f on its own task, expected more than half", i, v)
			}
			if k != i && v < 0.05 {
				nothing++
			}
		}
	}
	if all := n * (n - 1); nothing < all/2 {
		t.Errorf("%d of %d scores of ignorant experts off their tasks are next to nothing, expected most", nothing, all)
	}
	mild := values(Mild, base)
	for i, v := range values(Mild, average) {
		if v < mild[i]-0.02 {
			t.Errorf("the uniform average of mild experts scores %.3f on task %d, the base %.3f: that is not benign", v, i, mild[i])
		}
	}
	if _, err := Recipe("wild").Landscape(context.Background(), n); evaluator.CodeOf(err) != evaluator.BadOptions {
		t.Errorf("a recipe that does not exist: %v", err)
	}
}
