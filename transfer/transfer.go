// Package transfer is how trials leave a study and come into one: as CSV, as JSON, and as storages of Optuna.
//
// In come a study's snapshot, and text that others have written; out go text, trials that study.Import takes, and
// everything that is wrong with them at once, each with its line and column. One table of columns says what stands in
// all of the forms. It knows no flags, and records nothing.
package transfer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/problem"
	"parfait/study"
)

// BadFile is the code of what is wrong in a file of trials.
const BadFile problem.Code = "trials-file"

// column is one figure or word of a trial, in any form.
type column struct {
	name string
	also []string // other names that are read
	show func(study.Trial) string
	// take puts a cell into a row, or says what it expected; nil: it says nothing that could be brought in.
	take func(r *row, text cell) (expected string)
}

// row is a trial as a line has it.
type row struct {
	study.Measured
	id      string
	given   []bool // for which coefficients something stands there
	split   evaluator.Split
	figures map[string]*figure
	whole   []study.Measurement // as they were recorded: where there are any, figures are what they come to
}

// figure is a task's, as far as it stands there.
type figure struct {
	evaluator.Metric
	valued bool   // there is a value
	bad    bool   // of which it was said that it cannot be
	cells  []cell // of its parts
}

// columns are those of a study. A coefficient is c.NAME, and NAME where no other column is called so; a task is its
// name, with _stderr and _n, and m.NAME where another column has one of these.
func columns(s *study.Snapshot) []column {
	out := []column{
		{"id", []string{"number"}, func(t study.Trial) string { return strconv.Itoa(t.ID) }, func(r *row, c cell) string {
			r.id = c.text
			return ""
		}},
		{"state", nil, func(t study.Trial) string { return string(t.State) }, takeState},
		{"origin", nil, func(t study.Trial) string { return t.Origin }, nil},
		{"batch", nil, func(t study.Trial) string { return strconv.Itoa(t.Batch) }, nil},
		{"attempt", nil, func(t study.Trial) string { return strconv.Itoa(t.Attempt) }, func(r *row, c cell) (expected string) {
			r.Attempt, expected = c.whole()
			return expected
		}},
		{"started", []string{"datetime_start"}, func(t study.Trial) string { return moment(t.Started) }, func(r *row, c cell) (expected string) {
			r.Started, expected = c.moment()
			return expected
		}},
		{"ended", []string{"datetime_complete"}, func(t study.Trial) string { return moment(t.Ended) }, func(r *row, c cell) (expected string) {
			r.Ended, expected = c.moment()
			return expected
		}},
		{"split", nil, nil, func(r *row, c cell) string {
			r.split = evaluator.Split(strings.ToLower(c.text))
			if r.split != evaluator.Validation && r.split != evaluator.Test {
				return "validation or test"
			}
			return ""
		}},
		{"why", nil, func(t study.Trial) string { return t.Why }, func(r *row, c cell) string { r.Why = c.text; return "" }},
		{"error", nil, func(t study.Trial) string { return t.Error }, func(r *row, c cell) string { r.Error = c.text; return "" }},
		{"duration", nil, nil, nil}, // Optuna's
		{"log", nil, nil, nil},      // a file of the study that it comes from
		// What runs there, and how long it takes.
		{"progress", nil, nil, nil},
		{"elapsed_s", nil, nil, nil},
		{"remaining_s", nil, nil, nil},
		{"last_line", nil, nil, nil},
	}
	fixed := len(out)
	for _, t := range s.Tasks {
		out = append(out, taskColumns(t, prefix(t.Name, out[:fixed], s.Tasks))...)
	}
	named := func(name string) bool {
		return slices.ContainsFunc(out, func(c column) bool { return c.name == name || slices.Contains(c.also, name) })
	}
	var coefficients []column
	for _, k := range s.Space.Numbers() {
		c := column{
			name: "c." + k.Name, also: []string{"params_" + k.Name, "params_c." + k.Name},
			show: func(t study.Trial) string { return float(k.At(t.X)) },
			take: func(r *row, c cell) (expected string) {
				v, expected := c.number(true)
				switch {
				case expected != "":
				case k.Of < 0 && v != k.Value:
					return fmt.Sprintf("%v, at which study.yaml fixes %s", k.Value, k.Name)
				case k.Of >= 0 && r.given[k.Of] && v != r.X[k.Of]:
					return fmt.Sprintf("%v, as all that is tied to %s has", r.X[k.Of], s.Space.Coefficients[k.Of].Name)
				}
				if k.Of >= 0 {
					r.X[k.Of], r.given[k.Of] = v, true
				}
				return expected
			},
		}
		if !named(k.Name) {
			c.also = append(c.also, k.Name)
		}
		coefficients = append(coefficients, c)
	}
	return slices.Insert(out, fixed, coefficients...)
}

// prefix is what stands before a task's name where its columns would be called like others.
func prefix(name string, fixed []column, tasks []study.Task) string {
	for _, own := range []string{name, name + "_stderr", name + "_n"} {
		taken := slices.ContainsFunc(fixed, func(c column) bool { return c.name == own || slices.Contains(c.also, own) })
		if taken || own != name && slices.ContainsFunc(tasks, func(t study.Task) bool { return t.Name == own }) {
			return "m."
		}
	}
	return ""
}

// taskColumns are a task's value, standard error and number of items. The standard error is the one that is known.
func taskColumns(t study.Task, prefix string) []column {
	share := t.Rate()
	part := func(suffix string, show func(study.Metric) string, take func(*figure, cell) string) column {
		own := t.Name + suffix
		return column{
			name: prefix + own, also: []string{"m." + own, "values_" + own, "user_attrs_" + own},
			show: func(trial study.Trial) string {
				if m, ok := trial.Metrics[t.Name]; ok {
					return show(t.WithStderr(m))
				}
				return ""
			},
			take: func(r *row, c cell) string {
				f := r.figures[t.Name]
				if f == nil {
					f = &figure{}
					r.figures[t.Name] = f
				}
				f.cells = append(f.cells, c)
				return take(f, c)
			},
		}
	}
	return []column{
		part("", func(m study.Metric) string { return float(m.Value) }, func(f *figure, c cell) (expected string) {
			if f.Value, expected = c.number(share); expected == "" && share && !(f.Value >= 0 && f.Value <= 1) {
				expected = "a share from 0 to 1, such as 0.62 or 62%"
			}
			f.valued, f.bad = true, expected != ""
			return expected
		}),
		part("_stderr", func(m study.Metric) string { return known(m.Stderr != 0, float(m.Stderr)) }, func(f *figure, c cell) (expected string) {
			if f.Stderr, expected = c.number(share); expected == "" && f.Stderr < 0 {
				return "0 or more"
			}
			return expected
		}),
		part("_n", func(m study.Metric) string { return known(m.N > 0, strconv.Itoa(m.N)) }, func(f *figure, c cell) (expected string) {
			f.N, expected = c.whole()
			return expected
		}),
	}
}

func known(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

// float is written so that reading gives the same number again.
func float(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// takeState reads a state, ours or Optuna's. Of what waits or runs elsewhere only what is measured counts.
func takeState(r *row, c cell) string {
	states := map[string]study.State{
		"done": evaluator.Done, "failed": evaluator.Failed, "cancelled": evaluator.Cancelled, "waiting": evaluator.Waiting, "running": evaluator.Running,
		"complete": evaluator.Done, "fail": evaluator.Failed, "pruned": evaluator.Cancelled,
	}
	s, ok := states[strings.ToLower(c.text)]
	if r.State = s; !ok {
		return "done, failed, cancelled, waiting or running"
	}
	return ""
}

// writable are the names of the columns that are read.
func writable(cols []column) []string {
	var out []string
	for _, c := range cols {
		if c.take != nil {
			out = append(out, c.name)
		}
	}
	return out
}

// ParseMapping reads what columns of a file are: THEIRS=OURS,…; nothing behind = leaves a column out.
func ParseMapping(text string) (map[string]string, error) {
	out := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		theirs, ours, ok := strings.Cut(part, "=")
		theirs, ours = strings.TrimSpace(theirs), strings.TrimSpace(ours)
		if _, twice := out[theirs]; !ok || theirs == "" || twice {
			return nil, problem.Problem{Code: study.CodeInput, Where: "--as", What: fmt.Sprintf("found %q", part), Expected: "COLUMN=NAME,…, each column once, such as params_math=c.math,values_0=gsm8k; nothing behind = leaves a column out"}
		}
		out[theirs] = ours
	}
	return out, nil
}
