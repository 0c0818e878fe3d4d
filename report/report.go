// Package report writes a study as one self-contained HTML page, for people who have no terminal: the
// front, parallel coordinates, trust, named points, picks and exports.
//
// In comes a study's snapshot with its analysis; out goes one file without any reference to another. It
// knows nothing of terminals or flags, and decides nothing: every figure is the study's.
package report

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // the page's parts
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"math"
	"os"
	"time"

	"parfait/evaluator"
	"parfait/search"
	"parfait/study"
	"parfait/visible"
)

var (
	//go:embed page.html
	page string
	//go:embed page.css
	style string
	//go:embed page.js
	script string
)

// ErrNothingToShow says that no trial has been fitted yet.
var ErrNothingToShow = errors.New("there is nothing to report yet: fewer than three trials are finished (parfait run goes on with them)")

// figure is a number with its 90 % interval.
type figure struct {
	Value float64 `json:"v"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"`
}

// mark is one point of the plots.
type mark struct {
	Kind  string    `json:"kind"` // front, trial, measured, model, knee, pick
	Name  string    `json:"name"`
	X     []float64 `json:"x"`
	Tasks []*figure `json:"t"` // nil where not measured
	Solid bool      `json:"solid"`
}

// axis is a task or a coefficient as an axis of the plots.
type axis struct {
	Name      string  `json:"name"`
	Better    string  `json:"better"` // "higher", "lower" or "" for coefficients
	Objective bool    `json:"objective"`
	Lo        float64 `json:"lo"`
	Hi        float64 `json:"hi"`
}

type plots struct {
	Tasks        []axis `json:"tasks"`
	Coefficients []axis `json:"coefficients"`
	Marks        []mark `json:"marks"`
}

type trustRow struct {
	Task, Role, Fitter, Why string
	Q2, Ceiling, Coverage   float64
	Quadratic               float64 // Q² of a quadratic on the same trials
	Worst                   float64
	N                       int
	Flagged                 bool // predictions on the front should not be believed: the surrogate is Unsound, or the front untested
	Unsound                 bool
	Residuals               template.HTML
}

type pointRow struct {
	Name, Why    string
	Below        []string // objectives predicted below the base
	Coefficients []float64
	Predicted    []*figure
	Measured     []*study.Metric
}

type exportRow struct {
	study.Export
	Predicted        []*figure
	Validation, Test []*study.Metric
	Text             string // of the receipt; "" where it cannot be read any more
}

type content struct {
	*study.Snapshot
	Style        template.CSS
	Script       template.JS
	ScriptHash   string // of Script, which alone may run
	Data         plots
	Made         time.Time
	Objectives   []string
	Hypervolume  float64
	Ref          []float64
	Trust        []trustRow
	Untested     string // why no figure of trust speaks of the front
	AlwaysBelow  bool   // every point of the front is below the base on some task
	Points       []pointRow
	Picked       []pointRow
	Exported     []exportRow
	Tree         []treeRow
	Next         string // of the tree
	Lines        []lineRow
	Verdict      string // on the lines
	Coefficients []search.Coefficient
	Bound        string // which numbers of a merge are fixed or tied, "" for none
	Measured     int
	Believed     int
}

// Write writes the page. made is the time that it states; ctx ends the fits of a nested merge's pairs.
func Write(ctx context.Context, w io.Writer, snap *study.Snapshot, made time.Time) error {
	a := snap.Analysis
	if a == nil {
		return ErrNothingToShow
	}
	c := content{
		Snapshot: snap, Style: template.CSS(style), Script: template.JS(script), ScriptHash: scriptHash(), Made: made.UTC(), //nolint:gosec // our own files
		Hypervolume: a.Hypervolume, Ref: a.Ref, Untested: a.Untested, AlwaysBelow: a.AlwaysBelow(), Coefficients: snap.Space.Coefficients, Bound: snap.Space.BoundWords(), Measured: len(a.Measured),
	}
	for _, o := range a.Objectives {
		c.Objectives = append(c.Objectives, a.Tasks[o].Name)
	}
	for _, p := range a.Front {
		if p.Believed {
			c.Believed++
		}
	}
	c.Data = plotted(snap)
	var err error
	if c.Trust, err = trust(ctx, a); err != nil {
		return err
	}
	c.Points = named(a)
	if c.Tree, c.Next, err = tree(ctx, snap); err != nil {
		return err
	}
	if c.Lines, c.Verdict, err = between(snap); err != nil {
		return err
	}
	for _, p := range snap.Picks {
		row := pointRow{Name: p.Name, Why: p.Why, Below: a.BelowBaseNames(a.Predict(p.X)), Coefficients: p.X}
		for _, t := range snap.Tasks {
			row.Predicted = append(row.Predicted, optional(p.Predicted, t.Name))
		}
		c.Picked = append(c.Picked, row)
	}
	for _, e := range snap.Exports {
		row := exportRow{Export: e, Text: receipt(e.Receipt)}
		for _, t := range snap.Tasks {
			row.Predicted = append(row.Predicted, optional(e.Predicted, t.Name))
			row.Validation = append(row.Validation, metric(e.Measured[evaluator.Validation], t))
			row.Test = append(row.Test, metric(e.Measured[evaluator.Test], t))
		}
		c.Exported = append(c.Exported, row)
	}
	t, err := template.New("page").Funcs(template.FuncMap{
		"json": func(v any) (template.JS, error) { b, err := json.Marshal(v); return template.JS(b), err }, //nolint:gosec // encoding/json escapes <, > and &
		"num":  num,
		"coef": coefficient,
		"fig":  figureText,
		"met":  metricText,
	}).Parse(page)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, c); err != nil {
		return err
	}
	_, err = io.WriteString(w, visible.Text(b.String())) // in texts and in strings of JSON alike
	return err
}

// scriptHash is what a Content-Security-Policy calls the page's own script.
func scriptHash() string {
	sum := sha256.Sum256([]byte(script))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// maxReceipt is how much of a receipt the page holds, in bytes: inputs and outputs of many shards are long.
const maxReceipt = 1 << 20

// receipt is the text of a receipt.
func receipt(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxReceipt+1))
	if err != nil {
		return ""
	}
	if len(b) > maxReceipt {
		return string(b[:maxReceipt]) + "\n… the rest is in " + path
	}
	return string(b)
}

func metric(m map[string]study.Metric, task study.Task) *study.Metric {
	if v, ok := m[task.Name]; ok {
		v = task.WithStderr(v)
		return &v
	}
	return nil
}

func optional(m map[string]study.Prediction, task string) *figure {
	if p, ok := m[task]; ok {
		return &figure{p.Value, p.Lo, p.Hi}
	}
	return nil
}

func figures(ps []study.Prediction) []*figure {
	out := make([]*figure, len(ps))
	for i, p := range ps {
		out[i] = &figure{p.Value, p.Lo, p.Hi}
	}
	return out
}

// named are the points that people ask for by name: the knee, the best of each task, each model, the
// uniform average.
func named(a *study.Analysis) []pointRow {
	var out []pointRow
	add := func(name string, x []float64, p []study.Prediction, trial int) {
		r := pointRow{Name: name, Below: a.BelowBaseNames(p), Coefficients: x, Predicted: figures(p)}
		for _, t := range a.Tasks {
			if trial >= 0 {
				r.Measured = append(r.Measured, metric(a.Trials[trial].Metrics, t))
			}
		}
		out = append(out, r)
	}
	knee := a.Front[a.Knee]
	add("knee", knee.X, knee.Predicted, -1)
	for _, o := range a.Objectives {
		if i := a.Best[o]; i >= 0 {
			add("best "+a.Tasks[o].Name, a.Front[i].X, a.Front[i].Predicted, -1)
		}
	}
	for _, r := range a.References {
		add(r.Name, r.X, r.Predicted, r.Trial)
	}
	return out
}

func plotted(snap *study.Snapshot) plots {
	a := snap.Analysis
	var p plots
	for _, t := range a.Tasks {
		better := "higher"
		if t.Sense == study.Minimize {
			better = "lower"
		}
		p.Tasks = append(p.Tasks, axis{Name: t.Name, Better: better, Objective: t.Role == study.Objective, Lo: math.Inf(1), Hi: math.Inf(-1)})
	}
	for _, c := range snap.Space.Coefficients {
		p.Coefficients = append(p.Coefficients, axis{Name: c.Name, Lo: c.Lo, Hi: c.Hi})
	}
	add := func(m mark) {
		for i, f := range m.Tasks {
			if f != nil {
				p.Tasks[i].Lo, p.Tasks[i].Hi = min(p.Tasks[i].Lo, f.Value), max(p.Tasks[i].Hi, f.Value)
			}
		}
		p.Marks = append(p.Marks, m)
	}
	onFront := map[int]bool{}
	for _, i := range a.Measured {
		onFront[i] = true
	}
	for i, t := range a.Trials {
		m := mark{Kind: "trial", Name: trialName(t), X: t.X, Solid: onFront[i]}
		if onFront[i] {
			m.Kind = "measured"
		}
		for _, task := range a.Tasks {
			var f *figure
			if v, ok := t.Metrics[task.Name]; ok {
				stderr, _ := task.Stderr(v)
				f = &figure{v.Value, v.Value - 1.645*stderr, v.Value + 1.645*stderr}
			}
			m.Tasks = append(m.Tasks, f)
		}
		add(m)
	}
	for _, f := range a.Front {
		add(mark{Kind: "front", Name: "predicted front", X: f.X, Tasks: figures(f.Predicted), Solid: f.Believed})
	}
	for _, r := range a.References {
		add(mark{Kind: "model", Name: r.Name, X: r.X, Tasks: figures(r.Predicted)})
	}
	knee := a.Front[a.Knee]
	add(mark{Kind: "knee", Name: "knee", X: knee.X, Tasks: figures(knee.Predicted)})
	for _, k := range snap.Picks {
		add(mark{Kind: "pick", Name: k.Name, X: k.X, Tasks: figures(a.Predict(k.X))})
	}
	for i := range p.Tasks {
		t := &p.Tasks[i]
		if t.Hi < t.Lo { // never measured nor predicted
			t.Lo, t.Hi = 0, 1
		}
		within := t.Lo >= 0 && t.Hi <= 1
		if pad := 0.04 * (t.Hi - t.Lo); pad > 0 {
			t.Lo, t.Hi = t.Lo-pad, t.Hi+pad
		} else {
			t.Lo, t.Hi = t.Lo-0.5, t.Hi+0.5
		}
		if within && a.Tasks[i].Rate() { // no rate is beyond these
			t.Lo, t.Hi = max(t.Lo, 0), min(t.Hi, 1)
		}
	}
	return p
}
