package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"parfait/explore"
	"parfait/study"
	"parfait/visible"
)

func (a *app) pickCommand() *cobra.Command {
	var w pointFlags
	var name, why string
	var list, anyway bool
	cmd := a.onStudy(&cobra.Command{
		Use:   "pick",
		Short: "Choose a trade-off and keep it, with the reason",
		Long: "Choose a point of the front and record it in the study with what is predicted there and why it was chosen; the reason goes into the receipt and the model card of its export. Nothing is written but the record. A point that is predicted to break a floor, study.yaml's or yours, is kept with --anyway only: a lower --at-least lets you look further down, and does not take study.yaml's floor away. What was kept so can be exported without saying it again; receipt and model card say which floor it breaks.\n\n" +
			"With --list the picks so far.",
		Example: "parfait pick my.study --knee\n\n# the best math among what keeps code\nparfait pick my.study --best math --at-least code=0.6 --why 'code may not fall below the base'",
	}, func(ctx context.Context, dir string) (*study.Study, *study.Snapshot, error) {
		if list {
			if s, snap, err := load(ctx, dir); err == nil {
				return s, snap, nil
			}
			return opened(ctx, dir) // what was picked needs no front
		}
		return analysed(ctx, dir)
	}, func(cmd *cobra.Command, s *study.Study, snap *study.Snapshot) error {
		if list {
			return a.listPicks(snap)
		}
		c, err := w.choose(cmd.Context(), snap)
		if err != nil {
			return err
		}
		if err := mayKeep(snap, c, anyway); err != nil {
			return err
		}
		p, err := s.SavePick(pickOf(snap, c, name, why))
		if err != nil {
			return err
		}
		c.Why = p.Why
		if a.json {
			return a.printJSON(a.out, pickJSON{ID: p.ID, Name: p.Name, choiceJSON: choiceOf(snap, c)})
		}
		if err := a.printChoice(a.out, snap, c); err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.out, "kept as %s\nexport it: parfait export %s --pick %s%s\n", visible.Line(p.Name), shown(snap.Dir), quoted(p.Name), verifying(snap))
		return err
	})
	w.add(cmd)
	completeTasks(cmd, "best", "order")
	cmd.Flags().StringVar(&name, "name", "", "its `NAME` (default: pick-N)")
	cmd.Flags().StringVar(&why, "why", "", "the `REASON`, for those who ask in a year (default: the choice in words)")
	anywayFlag(cmd, &anyway)
	cmd.Flags().BoolVar(&list, "list", false, "list the picks so far")
	return cmd
}

type pickJSON struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	choiceJSON
}

// pickOf is the record of a choice.
func pickOf(snap *study.Snapshot, c explore.Choice, name, why string) study.Pick {
	p := study.Pick{Name: name, X: c.X, Predicted: map[string]study.Prediction{}, Why: why, Who: who(), Anyway: study.BrokenFloors(snap.Tasks, c.Predicted), Wishes: c.Wishes}
	if p.Name == "" {
		p.Name = fmt.Sprintf("pick-%d", len(snap.Picks)+1)
	}
	if p.Why == "" {
		p.Why = c.Why
	}
	for i, t := range snap.Tasks {
		p.Predicted[t.Name] = c.Predicted[i]
	}
	return p
}

type picksJSON struct {
	Study string          `json:"study"`
	Picks []savedPickJSON `json:"picks"`
}

type savedPickJSON struct {
	ID           int                       `json:"id"`
	Name         string                    `json:"name"`
	Coefficients map[string]number         `json:"coefficients"`
	Predicted    map[string]predictionJSON `json:"predicted"`
	Why          string                    `json:"why"`
	BelowBase    []string                  `json:"below_base"` // objectives predicted worse than the base now; null: not known
	Anyway       []string                  `json:"anyway"`     // tasks whose floors it was kept in spite of
	Who          string                    `json:"who"`
	At           time.Time                 `json:"at"`
}

func (a *app) listPicks(snap *study.Snapshot) error {
	j := picksJSON{snap.Dir, []savedPickJSON{}}
	titles := []column{right("pick"), left("name")}
	for _, t := range snap.Tasks {
		titles = append(titles, right(t.Name+" "+arrow(t)))
	}
	out := a.sheet(append(titles, left("when"), left(""), left("why").spared(1))...)
	objectives := 0
	if snap.Analysis != nil {
		objectives = len(snap.Analysis.Objectives)
	}
	for _, p := range snap.Picks {
		j.Picks = append(j.Picks, savedPickJSON{p.ID, p.Name, coefficientsOf(snap.Space, p.X), namedPredictions(p.Predicted), p.Why, belowNow(snap, p), orEmpty(p.Anyway), p.Who, p.At})
		cells := []string{strconv.Itoa(p.ID), p.Name}
		for _, t := range snap.Tasks {
			cells = append(cells, predicted(t, p.Predicted[t.Name]))
		}
		out.add(append(cells, p.At.Local().Format("2006-01-02 15:04"), belowOf(objectives, belowNow(snap, p)), p.Why)...)
	}
	switch {
	case a.json:
		return a.printJSON(a.out, j)
	case len(snap.Picks) == 0:
		_, err := fmt.Fprintf(a.out, "nothing was picked yet\n  → parfait pick %s --knee\n", shown(snap.Dir))
		return err
	}
	_, err := fmt.Fprint(a.out, out)
	return err
}

// belowNow are the objectives on which a pick is predicted below the base by what is known now; nil where that is not known.
func belowNow(snap *study.Snapshot, p study.Pick) []string {
	if snap.Analysis == nil || len(p.X) != len(snap.Space.Coefficients) {
		return nil
	}
	return snap.Analysis.BelowBaseNames(snap.Analysis.Predict(p.X))
}
