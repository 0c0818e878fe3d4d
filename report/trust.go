package report

import (
	"context"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"parfait/study"
	"parfait/surrogate"
)

// maxQuadratic is the number of coefficients above which no quadratic is fitted to compare with: with two
// dozen of them it would take half a minute.
const maxQuadratic = 16

func trust(ctx context.Context, a *study.Analysis) ([]trustRow, error) {
	quadratic := make([]surrogate.Trust, len(a.Fits))
	for i := range quadratic {
		quadratic[i].Q2 = math.NaN()
	}
	if len(a.Space.Coefficients) <= maxQuadratic {
		var err error
		if quadratic, err = a.Quadratic(ctx); err != nil {
			return nil, err
		}
	}
	var out []trustRow
	for i, f := range a.Fits {
		t := f.Trust
		out = append(out, trustRow{
			Task: f.Task, Role: string(a.Tasks[i].Role), Fitter: t.Fitter, Why: sentences(t.Why, t.CliffWhy, a.Apart(i)),
			Q2: t.Q2, Ceiling: t.Ceiling, Coverage: t.Coverage, Worst: t.Worst, N: t.N, Flagged: a.Flagged(i) != "", Unsound: t.Flagged,
			Residuals: residuals(a, f), Quadratic: quadratic[i].Q2,
		})
	}
	return out, nil
}

// sentences joins what there is to say.
func sentences(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// residuals draws each trial's measured value (up) against what a fit without it predicts (right): on
// the diagonal where the surrogate is right.
func residuals(a *study.Analysis, f study.Fit) template.HTML {
	const size = 96.0
	lo, hi := math.Inf(1), math.Inf(-1)
	type pair struct{ predicted, measured float64 }
	var pairs []pair
	for i, trial := range f.Used {
		if i >= len(f.Trust.LOO) {
			break
		}
		p := pair{f.Trust.LOO[i], a.Trials[trial].Metrics[f.Task].Value}
		if math.IsNaN(p.predicted) || math.IsInf(p.predicted, 0) {
			continue
		}
		lo, hi = min(lo, p.predicted, p.measured), max(hi, p.predicted, p.measured)
		pairs = append(pairs, p)
	}
	if len(pairs) == 0 || hi <= lo {
		return ""
	}
	at := func(v float64) float64 { return 4 + (size-8)*(v-lo)/(hi-lo) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="residuals" viewBox="0 0 %g %g" width="%g" height="%g" role="img" aria-label="measured against predicted without it"><line x1="4" y1="%g" x2="%g" y2="4"/>`, size, size, size, size, size-4, size-4)
	for _, p := range pairs {
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="2"/>`, at(p.predicted), size-at(p.measured))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers only
}

func trialName(t study.Trial) string {
	if t.Why == "" {
		return fmt.Sprintf("trial %d", t.ID)
	}
	return fmt.Sprintf("trial %d: %s", t.ID, t.Why)
}

// num writes a number with four significant digits.
func num(v float64) string { return written(v, "%.4g") }

// fixed writes a metric: those below ten with three decimals, so that they stand below each other.
func fixed(v float64) string {
	if a := math.Abs(v); a >= 10 || a > 0 && a < 1e-3 {
		return num(v)
	}
	return written(v, "%.3f")
}

func written(v float64, format string) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	if v == 0 { // and not −0
		v = 0
	}
	return strings.Replace(fmt.Sprintf(format, v), "-", "−", 1)
}

// coefficient writes a coefficient with four decimals: what is less is nothing.
func coefficient(v float64) string { return num(math.Round(v*1e4) / 1e4) }

func figureText(f *figure) template.HTML {
	if f == nil {
		return `<span class="none">–</span>`
	}
	return template.HTML(fmt.Sprintf(`%s <span class="band">%s … %s</span>`, fixed(f.Value), fixed(f.Lo), fixed(f.Hi))) //nolint:gosec // numbers only
}

func metricText(m *study.Metric) template.HTML {
	if m == nil {
		return `<span class="none">not measured</span>`
	}
	s := fixed(m.Value)
	if m.Stderr > 0 {
		s += fmt.Sprintf(` <span class="band">± %s</span>`, fixed(m.Stderr))
	}
	return template.HTML(s) //nolint:gosec // numbers only
}
