//go:build linux || darwin

// Package lmeval measures candidates with the lm-evaluation-harness, whose command line it writes.
//
// In come what to measure and how, in lm-eval's own words, and the candidates; lm-eval is run for each as package
// command runs programs, with what that has: one process group, its log, recovery, a timeout, reports that are kept.
// Out come the metrics of the results that lm-eval writes.
//
// It knows nothing of studies; the options' names are those of study.yaml, and of lm-eval.
package lmeval

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/command"
	"parfait/evaluator/internal/placeholder"
)

// Options say what lm-eval measures, and how. Model is needed.
type Options struct {
	Model     string            // lm-eval's kind of model: hf, vllm, local-completions, …
	ModelArgs string            // beside the merged model, such as "dtype=bfloat16"
	Tasks     map[string]string // where a task's figure is: lm-eval's task, and perhaps "/" and the metric; else under its own name
	Run       []string          // what lm-eval is told to run, nil: the tasks that are asked for
	// Samples are the items that belong to a split, for each of lm-eval's tasks; nil: all belong to validation, which is
	// the only split then.
	Samples map[string]map[evaluator.Split][]int
	// Flags are those of lm-eval's command line that have options of their own, each with its value; "" for none.
	Flags   map[string]string
	Args    []string // more of the command line
	Program []string // nil: lm_eval

	Parallel int               // candidates at once, 0: a device each, or 1
	Timeout  time.Duration     // for one candidate, 0: none
	Tries    int               // of a candidate, see evaluator.Limits
	Grace    time.Duration     // between SIGTERM and SIGKILL, 0: 10 s
	Dir      string            // working directory, "": the runner's
	Env      map[string]string // set beside the runner's own environment, with placeholders
	Devices  []string          // CUDA_VISIBLE_DEVICES of the slots, in turn; empty: as it is
	Form     evaluator.Form    // of the model, "": a folder
	MaxRank  int               // of an adapter's modules, 0: whatever they have
}

// New checks the options and makes the evaluator. Everything wrong with them is reported at once.
func New(o Options) (evaluator.Evaluator, error) {
	if err := errors.Join(o.set().Check()...); err != nil {
		return nil, err
	}
	e, err := command.New(o.command())
	if err != nil {
		return nil, fmt.Errorf("the command line of lm-eval: %w", err)
	}
	return e, nil
}

// command is how lm-eval is run.
func (o Options) command() command.Options {
	args := o.Program
	if len(args) == 0 {
		args = []string{"lm_eval"}
	}
	args = append(slices.Clone(args), "--model", o.Model, "--model_args", o.modelArgs(), "--tasks", "{tasks}")
	for _, flag := range slices.Sorted(maps.Keys(o.Flags)) {
		args = append(args, "--"+flag)
		if v := o.Flags[flag]; v != "" {
			args = append(args, v)
		}
	}
	args = append(append(args, o.Args...), "--output_path", "{out}")
	h := &command.Harness{Tasks: o.Tasks, Run: o.Run, Items: o.items()}
	return command.Options{
		Command: args, Parallel: o.Parallel, Timeout: o.Timeout, Tries: o.Tries, Grace: o.Grace, Dir: o.Dir, Env: o.Env, Devices: o.Devices,
		Form: o.Form, MaxRank: o.MaxRank, Splits: o.splits(), Harness: h,
	}
}

// modelArgs are the model's arguments, with the merged model where nothing says where it belongs.
func (o Options) modelArgs() string {
	if placeholder.In(o.ModelArgs, "model") {
		return o.ModelArgs
	}
	own := "pretrained={model}"
	if strings.HasPrefix(o.Model, "local-") { // a server, which is asked for it by its path
		own = "model={model},tokenizer={model}"
	}
	if o.ModelArgs == "" {
		return own
	}
	return own + "," + o.ModelArgs
}

// splits are those of which the items are known.
func (o Options) splits() []evaluator.Split {
	splits := []evaluator.Split{evaluator.Validation}
	for _, of := range o.Samples {
		if of[evaluator.Test] == nil {
			return splits
		}
	}
	if len(o.Samples) > 0 {
		splits = append(splits, evaluator.Test)
	}
	return splits
}

// items are the samples, split by split.
func (o Options) items() map[evaluator.Split]map[string][]int {
	if len(o.Samples) == 0 {
		return nil
	}
	out := map[evaluator.Split]map[string][]int{}
	for _, split := range o.splits() {
		out[split] = map[string][]int{}
		for task, of := range o.Samples {
			out[split][task] = of[split]
		}
	}
	return out
}
