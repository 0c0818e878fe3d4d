package study

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"parfait/evaluator/digits"
)

// DemoOptions describe the embedded study.
type DemoOptions struct {
	Tasks  int // objectives, from 2
	Budget int
	Seed   uint64
}

// Demo makes the embedded study in dir: handwritten digits, a base network and one fine-tuned network a
// task, trained on the spot, and a study.yaml that asks how to merge them. A study that is there already
// is left as it is.
func Demo(ctx context.Context, dir string, o DemoOptions) error {
	_, err := os.Stat(filepath.Join(dir, SpecFile))
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if most := digits.MaxTasks(); o.Tasks < 2 || o.Tasks > most {
		return inputError("--tasks", "expected 2 to %d, found %d", most, o.Tasks)
	}
	if o.Budget < LeastTrials {
		return inputError("--budget", "expected at least %d, found %d", LeastTrials, o.Budget)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		for _, e := range entries {
			left := e.Name() == "models" || strings.HasPrefix(e.Name(), ".models.partial-") || strings.HasPrefix(e.Name(), "."+SpecFile)
			if !left { // by a demo that was killed while it trained or wrote
				return &Error{Code: CodeExists, Where: dir, What: "is not empty and is not a study", Fix: "name another folder with --dir"}
			}
		}
	}
	models, err := digits.Write(ctx, filepath.Join(dir, "models"), o.Tasks)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString(`# The embedded study: one small network that reads handwritten digits, fine-tuned once for each way of
# changing the picture. Which merge of these reads all of them best? docs/study.md explains every key.
version: 1
base: models/base
models:
`)
	for _, m := range models.Experts {
		rel, err := filepath.Rel(dir, m.Path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "  - {name: %s, path: %s, range: [0, 1.2]}\n", m.Name, rel)
	}
	b.WriteString("method: {name: task_arithmetic, lambda: 1}\ndtype: bf16\ntasks:\n")
	for _, t := range digits.Tasks(o.Tasks) {
		fmt.Fprintf(&b, "  - {name: %s, unit: rate, sense: maximize}\n", t)
	}
	fmt.Fprintf(&b, `  - {name: upright, unit: rate, sense: maximize, role: guard}   # measured and shown, never optimised
evaluators:
  main: {digits: {}}
search: {strategy: adaptive, budget: %d, batch: 4, seed: %d}
`, o.Budget, o.Seed)
	return replaceFile(filepath.Join(dir, SpecFile), b.Bytes())
}
