package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"parfait/explore"
	"parfait/search"
	"parfait/study"
	"parfait/visible"
)

func (a *app) barriersCommand() *cobra.Command {
	return a.onStudy(&cobra.Command{
		Use:   "barriers",
		Short: "Say what stands between every two models",
		Long: "For every two models and every task: how far the metric falls below the straight line between its values at both ends, at the worst point measured between them, and whether noise explains that: where there is no barrier, one is seen on any of all lines and tasks once in twenty times (the largest of all points of a line, and Holm over lines and tasks). " +
			"Whether it is cannot be said where the evaluator reports neither a standard error nor, of a rate, the number of items. Where it is, no coefficient between the two will help: they do not lie in one basin. The strategy barrier measures such lines; points that others happened to measure there count too.",
	}, load, func(cmd *cobra.Command, s *study.Study, snap *study.Snapshot) error {
		lines, err := snap.Lines()
		if err != nil {
			return err
		}
		if len(lines) == 0 {
			return &fault{exit: ExitNoAnswer, what: snap.Name + ": nothing was measured between two models", fix: "a study with `search: {strategy: barrier}` does that"}
		}
		if a.json {
			return a.printJSON(a.out, barriersOf(snap, lines))
		}
		return a.printBarriers(snap, lines)
	})
}

type barriersJSON struct {
	Study   string     `json:"study"`
	Verdict string     `json:"verdict"`
	Lines   []lineJSON `json:"lines"`
}

type lineJSON struct {
	A        string                 `json:"a"`
	B        string                 `json:"b"`
	Places   []placeJSON            `json:"places"`
	Barriers map[string]barrierJSON `json:"barriers"` // a task; those that are known
}

type placeJSON struct {
	At      number            `json:"at"` // of the way from a to b
	Metrics map[string]number `json:"metrics"`
	Failed  bool              `json:"failed,omitempty"`
}

type barrierJSON struct {
	Height number `json:"height"` // below the straight line; 0: nowhere
	Stderr number `json:"stderr"` // null: unknown, and then Real is false, whatever the height
	At     number `json:"at"`
	P      number `json:"p"`    // probability that noise alone makes a point of this line fall as far
	Real   bool   `json:"real"` // noise does not explain it, of as many lines and tasks
}

func barriersOf(snap *study.Snapshot, lines []search.Line) barriersJSON {
	out := barriersJSON{Study: snap.Dir, Verdict: explore.Verdict(snap.Tasks, lines), Lines: []lineJSON{}}
	holes := explore.Holes(snap.Tasks, lines)
	for k, l := range lines {
		j := lineJSON{A: l.A, B: l.B, Places: []placeJSON{}, Barriers: map[string]barrierJSON{}}
		for _, p := range l.Points {
			place := placeJSON{At: number(p.At), Metrics: map[string]number{}, Failed: p.Failed}
			for i, t := range snap.Tasks {
				if !p.Failed && i < len(p.Y) {
					place.Metrics[t.Name] = number(p.Y[i].Value)
				}
			}
			j.Places = append(j.Places, place)
		}
		for i, h := range holes[k] {
			if h.Known {
				j.Barriers[snap.Tasks[i].Name] = barrierJSON{number(h.Height), known(h.Stderr), number(h.At), number(h.P), h.Real}
			}
		}
		out.Lines = append(out.Lines, j)
	}
	return out
}

func (a *app) printBarriers(snap *study.Snapshot, lines []search.Line) error {
	titles := []column{left("from"), left("to"), right("measured")}
	for _, t := range snap.Tasks {
		titles = append(titles, right(t.Name))
	}
	out := a.sheet(titles...)
	holes := explore.Holes(snap.Tasks, lines)
	for k, l := range lines {
		row := []string{l.A, l.B, fmt.Sprint(len(l.Points))}
		for i, h := range holes[k] {
			cell := "—"
			if h.Known {
				if cell = plain(snap.Tasks[i], h.Height); h.Stderr > 0 {
					cell += " ±" + explore.Spread(snap.Tasks[i], h.Stderr)
				}
				switch {
				case h.Real:
					cell = "! " + cell
				case h.Unsure():
					cell = "? " + cell
				}
			}
			row = append(row, cell)
		}
		out.add(row...)
	}
	_, err := fmt.Fprintf(a.out, "%s: %s\nhow far the metrics fall below the straight line, at the worst point between two models; ! noise does not explain, ? what of it is noise is not known\n%s",
		visible.Line(snap.Name), explore.Verdict(snap.Tasks, lines), out)
	return err
}
