package report

import (
	"context"
	"fmt"
	"html/template"
	"math"
	"strings"

	"parfait/explore"
	"parfait/search"
	"parfait/study"
)

// treeRow is a branch of a nested merge.
type treeRow struct {
	explore.BranchRow
	Indent    int // how deep it stands
	Scaled    string
	Recipe    string
	Predicted []*figure // where it is decided
	Measured  []*study.Metric
}

// lineRow is the line between two models: a picture a task, and the barriers in words.
type lineRow struct {
	A, B     string
	Pictures []linePicture
}

type linePicture struct {
	Words string
	Real  bool
	SVG   template.HTML
}

// tree lists the branches of a nested merge, and says what is next; nothing for other strategies.
func tree(ctx context.Context, snap *study.Snapshot) (rows []treeRow, next string, err error) {
	roots, err := snap.Tree(ctx)
	if err != nil || len(roots) == 0 {
		return nil, "", err
	}
	for _, b := range explore.Branches(snap, roots) {
		r := treeRow{BranchRow: b, Indent: len([]rune(b.Stem)) / 3}
		if !math.IsNaN(b.Scale) {
			r.Scaled = num(b.Scale) + " ×"
		}
		if len(b.Parts) > 0 && b.X != nil {
			r.Recipe = b.Branch.Recipe()
		}
		if b.X != nil {
			r.Predicted = figures(snap.Analysis.Predict(b.X))
		}
		for _, t := range snap.Tasks {
			if b.Trial >= 0 {
				r.Measured = append(r.Measured, metric(snap.Trials[b.Trial].Metrics, t))
			}
		}
		rows = append(rows, r)
	}
	return rows, explore.NextBranch(snap, roots), nil
}

// maxPictures bounds how many lines without a barrier are drawn.
const maxPictures = 48

// between are the lines on which something was measured, and the verdict on all of them. Those without a
// barrier are drawn where the study was about them.
func between(snap *study.Snapshot) (rows []lineRow, verdict string, err error) {
	lines, err := snap.Lines()
	if err != nil || len(lines) == 0 {
		return nil, "", err
	}
	all := snap.Spec.Search.Strategy == "barrier" && len(lines)*len(snap.Tasks) <= maxPictures
	holes := explore.Holes(snap.Tasks, lines)
	for k, l := range lines {
		r := lineRow{A: l.A, B: l.B}
		for i, h := range holes[k] {
			if h.Real || all && h.Known {
				r.Pictures = append(r.Pictures, linePicture{h.Words(snap.Tasks[i]), h.Real, along(snap.Tasks[i], l, i)})
			}
		}
		if len(r.Pictures) > 0 {
			rows = append(rows, r)
		}
	}
	return rows, explore.Verdict(snap.Tasks, lines), nil
}

// along draws a metric along a line, with its standard errors and the straight line between its ends.
func along(t study.Task, l search.Line, task int) template.HTML {
	const w, h, left, top, bottom = 250.0, 130.0, 54.0, 8.0, 20.0
	type sample struct{ at, v, se float64 }
	var samples []sample
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, p := range l.Points {
		if p.Failed || math.IsNaN(p.Y[task].Value) {
			continue
		}
		s := sample{p.At, p.Y[task].Value, p.Y[task].Stderr}
		samples = append(samples, s)
		lo, hi = min(lo, s.v-s.se), max(hi, s.v+s.se)
	}
	if !(hi > lo) {
		lo, hi = lo-0.5, hi+0.5
	}
	x := func(at float64) float64 { return left + (w-left-10)*at }
	y := func(v float64) float64 { return h - bottom - (h-top-bottom)*(v-lo)/(hi-lo) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="along" viewBox="0 0 %g %g" width="%g" height="%g" role="img" aria-label="%s">`, w, h, w, h, template.HTMLEscapeString(t.Name+" from "+l.A+" to "+l.B))
	for _, v := range []float64{lo, hi} {
		fmt.Fprintf(&b, `<text x="%g" y="%.1f" text-anchor="end">%s</text>`, left-5, y(v)+4, num(v))
	}
	first, last := samples[0], samples[len(samples)-1]
	fmt.Fprintf(&b, `<line class="straight" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, x(first.at), y(first.v), x(last.at), y(last.v))
	var trace []string
	for _, s := range samples {
		trace = append(trace, fmt.Sprintf("%.1f %.1f", x(s.at), y(s.v)))
		fmt.Fprintf(&b, `<line class="bar" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, x(s.at), y(s.v-s.se), x(s.at), y(s.v+s.se))
	}
	fmt.Fprintf(&b, `<path d="M%s"/>`, strings.Join(trace, "L"))
	for _, s := range samples {
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3.5"/>`, x(s.at), y(s.v))
	}
	fmt.Fprintf(&b, `<text x="%g" y="%g">%s</text><text x="%g" y="%g" text-anchor="end">%s</text></svg>`,
		left-4, h-4, template.HTMLEscapeString(clip(l.A)), w-4, h-4, template.HTMLEscapeString(clip(l.B)))
	return template.HTML(b.String()) //nolint:gosec // numbers, and names that are escaped
}

// clip keeps two names from meeting below a picture.
func clip(name string) string {
	if r := []rune(name); len(r) > 14 {
		return string(r[:13]) + "…"
	}
	return name
}
