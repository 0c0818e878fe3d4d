// Package digits is the evaluator that comes with the program: handwritten digits, and networks that were
// really fine-tuned on them, small enough that training takes a second and a measurement milliseconds.
//
// Out of the embedded data come a base model and one expert a task (Write), each a Hugging Face-like
// folder with a bf16 safetensors file; in go merged models in the same form, out come accuracies on the
// validation or test images (New). Landscape does the same in memory, for thousands of evaluations.
// Every byte is the same on every machine and for any number of workers.
//
// It knows nothing of studies or of how models are merged; Landscape holds its own five lines of task
// arithmetic so that it can be compared with the merge engine.
//
// The data are the test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and
// C. Kaynak (1998), UCI Machine Learning Repository, data set 80, licensed CC BY 4.0; see README.md here.
package digits

import (
	"context"
	"runtime"
	"slices"

	"parfait/evaluator"
	"parfait/problem"
)

// Guard is the task that every model knew before fine-tuning: the digits as they were written. It is
// measured beside the others, to see what a merge forgets.
const Guard = "upright"

// MaxTasks is the number of experts that there are.
func MaxTasks() int { return len(transforms) }

// Tasks returns the names of the first n tasks, each with an expert of its own, in the order in which
// studies take them: rotated, mirrored, upside_down, inverted, … The guard is not among them. n is
// brought into 1 … MaxTasks.
func Tasks(n int) []string {
	n = min(max(n, 1), MaxTasks())
	names := make([]string, n)
	for i := range names {
		names[i] = transforms[i].name
	}
	return names
}

// Options of the evaluator.
type Options struct {
	Workers int // candidates at once, 0: as many as GOMAXPROCS
}

// New returns an evaluator that reads a candidate's merged model from its folder (bf16 or f32) and
// measures its accuracy on each of the candidate's tasks: any of Guard and Tasks(MaxTasks()), or, with
// _pass and a number behind the name (rotated_pass32), how many are right at least once in so many
// attempts. It offers both splits, 450 images each.
func New(o Options) evaluator.Evaluator {
	if o.Workers < 1 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return evaluator.Blocking(evaluator.Limits{
		InFlight:   o.Workers,
		Batch:      max(o.Workers, 16),
		NeedsModel: true,
		Splits:     []evaluator.Split{evaluator.Validation, evaluator.Test},
	}, measure)
}

func measure(ctx context.Context, c evaluator.Candidate, progress func(evaluator.Progress)) (evaluator.Metrics, error) {
	if err := checkTasks(c.Tasks); err != nil {
		return nil, err
	}
	lease, err := c.Model(ctx, evaluator.Folder)
	if err != nil {
		return nil, err
	}
	defer lease.Release()
	net, err := readModel(lease.Path)
	if err != nil {
		return nil, err
	}
	m := evaluator.Metrics{}
	for i, task := range c.Tasks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		seen, attempts := parseTask(task)
		if set := views.of(seen, c.Split); attempts > 0 {
			m[task] = net.passing(set, attempts)
		} else {
			m[task] = Rate(net.correct(set), len(set.images))
		}
		progress(evaluator.Progress{Done: i + 1, Total: len(c.Tasks), Note: task})
	}
	return m, nil
}

func checkTasks(tasks []string) error {
	known := append([]string{Guard}, Tasks(MaxTasks())...)
	for _, task := range tasks {
		if seen, _ := parseTask(task); !slices.Contains(known, seen) {
			return &evaluator.Error{
				Problem: problem.Unknown(evaluator.UnknownTask, "the digits evaluator", "task", task, known), Task: task,
			}
		}
	}
	return nil
}
