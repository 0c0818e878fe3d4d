package cli

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"parfait/study"
	"parfait/surrogate"
	"parfait/visible"
)

func (a *app) trustCommand() *cobra.Command {
	check := false
	cmd := a.onStudy(&cobra.Command{
		Use:   "trust",
		Short: "Say how far to believe the predictions",
		Long: "For every task: Q², the share of the variance that the surrogate predicts of trials it has not seen (leave-one-out), the ceiling that noise sets to it, the worst such prediction, and how many fall within their 90 % interval. " +
			"A task that should not be believed is flagged, with the reason: a low Q², trials that read far from what all others predict there, or a front that is untested, which flags every task. ~ marks a task that collapses in part of the region. Beside it stands the Q² of a quadratic on the same trials: where it is as high, the landscape is as simple as a quadratic. Below stands what the newest batch was expected to add to the measured hypervolume, where the strategy can tell. docs/trust.md explains.",
	}, analysed, func(cmd *cobra.Command, s *study.Study, snap *study.Snapshot) error {
		quadratic, err := snap.Analysis.Quadratic(cmd.Context())
		if err != nil {
			return err
		}
		if a.json {
			c := snap.Analysis.Surrogate
			j := trustsJSON{snap.Dir, surrogateJSON{cmp.Or(string(c.Kind), "auto"), c.Plain}, trustsOf(snap.Analysis), map[string]number{}, snap.Analysis.Untested, nil}
			if len(snap.Batches) > 0 {
				newest := batchOf(snap.Newest())
				j.Newest = &newest
			}
			for i, f := range snap.Analysis.Fits {
				j.Quadratic[f.Task] = number(quadratic[i].Q2)
			}
			err = a.printJSON(a.out, j)
		} else {
			err = a.printTrust(snap, quadratic)
		}
		if check && err == nil {
			err = unbelievable(snap)
		}
		return err
	})
	cmd.Flags().BoolVar(&check, "check", false, "end with exit code 10 where a task is flagged, which an untested front does to every task")
	return cmd
}

// unbelievable is the failed check of a study in which tasks are flagged; nil where none is.
func unbelievable(snap *study.Snapshot) error {
	an := snap.Analysis
	var flagged []string
	for i, t := range an.Tasks {
		if an.Flagged(i) != "" {
			flagged = append(flagged, t.Name)
		}
	}
	if len(flagged) == 0 {
		return nil
	}
	return &fault{exit: ExitMismatch, what: snap.Name + ": what is predicted of these tasks should not be believed: " + strings.Join(flagged, ", ")}
}

type trustsJSON struct {
	Study     string               `json:"study"`
	Surrogate surrogateJSON        `json:"surrogate"`
	Trust     map[string]trustJSON `json:"trust"`
	Quadratic map[string]number    `json:"quadratic_q2"`       // of quadratics on the same trials
	Untested  string               `json:"untested,omitempty"` // why none of this speaks of the front
	Newest    *batchJSON           `json:"newest_batch,omitempty"`
}

// surrogateJSON is what study.yaml asks for; the fitter of a task is what came of it.
type surrogateJSON struct {
	Kind  string `json:"kind"`
	Plain bool   `json:"plain"`
}

func (a *app) printTrust(snap *study.Snapshot, quadratic []surrogate.Trust) error {
	an := snap.Analysis
	out := a.sheet(left(""), left("task"), right("Q²"), right("ceiling"), right("off by"), right("worst"), right("at trial"), right("in 90 %"), right("trials"), right("quadratic's Q²"), left("surrogate"))
	for i, f := range an.Fits {
		t, task := f.Trust, an.Tasks[i]
		fitter, q2, ceiling, beside := t.Fitter, hundredths(t.Q2), hundredths(t.Ceiling), hundredths(quadratic[i].Q2)
		if t.Constant { // there is nothing to predict
			fitter, q2, ceiling, beside = fitter+" (the task does not vary)", "–", "–", "–"
		}
		out.add(trustMark(an, i), f.Task, q2, ceiling, plain(task, t.RMSE), plain(task, t.Worst),
			strconv.Itoa(worstTrial(an, f, t)), fmt.Sprintf("%.0f %%", 100*t.Coverage), strconv.Itoa(t.N), beside, fitter)
	}
	if _, err := fmt.Fprintf(a.out, "%s: predictions of trials left out, %s; surrogate: %s\n%s", visible.Line(snap.Name), count(len(an.Trials), "trial"), an.Surrogate, out); err != nil {
		return err
	}
	var r remarks
	for i, f := range an.Fits {
		for _, text := range []string{f.Trust.Why, odd(an, i), f.Trust.CliffWhy, an.Apart(i), f.Trust.Note} {
			r.add("", f.Task, text)
		}
	}
	for i, f := range an.Fits {
		if note := quadratic[i].Note; note != f.Trust.Note {
			r.add("the quadratic beside ", f.Task, note)
		}
	}
	if err := r.print(a.out); err != nil {
		return err
	}
	if said := snap.Newest().String(); said != "" {
		if _, err := fmt.Fprintf(a.out, "  %s\n", said); err != nil {
			return err
		}
	}
	return printUntested(a.out, an)
}
