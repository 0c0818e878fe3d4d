package transfer

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"parfait/evaluator"
	"parfait/problem"
	"parfait/search"
	"parfait/study"
)

// Read reads trials that were measured elsewhere, for the study s: CSV with a header, or JSON, an object a trial, as
// CSV and JSONL write them and in plainer forms. file is its name, for people; as says what columns are, where they have
// other names (see ParseMapping). What could not be read is a [problem.List] of everything, in the order of the lines.
//
// A row with neither coefficients nor figures is a trial whose X is nil. Rows of the same coefficients, where they have no id, or of the same id are one trial, measured once a row.
func Read(file string, text []byte, as map[string]string, s *study.Snapshot) ([]study.Measured, error) {
	r := &reader{file: file, snap: s, as: as, columns: columns(s), resolved: map[string]*column{}, trials: map[string]int{}}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	switch {
	case r.foreign(text):
	case bytes.IndexAny(bytes.TrimSpace(text), "{[") == 0:
		r.json(text)
	default:
		r.csv(text)
	}
	for _, theirs := range sorted(as) {
		if _, met := r.resolved[theirs]; !met && len(r.wrong) == 0 {
			r.fail("--as", "", "the file has no column %q", theirs)
		}
	}
	return r.out, r.wrong.Err()
}

// reader is a file while it is read.
type reader struct {
	file     string
	snap     *study.Snapshot
	as       map[string]string
	columns  []column
	resolved map[string]*column // by their names in the file; nil: left out
	absent   []bool             // coefficients of which it was said that the file has none
	trials   map[string]int     // indices in out, by what makes rows one trial
	out      []study.Measured
	wrong    problem.List
}

// fail notes what is wrong, and what was expected.
func (r *reader) fail(where, expected, format string, args ...any) {
	r.wrong = append(r.wrong, problem.Problem{Code: BadFile, Where: where, What: fmt.Sprintf(format, args...), Expected: expected})
}

// advise notes what is wrong, and what to do.
func (r *reader) advise(where, fix, format string, args ...any) {
	r.wrong = append(r.wrong, problem.Problem{Code: BadFile, Where: where, What: fmt.Sprintf(format, args...), Fix: fix})
}

// foreign says what the file is where it is no text.
func (r *reader) foreign(text []byte) bool {
	for _, f := range []struct{ begin, what, fix string }{
		{"PK\x03\x04", "is a spreadsheet", "save the sheet as CSV"},
		{"\xff\xfe", "is UTF-16", "save it as CSV in UTF-8"},
		{"\xfe\xff", "is UTF-16", "save it as CSV in UTF-8"},
		{"SQLite format 3\x00", "is a database", "write its trials as CSV; of Optuna: study.trials_dataframe().to_csv(FILE)"},
		{"\x1f\x8b", "is compressed", "gunzip it"},
	} {
		if bytes.HasPrefix(text, []byte(f.begin)) {
			r.wrong = append(r.wrong, problem.Problem{Code: BadFile, Where: r.file, What: f.what, Expected: "CSV or JSON", Fix: f.fix})
			return true
		}
	}
	if len(bytes.TrimSpace(text)) == 0 {
		r.fail(r.file, "CSV with a header, or JSON", "is empty")
		return true
	}
	if !utf8.Valid(text) {
		line := 1
		for len(text) > 0 {
			c, n := utf8.DecodeRune(text)
			if c == utf8.RuneError && n == 1 {
				break
			}
			if c == '\n' {
				line++
			}
			text = text[n:]
		}
		r.advise(fmt.Sprintf("%s:%d", r.file, line), "save it as CSV in UTF-8", "is not UTF-8")
		return true
	}
	return false
}

// column finds what a name in the file stands for; nil where it is left out, or nobody knows, which is said once.
func (r *reader) column(name, where string) *column {
	if c, met := r.resolved[name]; met {
		return c
	}
	r.resolved[name] = nil
	ours, mapped := r.as[name]
	if mapped && ours == "" {
		return nil
	}
	if !mapped {
		ours = name
	}
	is := func(c column) bool { return c.name == ours }
	i := slices.IndexFunc(r.columns, is)
	if i < 0 {
		i = slices.IndexFunc(r.columns, func(c column) bool { return slices.Contains(c.also, ours) })
	}
	switch {
	case i >= 0 && r.columns[i].take == nil:
		return nil
	case i >= 0:
		r.resolved[name] = &r.columns[i]
		return &r.columns[i]
	case mapped:
		r.wrong = append(r.wrong, problem.Unknown(BadFile, "--as "+name+"="+ours, "column", ours, writable(r.columns)))
	case strings.HasPrefix(name, "system_attrs_"), strings.HasPrefix(name, "user_attrs_"): // Optuna's, and nobody's task
		return nil
	default:
		r.wrong = append(r.wrong, r.unknown(name, where))
	}
	return nil
}

// unknown is the problem of a column that nobody knows. Those that are known are listed once.
func (r *reader) unknown(name, where string) problem.Problem {
	kind, word, known := "column", name, writable(r.columns)
	if task, inside := strings.CutPrefix(name, "m."); inside {
		kind, word, known = "task", task, nil
		for _, t := range r.snap.Tasks {
			known = append(known, t.Name)
		}
	} else if coefficient, inside := strings.CutPrefix(name, "c."); inside {
		kind, word, known = "coefficient", coefficient, r.coefficients()
	}
	p := problem.Unknown(BadFile, where, kind, word, known)
	if meant := problem.Meant(word, r.coefficients()); kind == "column" && p.Fix == "" && meant != "" {
		p.Expected, p.Fix = "", meant
	}
	if slices.ContainsFunc(r.wrong, func(before problem.Problem) bool { return before.Expected == p.Expected }) {
		p.Expected = ""
	}
	say := fmt.Sprintf("say what it is (--as '%s=NAME'), or leave it out (--as '%[1]s=')", strings.TrimPrefix(name, "m."))
	if p.Fix != "" {
		say = p.Fix + " Else " + say
	}
	p.Fix = say
	return p
}

// coefficients are their names in study.yaml.
func (r *reader) coefficients() []string {
	var out []string
	for _, n := range r.snap.Space.Numbers() {
		out = append(out, n.Name)
	}
	return out
}

// row takes a trial, or one measurement of it. whole are its measurements, where they stand there one by one.
func (r *reader) row(where string, cells []cell, whole []study.Measurement) {
	if !slices.ContainsFunc(cells, func(c cell) bool { return !c.empty() }) && len(whole) == 0 {
		return
	}
	before := len(r.wrong)
	w := &row{
		Measured: study.Measured{Where: where, X: make([]float64, len(r.snap.Space.Coefficients))},
		given:    make([]bool, len(r.snap.Space.Coefficients)), split: evaluator.Validation, figures: map[string]*figure{}, whole: whole,
	}
	for _, c := range cells {
		col := r.column(c.name, c.where)
		if col == nil || c.empty() {
			continue
		}
		if expected := col.take(w, c); expected != "" {
			r.fail(c.where, expected, "found %s", c.found())
		}
	}
	r.settle(w, before)
	if len(r.wrong) == before {
		r.add(w)
	}
}

// settle checks what only shows with the whole row read; before is how much was wrong before it.
func (r *reader) settle(w *row, before int) {
	var missing []string
	for i, k := range r.snap.Space.Coefficients {
		if !w.given[i] && (r.absent == nil || !r.absent[i]) {
			missing = append(missing, "c."+k.Name)
		}
	}
	switch blank := len(missing) == len(w.X) && len(w.figures) == 0 && len(w.whole) == 0; {
	case blank && len(missing) > 0: // what waits in Optuna has neither
		w.X = nil
		return
	case len(missing) > 0:
		r.fail(w.Where, "one for each coefficient, 0 for a model that is left out", "no value for %s", problem.And(missing))
	}
	metrics := evaluator.Metrics{}
	for _, t := range r.snap.Tasks {
		f := w.figures[t.Name]
		switch {
		case f == nil:
			continue
		case !f.valued:
			r.fail(f.cells[0].where, "a value in the column "+t.Name, "says how sure the figure of %s is, and there is no figure", t.Name)
			continue
		}
		if err := t.Possible(f.Value); err != nil && !f.bad {
			r.fail(f.cells[0].where, "", "%s", err)
		}
		metrics[t.Name] = f.Metric
	}
	switch {
	case len(w.whole) > 0:
		w.Measurements = w.whole
	case len(metrics) > 0:
		w.Measurements = []study.Measurement{{Attempt: w.Attempt, Split: w.split, At: w.Ended, Metrics: metrics}}
	}
	if len(r.wrong) > before || slices.Contains(r.absent, true) {
		return
	}
	x, err := r.snap.Space.Normal(w.X)
	if bad := (*search.Error)(nil); errors.As(err, &bad) {
		r.fail(w.Where, "", "%s", bad.What)
	}
	w.X = x
}

// add puts a row to its trial.
func (r *reader) add(w *row) {
	if w.X == nil {
		r.out = append(r.out, w.Measured)
		return
	}
	point := fmt.Sprint(w.X)
	key := "at " + point
	if w.id != "" {
		key = "id " + w.id
	}
	if w.State == evaluator.Failed || w.State == evaluator.Cancelled {
		key += " failed"
	}
	i, there := r.trials[key]
	if !there {
		r.trials[key] = len(r.out)
		r.out = append(r.out, w.Measured)
		return
	}
	t := &r.out[i]
	if fmt.Sprint(t.X) != point {
		r.advise(w.Where, "leave the column id out (--as 'id='), or make them differ", "the trial %s has other coefficients than in %s", w.id, t.Where)
		return
	}
	t.Measurements = append(t.Measurements, w.Measurements...)
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
