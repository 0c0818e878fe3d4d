package study

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"parfait/history"
	"parfait/problem"
	"parfait/search"
	"parfait/yamldoc"
)

// Words of a focus in study.yaml and flags.
const (
	FocusNone   = "none"   // the search looks for the whole front
	FocusWishes = "wishes" // it looks at what the tasks' own floors ask for
)

// Where a focus that was asked for stands in the history: "" where nobody has asked, and study.yaml's counts. What
// settles a pick stands beside it, and is gone when the answer is known.
const (
	metaFocus  = "focus"
	metaSettle = "settle"
)

// focusOf is where the search looks by the history: nil where it looks for the whole front.
func (s *Study) focusOf(meta map[string]string) *search.Focus {
	for _, key := range []string{metaSettle, metaFocus} {
		text := meta[key]
		if text == FocusNone {
			return nil
		}
		var f search.Focus
		if text != "" && json.Unmarshal([]byte(text), &f) == nil {
			return &f
		}
	}
	if w := s.spec().Search.Focus; w != nil {
		return &search.Focus{Wishes: *w}
	}
	return nil
}

// checkFocus says why the search cannot look there.
func (s *Study) checkFocus(f *search.Focus) error {
	if f == nil {
		return nil
	}
	return s.spec().checkFocus(*f)
}

func (s *Spec) checkFocus(f search.Focus) error {
	zeros := make([]float64, len(s.Tasks))
	if _, err := search.NewAim(searchTasks(s.Tasks), f.Wishes, zeros, zeros); err != nil {
		return inputError("focus", "%s", problem.Text(err))
	}
	if f.Pick != nil {
		return nil
	}
	if can := search.CanLook(); !slices.Contains(can, s.Search.Strategy) {
		return &Error{
			Code: CodeInput, Where: "focus", What: fmt.Sprintf("the strategy %s goes its own way and cannot be told where to look", s.Search.Strategy),
			Fix: "choose another in " + SpecFile + ": " + strings.Join(can, ", "),
		}
	}
	return nil
}

// setFocus records where the search is to look from now on; nil: nowhere in particular. What was exhausted may not be, there.
func setFocus(change *history.Change, f *search.Focus) error {
	values := map[string]string{"exhausted": "", metaSettle: ""}
	switch {
	case f == nil:
		values[metaFocus] = FocusNone
	case f.Pick != nil:
		values[metaSettle] = mustJSON(f)
	default:
		values[metaFocus] = mustJSON(f)
	}
	for _, key := range []string{"exhausted", metaSettle, metaFocus} {
		if v, ok := values[key]; ok {
			if err := change.Set(key, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// Standing is how a merge stands among its rivals, by wishes, and what it would cost to know: see search.StandingOf. It
// fits surrogates and draws them a thousand times: not for the goroutine that draws.
func (s *Snapshot) Standing(ctx context.Context, f search.Focus) (*search.Standing, error) {
	q := s.Question()
	q.Focus = &f
	return search.StandingOf(ctx, q)
}

// focus reads none, wishes, or {floors, aspire, weights}.
func (specReader) focus(n yamldoc.Node) *search.Wishes {
	if !n.IsMapping() {
		if n.Word("focus", FocusNone, FocusWishes) == FocusWishes {
			return &search.Wishes{}
		}
		return nil
	}
	numbers := func(n yamldoc.Node) map[string]float64 {
		out := map[string]float64{}
		n.Each(func(task string, v yamldoc.Node) { out[task] = v.Float() })
		return out
	}
	var w search.Wishes
	n.Fields(map[string]func(yamldoc.Node){
		"floors": func(n yamldoc.Node) {
			n.Each(func(task string, v yamldoc.Node) {
				w.Floors = append(w.Floors, search.Floor{Task: task, Value: v.Float()})
			})
		},
		"aspire":  func(n yamldoc.Node) { w.Aspire = numbers(n) },
		"weights": func(n yamldoc.Node) { w.Weights = numbers(n) },
	})
	return &w
}

// checkFocus says at its line what is wrong with the focus of search, once the tasks are known, and which way its floors
// go: at least, or at most where less of a task is better.
func (r specReader) checkFocus(s *Spec) {
	w := s.Search.Focus
	if w == nil {
		return
	}
	for i := range w.Floors {
		w.Floors[i].Least = !slices.ContainsFunc(s.Tasks, func(t Task) bool { return t.Name == w.Floors[i].Task && t.Sense == Minimize })
	}
	if err := s.checkFocus(search.Focus{Wishes: *w}); err != nil {
		what, fix := problem.Split(err)
		text := strings.TrimPrefix(what, "focus: ")
		if fix != "" {
			text += ": " + fix
		}
		r.looks.Failf("%s", text)
	}
}
