package transfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"parfait/evaluator"
	"parfait/problem"
	"parfait/study"
)

// Header is the first line of JSON lines: what the figures of the lines behind it are.
type Header struct {
	Study        string            `json:"study"`
	Method       string            `json:"method"`
	Tasks        []study.Task      `json:"tasks"`
	Coefficients []coefficientJSON `json:"coefficients"`
	Proportions  [][]string        `json:"proportions,omitempty"` // sets of coefficients that sum to 1
}

type coefficientJSON struct {
	Name  string     `json:"name"`
	Kind  string     `json:"kind"` // scaling of a model, or parameter of the method
	Model string     `json:"model,omitempty"`
	Group string     `json:"group,omitempty"`
	Range [2]float64 `json:"range"`          // of one that is fixed, its value twice
	Tied  string     `json:"tied,omitempty"` // the coefficient that it is one with
}

// HeaderOf is that of a study.
func HeaderOf(s *study.Snapshot) Header {
	h := Header{Study: s.Name, Method: s.Spec.Method.Name, Tasks: s.Tasks}
	for _, n := range s.Space.Numbers() {
		c := coefficientJSON{Name: n.Name, Kind: string(n.Kind), Model: n.Model, Group: n.Group, Range: [2]float64{n.Value, n.Value}}
		if n.Of >= 0 {
			is := s.Space.Coefficients[n.Of]
			c.Range = [2]float64{is.Lo, is.Hi}
			if is.Name != n.Name {
				c.Tied = is.Name
			}
		}
		h.Coefficients = append(h.Coefficients, c)
	}
	for _, set := range s.Space.Simplex {
		var names []string
		for _, i := range set {
			names = append(names, s.Space.Coefficients[i].Name)
		}
		h.Proportions = append(h.Proportions, names)
	}
	return h
}

// json reads objects, one after the other (JSON lines) or in an array, the header among them or not; and what
// `parfait trials --json` prints, an object with all trials.
func (r *reader) json(text []byte) {
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	number, counted := 1, 0 // of the line in which text[counted] stands
	for {
		var v json.RawMessage
		begin := int(in.InputOffset())
		err := in.Decode(&v)
		begin += len(text[begin:]) - len(bytes.TrimLeft(text[begin:], " \t\r\n,"))
		number, counted = number+bytes.Count(text[counted:begin], []byte("\n")), begin
		where := fmt.Sprintf("%s:%d", r.file, number)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			if bytes.Contains(line(text, begin), []byte("NaN")) {
				err = fmt.Errorf("%w (NaN is no JSON: write null)", err)
			}
			r.fail(where, "JSON, an object a line", "cannot be read: %v", err)
			return
		}
		r.value(where, v)
	}
}

// line is the one in which something begins.
func line(text []byte, at int) []byte {
	l, _, _ := bytes.Cut(text[at:], []byte("\n"))
	return l
}

// value reads a trial, or several in an array or under "trials", or a header.
func (r *reader) value(where string, v json.RawMessage) {
	var list []json.RawMessage
	if json.Unmarshal(v, &list) == nil {
		for i, one := range list {
			r.value(fmt.Sprintf("%s, element %d", where, i+1), one)
		}
		return
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(v, &object); err != nil {
		r.fail(where, `an object, such as {"coefficients": {"math": 0.3}, "metrics": {"gsm8k": 0.62}}`, "found %.40s", v)
		return
	}
	switch {
	case object["study"] != nil && object["trials"] != nil:
		r.value(where+", trials", object["trials"])
	case object["study"] != nil && object["tasks"] != nil:
		r.head(where, v)
	default:
		r.object(where, object)
	}
}

// head holds a header against the study: figures of another sense or method mean something else.
func (r *reader) head(where string, v json.RawMessage) {
	var h Header
	if err := json.Unmarshal(v, &h); err != nil {
		r.fail(where, "one as parfait trials --jsonl writes it", "is no header: %v", err)
		return
	}
	if own := r.snap.Spec.Method.Name; h.Method != own {
		r.fail(where, own+", as study.yaml says", "these trials are merges by %s", h.Method)
	}
	for _, theirs := range h.Tasks {
		for _, own := range r.snap.Tasks {
			if own.Name == theirs.Name && (own.Sense != theirs.Sense || own.Unit != theirs.Unit) {
				r.fail(where, kindOf(own)+", as study.yaml says", "%s is %s there", own.Name, kindOf(theirs))
			}
		}
	}
}

func kindOf(t study.Task) string {
	if t.Unit == "" {
		return string(t.Sense) + "d"
	}
	return fmt.Sprintf("%sd (unit %s)", t.Sense, t.Unit)
}

// object reads a trial: its coefficients and metrics, and beside them the columns of CSV.
func (r *reader) object(where string, object map[string]json.RawMessage) {
	var cells []cell
	var whole []study.Measurement
	for _, key := range sorted(object) {
		at, v := where+", "+key, object[key]
		switch key {
		case "coefficients":
			cells = append(cells, r.inner(at, "c.", v)...)
		case "metrics":
			cells = append(cells, r.inner(at, "m.", v)...)
		case "measurements":
			whole = r.measurements(at, v)
		default:
			cells = append(cells, r.scalar(at, key, v)...)
		}
	}
	r.row(where, cells, whole)
}

// inner reads an object of numbers, or of metrics.
func (r *reader) inner(where, prefix string, v json.RawMessage) (cells []cell) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(v, &object); err != nil {
		r.fail(where, "an object", "found %.40s", v)
		return nil
	}
	for _, name := range sorted(object) {
		at, own := where+"."+name, prefix+strings.TrimPrefix(name, prefix)
		if _, mapped := r.as[name]; mapped {
			own = name
		}
		var metric map[string]json.RawMessage
		if prefix != "m." || json.Unmarshal(object[name], &metric) != nil || metric == nil {
			cells = append(cells, r.scalar(at, own, object[name])...)
			continue
		}
		for _, part := range sorted(metric) {
			switch part {
			case "value":
				cells = append(cells, r.scalar(at, own, metric[part])...)
			case "stderr", "n":
				cells = append(cells, r.scalar(at+"."+part, own+"_"+part, metric[part])...)
			default:
				r.wrong = append(r.wrong, problem.Unknown(BadFile, at, "part of a metric", part, []string{"value", "stderr", "n"}))
			}
		}
	}
	return cells
}

// scalar is a number, a text or nothing as a cell.
func (r *reader) scalar(where, name string, v json.RawMessage) []cell {
	text := string(v)
	switch v[0] {
	case '{', '[':
		if c := r.column(name, where); c != nil {
			r.fail(where, "a number or a text", "found %.40s", v)
		}
		return nil
	case '"':
		_ = json.Unmarshal(v, &text) // it was read already
	}
	return []cell{{name: name, where: where, text: strings.TrimSpace(text)}}
}

// measurements reads them as they were recorded, also of tasks that study.yaml no longer asks for.
func (r *reader) measurements(where string, v json.RawMessage) []study.Measurement {
	var out []study.Measurement
	in := json.NewDecoder(bytes.NewReader(v))
	in.DisallowUnknownFields()
	if err := in.Decode(&out); err != nil {
		r.fail(where, "as parfait trials --jsonl writes them", "cannot be read: %v", err)
		return nil
	}
	for i, m := range out {
		at := fmt.Sprintf("%s.%d", where, i)
		if m.Split != evaluator.Validation && m.Split != evaluator.Test {
			r.fail(at, "validation or test", "found the split %q", m.Split)
		}
		if len(m.Metrics) == 0 {
			r.fail(at, "", "has no metrics")
		}
		for _, t := range r.snap.Tasks {
			if f, ok := m.Metrics[t.Name]; ok {
				if err := t.Possible(f.Value); err != nil {
					r.fail(at, "", "%s", err)
				}
			}
		}
		for _, task := range sorted(m.Metrics) {
			if f := m.Metrics[task]; f.Stderr < 0 || f.N < 0 {
				r.fail(at, "0 (not known) or more", "the standard error and the number of items of %q cannot be %g and %d", task, f.Stderr, f.N)
			}
		}
	}
	return out
}
