package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"parfait/evaluator/command"
	"parfait/merge"
	"parfait/problem"
	"parfait/study"
	"parfait/yamldoc"
)

// draft writes the study.yaml that the flags ask for. Everything that the flags lack is said at once;
// what is wrong with their values study.yaml's own reader says.
func (f initFlags) draft(dir string) ([]byte, error) {
	d := &drafter{flags: f, dir: dir}
	d.line("# What is asked, and how it is measured. docs/study.md explains every key.")
	d.line("version: 1")
	d.models()
	d.method()
	d.tasks()
	d.evaluator()
	d.search()
	if len(d.wrong) > 0 {
		return nil, usage("`parfait init --help` has an example", "%s", strings.Join(d.wrong, "\n"))
	}
	return []byte(d.text.String()), nil
}

// drafter gathers text, and what is wrong with the flags.
type drafter struct {
	flags initFlags
	dir   string
	text  strings.Builder
	wrong []string
}

func (d *drafter) line(format string, args ...any) { fmt.Fprintf(&d.text, format+"\n", args...) }

func (d *drafter) fail(format string, args ...any) {
	d.wrong = append(d.wrong, fmt.Sprintf(format, args...))
}

func (d *drafter) models() {
	if d.flags.base == "" {
		d.fail("--base: which model were the others fine-tuned from?")
	}
	given := ""
	if d.flags.ranges != "" {
		lo, hi, ok := interval(d.flags.ranges, ",")
		if !ok {
			d.fail("--range: expected LOW,HIGH such as 0,1.2, found %q", d.flags.ranges)
		}
		given = fmt.Sprintf(", range: [%s, %s]", lo, hi)
	}
	d.line("base: %s", yamlText(fromStudy(d.dir, d.flags.base)))
	if given == "" {
		d.line("models:                     # their coefficients are proportions: none is below 0, and they sum to 1")
	} else {
		d.line("models:                     # the range is where each one's coefficient is searched; 0 leaves it out, 1 adds it whole")
	}
	if len(d.flags.models)+len(d.flags.globs) == 0 {
		d.fail("--model: expected at least one NAME=PATH, or --models 'checkpoints/step-*'")
	}
	for _, m := range d.flags.models {
		name, path, ok := strings.Cut(m, "=")
		if !ok || name == "" || path == "" {
			d.fail("--model: expected NAME=PATH, found %q", m)
			continue
		}
		d.line("  - {name: %s, path: %s%s}", yamlText(name), yamlText(fromStudy(d.dir, path)), given)
	}
	for _, glob := range d.flags.globs {
		found, err := merge.Find("", glob, "", d.flags.base)
		if err != nil {
			d.fail("--models: %s", problem.Text(err))
		}
		for _, m := range found {
			d.line("  - {name: %s, path: %s%s}", yamlText(m.Name), yamlText(fromStudy(d.dir, m.Path)), given)
		}
	}
}

func (d *drafter) method() {
	parts := []string{"name: " + yamlText(d.flags.method)}
	for _, p := range d.flags.params {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" || value == "" {
			d.fail("--param: expected NAME=VALUE or NAME=LOW:HIGH, found %q", p)
			continue
		}
		if lo, hi, ok := interval(value, ":"); ok {
			value = "{range: [" + lo + ", " + hi + "]}"
		} else if !numeric(value) && value != "true" && value != "false" {
			value = yamlText(value)
		}
		parts = append(parts, yamlText(name)+": "+value)
	}
	d.line("method: {%s}", strings.Join(parts, ", "))
	if len(d.flags.skip) > 0 {
		globs := make([]string, len(d.flags.skip))
		for i, g := range d.flags.skip {
			globs[i] = yamlText(g)
		}
		d.line("skip: [%s]   # taken from the base", strings.Join(globs, ", "))
	}
	switch {
	case d.flags.crop:
		d.line("vocab: crop   # rows of the vocabulary that not every model has are left out")
	case d.flags.pad:
		d.line("vocab: pad   # rows of the vocabulary that only some models have are kept")
	}
	if d.flags.files != "" {
		d.line("files: %s   # whose configuration, tokenizer and chat template merges have", yamlText(d.flags.files))
	}
	d.line("dtype: %s", yamlText(d.flags.dtype))
}

var (
	senses = []string{string(study.Maximize), string(study.Minimize)}
	roles  = []string{string(study.Objective), string(study.Guard), string(study.Info)}
)

func (d *drafter) tasks() {
	d.line("tasks:                      # objectives make the front; a guard is measured and shown, and may have a floor (at_least: 0.9)")
	if len(d.flags.tasks) == 0 {
		d.flags.tasks = d.flags.lmTasks()
	}
	if len(d.flags.tasks) == 0 {
		d.fail("--task: expected at least one NAME[:UNIT][:SENSE][:ROLE], such as gsm8k:rate")
	}
	for _, t := range d.flags.tasks {
		words := strings.Split(t, ":")
		parts := []string{"name: " + yamlText(words[0])}
		seen := map[string]bool{}
		for _, w := range words[1:] {
			key := "unit"
			switch {
			case slices.Contains(senses, w):
				key = "sense"
			case slices.Contains(roles, w):
				key = "role"
			default:
				if meant := problem.Meant(w, slices.Concat(senses, roles, study.Units)); meant != "" {
					d.fail("--task %s: unknown word %q; %s", t, w, meant)
				}
			}
			switch {
			case seen[key] && key == "unit":
				d.fail("--task %s: unknown word %q after the unit; expected %s", t, w, strings.Join(slices.Concat(senses, roles), ", "))
			case seen[key] || w == "":
				d.fail("--task %s: expected NAME[:UNIT][:SENSE][:ROLE], each at most once", t)
			}
			seen[key] = true
			parts = append(parts, key+": "+yamlText(w))
		}
		d.line("  - {%s}", strings.Join(parts, ", "))
	}
}

// lmTask is one task of lm-eval's: what it is called here, and where its figure is.
type lmTask struct{ name, where string }

// lmEvalTasks are those of --lm-eval: TASK,TASK, or [NAME=]TASK/METRIC, in which a comma belongs to the metric.
func (f initFlags) lmEvalTasks() (out []lmTask) {
	for _, value := range f.lmEval {
		parts := strings.Split(value, ",")
		if strings.Contains(value, "/") {
			parts = []string{value}
		}
		for _, p := range parts {
			name, where, named := strings.Cut(strings.TrimSpace(p), "=")
			if !named {
				where = name
				name, _, _ = strings.Cut(where, "/")
			}
			if where != "" {
				out = append(out, lmTask{name, where})
			}
		}
	}
	return out
}

// lmTasks are the tasks of --lm-eval as --task has them; what is called a perplexity is a loss.
func (f initFlags) lmTasks() (out []string) {
	for _, t := range f.lmEvalTasks() {
		unit := ":rate"
		if strings.Contains(t.where, "perplexity") || strings.Contains(t.where, "bits_per_byte") {
			unit = ":loss"
		}
		out = append(out, t.name+unit)
	}
	return out
}

// lmEval is the evaluator of --lm-eval.
func (d *drafter) lmEval() {
	var names []string
	for _, t := range d.flags.lmEvalTasks() {
		if t.name != t.where {
			names = append(names, yamlText(t.name)+": "+yamlText(t.where))
		}
	}
	d.line("evaluators:                 # lm-eval, with lm-eval's own words; docs/evaluators.md has them all")
	d.line("  main:")
	d.line("    lm_eval:")
	d.line("      model: hf")
	d.line("      model_args: {dtype: bfloat16}")
	if len(names) > 0 {
		d.line("      tasks: {%s}", strings.Join(names, ", "))
	}
	d.line("      batch_size: auto")
	d.line("      # apply_chat_template: true")
	d.line("      # limit: 200          # items of each task; or samples, which has test items, too")
	d.slots()
}

func (d *drafter) evaluator() {
	if len(d.flags.lmEval) > 0 {
		d.lmEval()
		return
	}
	if d.flags.command == "" {
		d.fail("--command: what measures a merge? Such as 'python evaluate.py --model {model}', or --lm-eval TASKS")
		return
	}
	o, errs := command.ParseOptions(map[string]any{"command": d.flags.command})
	for _, err := range errs {
		d.fail("--command: %s", err)
	}
	words := make([]string, len(o.Command))
	for i, w := range o.Command {
		if isPath(w, i == 0) {
			w = fromStudy(d.dir, w)
		}
		words[i] = yamlText(w)
	}
	d.line("evaluators:                 # it runs in this folder; its last line on stdout is one JSON object with a number a task")
	d.line("  main:")
	d.line("    command: [%s]", strings.Join(words, ", "))
	d.slots()
}

// isPath says whether a word of a command is meant as a path: where it is written as one, or where it is a file here and the
// program itself or a name with an ending (evaluate.py). Any other word is the program's own, even where a folder has its name.
func isPath(word string, program bool) bool {
	if strings.ContainsRune(word, '/') {
		return true
	}
	info, err := os.Stat(word)
	return err == nil && info.Mode().IsRegular() && (program || filepath.Ext(word) != "")
}

// slots are how many are measured at once, and how long each may take.
func (d *drafter) slots() {
	d.line("    parallel: %d", d.flags.parallel)
	if d.flags.timeout != "" {
		d.line("    timeout: %s", yamlText(d.flags.timeout))
	}
}

func (d *drafter) search() {
	d.line("# candidates: {path: /scratch/me, max: 200GB}   # where merged models go while they are measured")
	order := "batch: 4"
	if d.flags.parallel > 1 {
		d.line("# order: free asks the search for more whenever one of the %d slots is free. With order: fixed a batch follows from the", d.flags.parallel)
		d.line("# batches before it: slots wait for its slowest trial, and the number of slots changes the time and nothing else.")
		order = "order: free, batch: 4"
	}
	d.line("search: {strategy: %s, budget: %d, %s, seed: %d}", yamlText(d.flags.strategy), d.flags.budget, order, d.flags.seed)
}

// interval reads LOW and HIGH, kept as they are written.
func interval(text, sep string) (lo, hi string, ok bool) {
	lo, hi, ok = strings.Cut(text, sep)
	lo, hi = strings.TrimSpace(lo), strings.TrimSpace(hi)
	for _, v := range []string{lo, hi} {
		ok = ok && numeric(v)
	}
	return lo, hi, ok
}

var plainYAML = regexp.MustCompile(`^(\.{0,2}/|--?[A-Za-z]|[A-Za-z_])[\w./+@-]*$`)

// yamlText writes a word so that YAML reads it back as text.
func yamlText(s string) string {
	word := slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(s))
	if plainYAML.MatchString(s) && !word {
		return s
	}
	return yamldoc.Quote(s)
}
