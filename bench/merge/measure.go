package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"parfait/merge"
	"parfait/merge/kernel"
	"parfait/merge/method"
	"parfait/merge/safetensors"
)

// order is what a process of its own is asked to do.
type order struct {
	Base    string
	Models  []string
	Method  string
	Params  map[string]any
	Targets []string
	Durable bool
}

func (o order) spec() (merge.Spec, map[string]float64) {
	spec, at := merge.Spec{Base: o.Base, Method: o.Method, Params: o.Params, Seed: 1}, map[string]float64{}
	for i, path := range o.Models {
		name := "m" + strconv.Itoa(i)
		spec.Models = append(spec.Models, merge.Source{Name: name, Path: path})
		at[name] = 0.4 + 0.1*float64(i)
	}
	return spec, at
}

// runChild merges and prints the seconds that it took.
func runChild(text string) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	spec, at := o.spec()
	start := time.Now()
	plan, err := merge.NewPlan(context.Background(), spec)
	if err != nil {
		return err
	}
	defer plan.Close() //nolint:errcheck // read only
	if o.Durable {
		if _, err := plan.Export(context.Background(), at, o.Targets[0], merge.ExportOptions{}, nil); err != nil {
			return err
		}
	} else {
		var outs []merge.Output
		for _, target := range o.Targets {
			outs = append(outs, merge.Output{At: at, Target: target})
		}
		if _, err := plan.Write(context.Background(), outs, merge.WriteOptions{}, nil); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(result{time.Since(start).Seconds(), peakMiB()})
}

// result is what a process of its own says.
type result struct {
	Seconds float64
	RSS     float64 // MiB
}

// bench is one run of this program.
type bench struct {
	root    string
	repeat  int
	seconds map[string]float64 // best of each thing that was timed
	rss     map[string]float64 // most MiB
	outs    int
}

// out is a fresh folder.
func (b *bench) out() string {
	b.outs++
	return filepath.Join(b.root, "out"+strconv.Itoa(b.outs))
}

// note keeps the best time.
func (b *bench) note(name string, seconds float64) {
	if best, ok := b.seconds[name]; !ok || seconds < best {
		b.seconds[name] = seconds
	}
}

// merge runs an order in a process of its own.
func (b *bench) merge(name string, o order, outputs int) error {
	for range outputs {
		o.Targets = append(o.Targets, b.out())
	}
	defer b.remove(o.Targets)
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "--child", string(text))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, stderr.String())
	}
	var r result
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		return err
	}
	b.note(name, r.Seconds)
	b.rss[name] = max(b.rss[name], r.RSS)
	return nil
}

// shell times a command line; $OUT is a fresh folder.
func (b *bench) shell(name, script string) error {
	out := b.out()
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	defer b.remove([]string{out})
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = append(os.Environ(), "OUT="+out)
	start := time.Now()
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, said)
	}
	b.note(name, time.Since(start).Seconds())
	return nil
}

func (b *bench) remove(dirs []string) {
	for _, dir := range dirs {
		_ = os.RemoveAll(dir)
	}
}

func measure(mib int64, dir string, repeat int) (_ Report, err error) {
	root, err := os.MkdirTemp(dir, "parfait-bench-")
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(root)) }()
	b := &bench{root: root, repeat: repeat, seconds: map[string]float64{}, rss: map[string]float64{}}
	r := Report{MiB: mib, Repeat: repeat, Machine: machine(), Kernel: kernel.Implementation(), Seconds: b.seconds}
	r.KernelOne = kernelRatio()
	for _, step := range []func(mib int64) error{b.large, b.many, b.memory} {
		if err := step(mib); err != nil {
			return r, err
		}
	}
	if r.Preflight, err = b.preflight(); err != nil {
		return r, err
	}
	s := b.seconds
	r.CatCp, r.Export = s["task_arithmetic"]/s["cat and cp"], s["export"]/s["cp, sync and cmp"]
	r.Ties, r.Dare = s["ties"]/s["task_arithmetic"], s["dare_linear"]/s["task_arithmetic"]
	r.Della = s["della_linear"] / s["task_arithmetic"]
	r.Outputs16 = s["16 outputs"] / s["16 copies"]
	r.PeakRSS, r.TiesRSS, r.CrumbsRSS = b.rss["8 models"], b.rss["8 models, ties"], b.rss["8 models, breadcrumbs"]
	r.OneTensor = b.rss["one tensor, ties"]
	return r, nil
}

// large merges two models on a base, in turns with cat and cp of the same bytes.
func (b *bench) large(mib int64) error {
	dirs, err := b.models("large", mib, 3)
	if err != nil {
		return err
	}
	defer b.remove(dirs)
	file := func(i int) string { return filepath.Join(dirs[i], safetensors.SingleName) }
	durable := fmt.Sprintf(`cp '%s' "$OUT" && sync "$OUT"/* && cmp '%s' "$OUT"/*`, file(0), file(0))
	script := fmt.Sprintf(`cat '%s' '%s' '%s' >/dev/null && cp '%s' "$OUT"`, file(0), file(1), file(2), file(0))
	o := order{Base: dirs[0], Models: dirs[1:]}
	for range b.repeat {
		if err := errors.Join(b.shell("cat and cp", script), b.shell("cp, sync and cmp", durable)); err != nil {
			return err
		}
		for _, m := range []struct {
			name, method string
			params       map[string]any
			durable      bool
		}{
			{"task_arithmetic", "task_arithmetic", nil, false},
			{"ties", "ties", map[string]any{"density": 0.2}, false},
			{"dare_linear", "dare_linear", map[string]any{"density": 0.5}, false},
			{"della_linear", "della_linear", map[string]any{"density": 0.5}, false},
			{"export", "task_arithmetic", nil, true},
		} {
			o.Method, o.Params, o.Durable = m.method, m.params, m.durable
			if err := b.merge(m.name, o, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// many writes 16 outputs in one pass, in turns with 16 copies, of a checkpoint of an eighth of the
// size, so that what is written stays what a page cache holds.
func (b *bench) many(mib int64) error {
	dirs, err := b.models("many", max(mib/8, 1), 3)
	if err != nil {
		return err
	}
	defer b.remove(dirs)
	script := fmt.Sprintf(`for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do cp '%s' "$OUT/$i" || exit 1; done`, filepath.Join(dirs[0], safetensors.SingleName))
	for range b.repeat {
		if err := b.shell("16 copies", script); err != nil {
			return err
		}
		if err := b.merge("16 outputs", order{Base: dirs[0], Models: dirs[1:], Method: "task_arithmetic"}, 16); err != nil {
			return err
		}
	}
	return nil
}

// memory merges eight models, and one tensor of 2 GiB.
func (b *bench) memory(mib int64) error {
	dirs, err := b.models("eight", max(mib/8, 1), 9)
	if err != nil {
		return err
	}
	defer b.remove(dirs)
	o := order{Base: dirs[0], Models: dirs[1:], Method: "task_arithmetic"}
	if err := b.merge("8 models", o, 1); err != nil {
		return err
	}
	for _, method := range []string{"ties", "breadcrumbs"} {
		o.Method = method
		if err := b.merge("8 models, "+method, o, 1); err != nil {
			return err
		}
	}
	one := []safetensors.Tensor{{Name: "weight", DType: safetensors.BF16, Shape: []int64{1 << 15, 1 << 15}}}
	var sparse []string
	for i := range 3 {
		dir := filepath.Join(b.root, "one"+strconv.Itoa(i))
		if err := makeSparse(dir, one); err != nil {
			return err
		}
		sparse = append(sparse, dir)
	}
	defer b.remove(sparse)
	return b.merge("one tensor, ties", order{Base: sparse[0], Models: sparse[1:], Method: "ties"}, 1)
}

// models makes a base and models.
func (b *bench) models(name string, mib int64, n int) ([]string, error) {
	var dirs []string
	for i := range n {
		dir := filepath.Join(b.root, name+strconv.Itoa(i))
		if err := makeModel(dir, layers(mib), uint64(i)); err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

// preflight is the best time in milliseconds of a plan for three models of 14 GB in 300 tensors.
func (b *bench) preflight() (float64, error) {
	var tensors []safetensors.Tensor
	for i := range 300 {
		tensors = append(tensors, safetensors.Tensor{Name: fmt.Sprintf("model.layers.%d.mlp.up_proj.weight", i), DType: safetensors.BF16, Shape: []int64{5696, 4096}})
	}
	o := order{Method: "task_arithmetic"}
	for i := range 3 {
		dir := filepath.Join(b.root, "flat"+strconv.Itoa(i))
		if err := makeSparse(dir, tensors); err != nil {
			return 0, err
		}
		o.Models = append(o.Models, dir)
	}
	defer b.remove(o.Models)
	o.Base, o.Models = o.Models[0], o.Models[1:]
	spec, _ := o.spec()
	for range b.repeat {
		start := time.Now()
		plan, err := merge.NewPlan(context.Background(), spec)
		if err != nil {
			return 0, err
		}
		b.note("preflight", time.Since(start).Seconds())
		if err := plan.Close(); err != nil {
			return 0, err
		}
	}
	return b.seconds["preflight"] * 1000, nil
}

// kernelRatio is the time of the fused sum of two bf16 models over that of a copy of its input.
func kernelRatio() float64 {
	const n = method.ChunkElements
	var inputs [3][]byte
	for i := range inputs {
		inputs[i] = make([]byte, 2*n)
		fill(inputs[i], 1, uint64(i))
	}
	vector := func(b []byte) kernel.Vector { return kernel.Vector{Data: b, Format: kernel.BF16} }
	out := []kernel.Output{{Vector: vector(make([]byte, 2*n)), Weights: []float64{0.4, 0.5}}}
	models := []kernel.Vector{vector(inputs[1]), vector(inputs[2])}
	var copies [3][]byte
	for i := range copies {
		copies[i] = make([]byte, 2*n)
	}
	fused, copied := time.Hour, time.Hour
	for range 400 {
		start := time.Now()
		kernel.TaskArithmetic(out, vector(inputs[0]), models)
		middle := time.Now()
		for i := range inputs {
			copy(copies[i], inputs[i])
		}
		fused, copied = min(fused, middle.Sub(start)), min(copied, time.Since(middle))
	}
	return fused.Seconds() / copied.Seconds()
}
