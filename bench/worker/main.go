// Command worker measures what a trial costs with a worker that merges in memory, against a process a trial that loads
// the merged folder. It makes Llama-shaped models and runs whole studies with the real program.
//
// usage: go run ./bench/worker --python PYTHON [--mb 200] [--trials 12] [--lm-eval] [--dir DIR] [--json]
//
// Both routes measure the same merges with the same code, and their figures are compared: they have to be the same to
// the bit. See README.md.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"parfait/evaluator/worker/python"
)

func main() {
	var b bench
	flag.StringVar(&b.python, "python", "python3", "a Python with numpy; with --lm-eval one with lm_eval[hf]")
	flag.Int64Var(&b.mb, "mb", 200, "size of each model in MB")
	flag.IntVar(&b.trials, "trials", 12, "trials of each study")
	flag.BoolVar(&b.lmEval, "lm-eval", false, "evaluate with lm-eval, instead of reading every weight once")
	flag.StringVar(&b.dir, "dir", "", "where models and studies are made (default: the temporary folder)")
	asJSON := flag.Bool("json", false, "print one JSON object")
	flag.Parse()
	report, err := b.run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/worker:", err)
		os.Exit(1)
	}
	if *asJSON {
		out, _ := json.MarshalIndent(report, "", "  ")
		fmt.Println(string(out))
		return
	}
	fmt.Printf("%d trials on models of %d MB, evaluated by %s\n\n%-10s %12s %14s %14s\n", b.trials, report.MB, report.By, "", "s a trial", "CPU s a trial", "s in all")
	for _, r := range report.Routes {
		fmt.Printf("%-10s %12.2f %14.2f %14.1f\n", r.Name, r.Trial, r.CPU, r.Wall)
	}
}

// report is what was measured.
type report struct {
	MB     int64   `json:"mb"`
	Trials int     `json:"trials"`
	By     string  `json:"by"`
	Routes []route `json:"routes"`
}

// route is one way to measure a study's trials.
type route struct {
	Name  string  `json:"name"`
	Trial float64 `json:"seconds_a_trial"` // median without the first, from the runner's start of it to its end
	CPU   float64 `json:"cpu_seconds_a_trial"`
	Wall  float64 `json:"wall_seconds"` // of the whole study

	figures [][]any // of each trial: coefficients and metrics
}

type bench struct {
	python, dir string
	mb          int64
	trials      int
	lmEval      bool
}

func (b *bench) run() (rep report, err error) {
	b.dir, err = os.MkdirTemp(b.dir, "parfait-worker-*")
	if err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	s := shapeOf(b.mb * 1e6)
	rep = report{MB: s.bytes() / 1e6, Trials: b.trials, By: "reading every weight once"}
	for i, name := range []string{"base", "math", "code"} {
		if err := s.write(filepath.Join(b.dir, "models", name), uint64(i)); err != nil {
			return rep, err
		}
	}
	if b.lmEval {
		rep.By = "lm-eval"
		cmd := exec.Command(b.python, "-c", prepareLM, b.dir)
		if said, err := cmd.CombinedOutput(); err != nil {
			return rep, fmt.Errorf("%w\n%s", err, said)
		}
	}
	if said, err := exec.Command("go", "build", "-o", filepath.Join(b.dir, "parfait"), "parfait").CombinedOutput(); err != nil {
		return rep, fmt.Errorf("%w\n%s", err, said)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "worker.py"), python.Source, 0o644); err != nil {
		return rep, err
	}
	for _, name := range []string{"process", "worker"} {
		r, err := b.route(name)
		if err != nil {
			return rep, fmt.Errorf("%s: %w", name, err)
		}
		rep.Routes = append(rep.Routes, r)
	}
	if a, b := rep.Routes[0].figures, rep.Routes[1].figures; !reflect.DeepEqual(a, b) {
		return rep, fmt.Errorf("the two routes do not measure the same: %v and %v", a, b)
	}
	return rep, nil
}

// route runs a study whose trials are measured in one way.
func (b *bench) route(name string) (r route, err error) {
	script, evaluator := plainScript, "{worker: ["+b.python+", ../evaluate.py], model: false}"
	if b.lmEval {
		script = lmScript
	}
	if name == "process" {
		evaluator = "{command: [" + b.python + ", ../evaluate.py, '{model}', '{out}', '{tasks}']}"
	}
	dir := filepath.Join(b.dir, name)
	spec := fmt.Sprintf("version: 1\nbase: ../models/base\nmodels:\n  - {name: math, path: ../models/math}\n  - {name: code, path: ../models/code}\n"+
		"method: task_arithmetic\ntasks: [{name: one}, {name: two}]\nevaluators: {main: %s}\nsearch: {strategy: design, budget: %d, batch: 4, seed: 1}\n", evaluator, b.trials)
	err = errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(b.dir, "evaluate.py"), []byte(script), 0o644), os.WriteFile(filepath.Join(dir, "study.yaml"), []byte(spec), 0o644))
	if err != nil {
		return r, err
	}
	begin := time.Now()
	run := exec.Command(filepath.Join(b.dir, "parfait"), "run", dir, "--headless")
	said, err := run.CombinedOutput()
	if err != nil {
		return r, fmt.Errorf("%w\n%s", err, said)
	}
	r = route{Name: name, Wall: time.Since(begin).Seconds()}
	r.CPU = (run.ProcessState.UserTime() + run.ProcessState.SystemTime()).Seconds() / float64(b.trials)
	return r, b.read(dir, &r)
}

// read reads what the study's trials took and what they measured.
func (b *bench) read(dir string, r *route) error {
	out, err := exec.Command(filepath.Join(b.dir, "parfait"), "trials", dir, "--json").Output()
	if err != nil {
		return err
	}
	var list struct {
		Trials []struct {
			State        string             `json:"state"`
			Coefficients map[string]float64 `json:"coefficients"`
			Metrics      map[string]any     `json:"metrics"`
			Started      time.Time          `json:"started"`
			Ended        time.Time          `json:"ended"`
		} `json:"trials"`
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return err
	}
	var took []float64
	for i, t := range list.Trials {
		if t.State != "done" {
			return fmt.Errorf("trial %d is %s", i+1, t.State)
		}
		took = append(took, t.Ended.Sub(t.Started).Seconds())
		r.figures = append(r.figures, []any{t.Coefficients, t.Metrics})
	}
	if len(took) < 2 {
		return errors.New("too few trials")
	}
	slices.Sort(took[1:])
	r.Trial = took[1:][len(took[1:])/2]
	return nil
}
