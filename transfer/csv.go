package transfer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"parfait/problem"
	"parfait/search"
	"parfait/study"
)

// CSV writes a trial a row, with what its measurements come to.
func CSV(w io.Writer, s *study.Snapshot) error {
	cols := slices.DeleteFunc(columns(s), func(c column) bool { return c.show == nil })
	out := csv.NewWriter(w)
	line := make([]string, len(cols))
	for i, c := range cols {
		line[i] = c.name
	}
	_ = out.Write(line) // Flush tells
	for _, t := range s.Trials {
		for i, c := range cols {
			line[i] = c.show(t)
		}
		_ = out.Write(line)
	}
	out.Flush()
	return out.Error()
}

// csv reads rows under a header, as spreadsheets and programs write them: with commas, semicolons or tabs. Where it is
// not commas, numbers may have decimal ones.
func (r *reader) csv(text []byte) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	skipped := 0
	in := csv.NewReader(bytes.NewReader(text))
	in.Comma = separator(string(first))
	if sep, told := strings.CutPrefix(strings.TrimSpace(string(first)), "sep="); told && len(sep) == 1 { // Excel's
		in, skipped = csv.NewReader(bytes.NewReader(rest)), 1
		in.Comma = rune(sep[0])
	}
	in.FieldsPerRecord, in.TrimLeadingSpace = -1, in.Comma != '\t'
	header, ok := r.record(in, skipped)
	if !ok {
		return
	}
	r.header(header)
	named := len(header) // with the last that has a name
	for named > 0 && header[named-1] == "" {
		named--
	}
	rows := 0
	for {
		fields, ok := r.record(in, skipped)
		if !ok {
			break
		}
		rows++
		line, _ := in.FieldPos(0)
		where := fmt.Sprintf("%s:%d", r.file, line+skipped)
		if extra := slices.IndexFunc(fields[min(len(header), len(fields)):], func(s string) bool { return strings.TrimSpace(s) != "" }); extra >= 0 {
			r.advise(where, "a cell with a comma in it needs quotes", "has %d cells, and the header %d", len(fields), len(header))
			continue
		}
		if len(fields) < named && slices.ContainsFunc(fields, func(s string) bool { return strings.TrimSpace(s) != "" }) {
			r.advise(where, "it is cut short, or a separator is missing: a figure that is not known is an empty cell", "has %d cells, and the header %d", len(fields), len(header))
			continue
		}
		var cells []cell
		for i, name := range header {
			if name == "" || i >= len(fields) {
				continue
			}
			c := cell{name: name, where: where + ", " + name, text: strings.TrimSpace(strings.ReplaceAll(fields[i], "\u00a0", " ")), comma: in.Comma != ','}
			cells = append(cells, c)
		}
		r.row(where, cells, nil)
	}
	if rows == 0 && len(r.wrong) == 0 {
		r.fail(r.file, "", "has a header and no rows")
	}
}

// record is the next record; not where the file ends, or cannot be read on.
func (r *reader) record(in *csv.Reader, skipped int) ([]string, bool) {
	fields, err := in.Read()
	var bad *csv.ParseError
	switch {
	case errors.As(err, &bad):
		r.advise(fmt.Sprintf("%s:%d", r.file, bad.Line+skipped), `a quote within quotes is written twice ("")`, "cannot be read on from column %d: %v", bad.Column, bad.Err)
		return nil, false
	case err != nil: // the end
		return nil, false
	}
	return fields, true
}

// header finds what the columns are, and says which are missing. Columns without a name, such as the index of pandas, are
// left out.
func (r *reader) header(header []string) {
	met := map[*column]string{}
	for i, name := range header {
		name = strings.TrimSpace(name)
		if header[i] = name; name == "" {
			continue
		}
		c := r.column(name, fmt.Sprintf("%s:1, column %d", r.file, i+1))
		if c == nil {
			continue
		}
		if other, twice := met[c]; twice {
			if other == name {
				r.advise(r.file+":1", "take one of them out, or give it another name", "there are two columns %s", name)
			} else {
				r.advise(r.file+":1", "leave one out: --as '"+name+"='", "%s and %s are both %s", other, name, c.name)
			}
		}
		met[c] = name
	}
	r.absent = make([]bool, len(r.snap.Space.Coefficients))
	var missing, taken []string
	for i, k := range r.snap.Space.Coefficients {
		if slices.ContainsFunc(r.snap.Space.Numbers(), func(n search.Number) bool {
			at := slices.IndexFunc(r.columns, func(c column) bool { return c.name == "c."+n.Name })
			_, there := met[&r.columns[at]]
			return there && n.Of == i
		}) {
			continue
		}
		r.absent[i] = true
		missing = append(missing, "c."+k.Name)
		if slices.Contains(header, k.Name) {
			taken = append(taken, k.Name)
		}
	}
	if len(missing) == 0 {
		return
	}
	r.fail(r.file+":1", "one for each coefficient, with 0 for a model that is left out", "no column for %s", problem.And(missing))
	if len(taken) > 0 {
		r.wrong[len(r.wrong)-1].Fix = fmt.Sprintf("there are tasks of these names: call the coefficients c.%s", strings.Join(taken, ", c."))
	}
}

// separator is what stands most often between the names of a header.
func separator(header string) rune {
	quoted, n := false, map[rune]int{}
	for _, c := range header {
		if c == '"' {
			quoted = !quoted
		} else if !quoted {
			n[c]++
		}
	}
	best := ','
	for _, c := range []rune{';', '\t'} {
		if n[c] > n[best] {
			best = c
		}
	}
	return best
}
