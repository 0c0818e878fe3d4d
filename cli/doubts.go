package cli

import (
	"fmt"
	"io"
	"strings"

	"parfait/study"
)

// The marks of tasks: in tables, and before what is said of them.
const (
	markGood    = "●"
	markCliff   = "~" // believed, but for what is beside a cliff or a trial that is fitted apart
	markNoise   = "≈" // believed, as far as the noise of the evaluation allows, which is not far
	markFlagged = "!"
)

func trustMark(an *study.Analysis, task int) string {
	switch {
	case an.Flagged(task) != "":
		return markFlagged
	case an.Fits[task].Trust.Cliff, len(an.Fits[task].Trust.Apart) > 0:
		return markCliff
	case an.Fits[task].Trust.NoiseLimited:
		return markNoise
	}
	return markGood
}

// remarks are what there is to say of tasks, each once with the names of all that it is true of.
type remarks struct {
	texts []string
	names map[string][]string
}

func (r *remarks) add(mark, task, text string) {
	if text == "" {
		return
	}
	if r.names == nil {
		r.names = map[string][]string{}
	}
	text = mark + "\x00" + text
	if r.names[text] == nil {
		r.texts = append(r.texts, text)
	}
	r.names[text] = append(r.names[text], task)
}

func (r *remarks) print(w io.Writer) error {
	for _, t := range r.texts {
		mark, text, _ := strings.Cut(t, "\x00")
		if _, err := fmt.Fprintf(w, "  %s%s: %s\n", mark, strings.Join(r.names[t], ", "), text); err != nil {
			return err
		}
	}
	return nil
}

// printDoubts says which tasks' predictions should not be believed, or not everywhere, and which do not vary.
func (a *app) printDoubts(w io.Writer, an *study.Analysis) error {
	var r remarks
	for _, f := range an.Fits {
		if f.Trust.Flagged {
			r.add(markFlagged+" ", f.Task, f.Trust.Why)
		}
	}
	for i, f := range an.Fits {
		r.add(trustMark(an, i)+" ", f.Task, f.Trust.CliffWhy)
		r.add(trustMark(an, i)+" ", f.Task, an.Apart(i))
		if f.Trust.Constant || f.Trust.NoiseLimited {
			r.add(trustMark(an, i)+" ", f.Task, f.Trust.Why)
		}
	}
	return r.print(w)
}

// printUntested says that no figure of trust speaks of the front, where that is so.
func printUntested(w io.Writer, an *study.Analysis) error {
	if an.Untested == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "  ! %s\n", an.Untested)
	return err
}

// maxOdd is how many trials that are far from all others are listed of a task.
const maxOdd = 3

// odd names the trials that are far from what all others predict there.
func odd(an *study.Analysis, task int) string {
	f := an.Fits[task]
	var parts []string
	for k, i := range f.Trust.Outliers {
		if k == maxOdd {
			parts = append(parts, fmt.Sprintf("and %d more", len(f.Trust.Outliers)-k))
			break
		}
		t := an.Trials[f.Used[i]]
		parts = append(parts, fmt.Sprintf("trial %d measured %s, predicted without it %s",
			t.ID, plain(an.Tasks[task], t.Metrics[f.Task].Value), plain(an.Tasks[task], f.Trust.LOO[i])))
	}
	return strings.Join(parts, "; ")
}
