package cli

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"parfait/explore"
	"parfait/merge"
	"parfait/tui/chart"
	"parfait/visible"
	"parfait/yamldoc"
)

// inspection reads every model of a spec once.
func (a *app) inspection(ctx context.Context, spec merge.Spec) (*merge.Inspection, error) {
	p := a.progress()
	in, err := merge.Inspect(ctx, spec, merge.InspectOptions{}, func(m merge.Progress) { p.show(m.Stage, m.Done, m.Total, moved(m.Done, m.Total, m.Rate, m.Remaining)) })
	p.end()
	if err != nil && interrupted(ctx) {
		err = &fault{exit: ExitInterrupted, what: "interrupted"}
	}
	return in, err
}

// printSuggestion prints layer groups as YAML that belongs in study.yaml, and why as its comments.
func (a *app) printSuggestion(in *merge.Inspection) error {
	s := in.SuggestGroups()
	if a.json {
		return a.printJSON(a.out, s)
	}
	columns := []column{left("‖δ‖/‖θ₀‖ of")}
	for _, m := range s.Models {
		columns = append(columns, right(m))
	}
	layers := a.sheet(columns...)
	for _, l := range s.Layers {
		row := []string{visible.Line(l.Stack) + strconv.Itoa(l.Layer)}
		for _, v := range l.Relative {
			row = append(row, figureOf(v))
		}
		layers.add(row...)
	}
	var text strings.Builder
	if len(s.Layers) > 0 {
		for line := range strings.Lines(layers.String()) {
			text.WriteString("#" + line)
		}
	}
	fmt.Fprintf(&text, "# %s\n", s.Why)
	if len(s.Groups) > 0 {
		text.WriteString("groups:\n")
	}
	for _, g := range s.Groups {
		fmt.Fprintf(&text, "  - {name: %s, match: %s}\n", yamlText(g.Name), yamldoc.Quote(g.Match))
	}
	if _, err := fmt.Fprint(a.out, text.String()); err != nil {
		return err
	}
	return warn(a, in.Warnings)
}

func (a *app) printStats(in *merge.Inspection) error {
	total := in.Total
	models := a.sheet(left("model"), right("‖δ‖"), right("‖δ‖/‖base‖"), right("zeros"), right("NaN, ±Inf"))
	for i, name := range in.Models {
		models.add(name, figureOf(total.Norms[i]), figureOf(total.Relative[i]), percent(total.Zeros[i]), strconv.FormatInt(total.NonFinite[i+1], 10))
	}
	text := fmt.Sprintf("%s, %d elements each\n%s", count(len(in.Models), "model"), total.Elements, models)
	if len(in.Models) > 1 {
		text += fmt.Sprintf("\nsigns conflict at %s of the entries; r = %.3f (1: one basin, %.3f: unrelated)\n", percent(total.Conflicts), total.VarianceRatio, 1/float64(len(in.Models)))
		text += "\ncosines of the task vectors\n" + a.heat(&chart.HeatMap{Rows: in.Models, Cols: in.Models, Values: total.Cosines, Range: chart.Range{Lo: -1, Hi: 1}, Diverging: true, Format: twoDecimals})
	}
	groups := a.sheet(left("layer group"), right("elements"), right("conflicts"), right("r"), right("cosine, least").spared(1))
	far := &chart.HeatMap{Cols: in.Models, Format: threeDigits}
	for _, g := range in.Groups {
		groups.add(g.Name, strconv.FormatInt(g.Elements, 10), percent(g.Conflicts), explore.Decimal(g.VarianceRatio, 3), cosine(minCosine(g.Cosines)))
		far.Rows, far.Values = append(far.Rows, g.Name), append(far.Values, g.Relative)
	}
	text += "\n" + groups.String()
	text += "\nhow far from the base: ‖δ‖/‖base‖\n" + a.heat(far)
	if _, err := fmt.Fprint(a.out, text); err != nil {
		return err
	}
	return warn(a, in.Warnings)
}

// heat draws a heat map in the colours that the terminal has, in none elsewhere.
func (a *app) heat(m *chart.HeatMap) string {
	width, names := 0, 0
	for _, c := range m.Cols {
		width += min(chart.Width(c), 10) + 8
	}
	for _, r := range m.Rows {
		names = max(names, chart.Width(r))
	}
	c := chart.NewCanvas(min(width+names+2, 116), len(m.Rows)+1, chart.Braille)
	m.Draw(c)
	text := ""
	for _, line := range c.Lines(chart.NewTheme(a.profile, false)) {
		text += "  " + strings.TrimRight(line, " ") + "\n"
	}
	return visible.Styled(text)
}

func cosine(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return explore.Decimal(v, 2)
}

func twoDecimals(v, _ float64) string { return explore.Decimal(v, 2) }
func threeDigits(v, _ float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
func figureOf(v float64) string       { return strconv.FormatFloat(v, 'g', 4, 64) }
func percent(v float64) string        { return strconv.FormatFloat(100*v, 'f', 1, 64) + " %" }

// minCosine is the smallest cosine of two different models, NaN where there is one model.
func minCosine(cos [][]float64) float64 {
	least := math.NaN()
	for i := range cos {
		for j := range i {
			if v := cos[i][j]; math.IsNaN(least) || v < least {
				least = v
			}
		}
	}
	return least
}
