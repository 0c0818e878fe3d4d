//go:build linux || darwin

package vllm_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/worker"
	"parfait/evaluator/worker/vllm"
	"parfait/merge/safetensors"
)

// interpreter is a Python; the worker needs nothing beside it.
func interpreter(t testing.TB) string {
	t.Helper()
	path := os.Getenv("PARFAIT_PYTHON")
	if path == "" {
		path = "python3"
	}
	if out, err := exec.Command(path, "--version").CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("PARFAIT_PYTHON names no Python: %v\n%s", err, out)
		}
		t.Skip("PARFAIT_PYTHON names no Python")
	}
	return path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

// weights writes a safetensors file: those of the seed 1, and so much of another seed's.
func weights(t testing.TB, path string, seed uint64, much float64, list []safetensors.Tensor) {
	t.Helper()
	layout, err := safetensors.NewLayout(list, safetensors.FormatPT())
	must(t, err)
	base, other := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(seed, 2))
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	f, err := os.Create(path)
	must(t, err)
	must(t, layout.Write(f, func(s safetensors.Tensor) ([]byte, error) {
		out := make([]float32, s.Elements())
		for i := range out {
			out[i] = float32(base.NormFloat64() + much*other.NormFloat64())
		}
		return safetensors.AppendF32(nil, out), nil
	}))
	must(t, f.Close())
}

func folder(t testing.TB, dir string, seed uint64, much float64) string {
	t.Helper()
	list := []safetensors.Tensor{
		{Name: "model.embed_tokens.weight", DType: safetensors.F32, Shape: []int64{8, 4}},
		{Name: "model.layers.0.mlp.up_proj.weight", DType: safetensors.F32, Shape: []int64{6, 4}},
		{Name: "model.norm.weight", DType: safetensors.F32, Shape: []int64{4}},
	}
	weights(t, filepath.Join(dir, "model.safetensors"), seed, much, list)
	put(t, filepath.Join(dir, "config.json"), `{"architectures": ["LlamaForCausalLM"], "vocab_size": 512}`)
	return dir
}

func adapter(t testing.TB, dir string, seed uint64, much float64, rank int64) string {
	t.Helper()
	list := []safetensors.Tensor{
		{Name: "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight", DType: safetensors.F32, Shape: []int64{rank, 4}},
		{Name: "base_model.model.model.layers.0.mlp.up_proj.lora_B.weight", DType: safetensors.F32, Shape: []int64{6, rank}},
	}
	weights(t, filepath.Join(dir, "adapter_model.safetensors"), seed, much, list)
	put(t, filepath.Join(dir, "adapter_config.json"), fmt.Sprintf(`{"peft_type": "LORA", "r": %d, "lora_alpha": 4}`, rank))
	return dir
}

// evaluate is what a user writes: how often the server answers yes.
const evaluate = `
import json, urllib.request, worker

def evaluate(url, model_name, tasks, split, items=None):
    out = {}
    for task in tasks:
        yes = 0
        for i in range(16):
            body = {"model": model_name, "prompt": "%s, question %d" % (task, i), "max_tokens": 4}
            ask = urllib.request.Request(url + "/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
            yes += "yes" in json.load(urllib.request.urlopen(ask))["choices"][0]["text"]
        out[task] = {"value": yes / 16, "n": 16}
    print("measured as", model_name)
    return out

worker.serve(evaluate)
`

// bench is a worker before a server that misbehaves as it is told to.
type bench struct {
	testing.TB
	dir  string
	ev   *worker.Evaluator
	asks int
}

// serving starts a worker; its server lives as long as the test.
func serving(t testing.TB, change func(*worker.Options)) *bench {
	t.Helper()
	py, dir := interpreter(t), t.TempDir()
	here, err := filepath.Abs("testdata/vllm.py")
	must(t, err)
	home, err := os.MkdirTemp("", "pv") // a socket's path is short
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(home)) })
	put(t, filepath.Join(dir, "worker.py"), string(vllm.Source))
	put(t, filepath.Join(dir, "evaluate.py"), evaluate)
	put(t, filepath.Join(dir, "faults"), "")
	folder(t, filepath.Join(dir, "base"), 1, 0)
	o := worker.Options{
		Command: []string{py, "evaluate.py", "base", "--linger", "0.1", "--vllm", py + " " + here + " serve"}, Dir: dir, Grace: 20 * time.Second,
		Env:    map[string]string{"FAKE_VLLM": filepath.Join(dir, "faults"), "PARFAIT_VLLM_DIR": home, "PYTHONDONTWRITEBYTECODE": "1"},
		Splits: []evaluator.Split{evaluator.Validation, evaluator.Test},
	}
	if change != nil {
		change(&o)
	}
	ev, err := worker.New(o)
	must(t, err)
	b := &bench{TB: t, dir: dir, ev: ev}
	t.Cleanup(func() {
		_ = ev.Close() // what it says at the end is a test's own
		deadline := time.Now().Add(30 * time.Second)
		for left := 1; left > 0; {
			socks, err := filepath.Glob(filepath.Join(home, "*.sock"))
			must(t, err)
			if left = len(socks); time.Now().After(deadline) {
				t.Fatalf("servers outlive their workers: %v", socks)
			}
		}
	})
	return b
}

// faults says how the server misbehaves from now on.
func (b *bench) faults(words string) {
	b.Helper()
	put(b, filepath.Join(b.dir, "faults"), words)
}

// asked is what the server was asked so far, a path each.
func (b *bench) asked() []string {
	b.Helper()
	data, err := os.ReadFile(filepath.Join(b.dir, "faults.log"))
	must(b, err)
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

func (b *bench) count(begins string) (n int) {
	b.Helper()
	for _, line := range b.asked() {
		if strings.HasPrefix(line, begins) {
			n++
		}
	}
	return n
}

func (b *bench) candidate(model string) evaluator.Candidate {
	b.asks++
	return evaluator.Candidate{
		Key: fmt.Sprintf("study/%d", b.asks), ID: fmt.Sprintf("x-%d", b.asks), Attempt: 1, Tasks: []string{"a", "b"}, Split: evaluator.Validation,
		At: []evaluator.Coefficient{{Name: "math", Value: 1}}, Log: filepath.Join(b.dir, fmt.Sprintf("%d.log", b.asks)),
		Model: func(context.Context, evaluator.Form) (evaluator.Lease, error) {
			return evaluator.Lease{Path: model}, nil
		},
	}
}

// measure has candidates measured together, and returns how each ended, in their order.
func (b *bench) measure(list ...evaluator.Candidate) []evaluator.Event {
	b.Helper()
	out := make([]evaluator.Event, len(list))
	must(b, b.ev.Submit(b.Context(), list, func(e evaluator.Event) error {
		out[slices.IndexFunc(list, func(c evaluator.Candidate) bool { return c.Key == e.Key })] = e
		return nil
	}))
	return out
}

func (b *bench) one(model string) evaluator.Event {
	b.Helper()
	return b.measure(b.candidate(model))[0]
}

func (b *bench) log() string {
	data, err := os.ReadFile(filepath.Join(b.dir, fmt.Sprintf("%d.log", b.asks)))
	must(b, err)
	return string(data)
}

// good has a folder measured, and fails where that fails.
func (b *bench) good(model string) evaluator.Metrics {
	b.Helper()
	e := b.one(model)
	if e.Err != nil || e.State != evaluator.Done {
		b.Fatalf("%s: %s, %v\n%s", model, e.State, e.Err, b.log())
	}
	return e.Metrics
}

// fails has a folder measured, which has to fail in these words.
func (b *bench) fails(model, want string) {
	b.Helper()
	if e := b.one(model); e.State != evaluator.Failed || !strings.Contains(e.Err.Error(), want) {
		b.Errorf("%s is %s with %v: %v; want it failed with %q\n%s", filepath.Base(model), e.State, e.Metrics, e.Err, want, b.log())
	}
}

// One server measures all, each with its own weights: the figures are those of servers that know one model only.
func TestFolders(t *testing.T) {
	b := serving(t, nil)
	first, second := folder(t, filepath.Join(b.dir, "c1"), 2, 0.5), folder(t, filepath.Join(b.dir, "c2"), 3, 0.5)
	one, two := b.good(first), b.good(second)
	if one["a"] == two["a"] && one["b"] == two["b"] {
		t.Errorf("two models have the same figures: %v", one)
	}
	if log := b.log(); !strings.Contains(log, "measured as parfait") || !strings.Contains(log, "study/2: loaded in") {
		t.Errorf("its log says\n%s", log)
	}
	if again := b.good(first); again["a"] != one["a"] || again["b"] != one["b"] {
		t.Errorf("measured once more %v, want %v", again, one)
	}
	alone := serving(t, nil)
	if found := alone.good(second); found["a"] != two["a"] || found["b"] != two["b"] {
		t.Errorf("a server that has loaded nothing else has %v, want %v", found, two)
	}
	if n := b.count("started"); n != 1 {
		t.Errorf("%d servers were started, want 1", n)
	}
	if n := b.count("/collective_rpc"); n != 4 {
		t.Errorf("%d reloads of the base and three candidates, want 4", n)
	}
}

// Each way in which a server is known to answer with other weights fails the candidate with the reason, and starts it anew.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		faults string
		before int // candidates that are measured well before
		want   string
	}{
		{"nothing", 0, "with the weights of the base"},
		{"nothing", 2, "with the weights of study/2"},
		{"stale", 2, "with the weights of study/2"},
		{"cache", 0, "prefix cache still holds"},
		{"cache", 1, "prefix cache still holds"},
		{"unseen", 1, "prefix cache still holds"},
		{"noisy", 0, "too much to tell candidates apart"},
		{"mamba", 0, "the base, loaded again, answers otherwise than at the start"},
		{"nan", 1, "that are no numbers"},
		{"refuse", 1, "shard_dim=0 is not a valid data dimension"},
		{"drift", 1, "answers otherwise after the evaluation"},
	} {
		t.Run(fmt.Sprint(c.faults, " after ", c.before), func(t *testing.T) {
			t.Parallel()
			b := serving(t, nil)
			for i := range c.before {
				b.good(folder(t, filepath.Join(b.dir, fmt.Sprint("before", i)), uint64(20+i), 2))
			}
			b.faults(c.faults + " @1") // the server that is started after it is well
			b.fails(folder(t, filepath.Join(b.dir, "c"), 3, 2), c.want)
			if c.faults == "refuse" { // which is no reason for another server
				b.faults("")
			}
			started := b.count("started")
			b.good(folder(t, filepath.Join(b.dir, "next"), 4, 2))
			if c.faults != "refuse" && b.count("started") != 2 {
				t.Errorf("%d servers were started (%d before the next), want another after the fault", b.count("started"), started)
			}
		})
	}
}
