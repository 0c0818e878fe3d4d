package search

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Focus is where somebody looks: the search then measures what may show them a better merge, and not all along the front.
type Focus struct {
	Wishes Wishes `json:"wishes"`
	Pick   *Pick  `json:"pick,omitempty"` // one that is to be settled; nil: the best under the wishes is looked for
}

// aim is that of the wishes and of the floors that tasks have of their own, where the wishes say nothing of them.
func (l *Landscape) aim(w Wishes) (*Aim, error) {
	w.Floors = slices.Clone(w.Floors)
	for _, f := range Floors(l.tasks) {
		if !slices.ContainsFunc(w.Floors, func(o Floor) bool { return o.Task == f.Task }) {
			w.Floors = append(w.Floors, f)
		}
	}
	a, err := l.Aim(w)
	if err != nil {
		return nil, err
	}
	a.above = aboveExpected
	return a, nil
}

// String is what is wished for in words: "code ≥ .60, math .50, most gsm8k"; "the most of every task" where that is nothing.
func (w Wishes) String() string {
	var words []string
	for _, f := range w.Floors {
		sign := " ≤ "
		if f.Least {
			sign = " ≥ "
		}
		words = append(words, f.Task+sign+value(f.Value))
	}
	for _, t := range slices.Sorted(maps.Keys(w.Aspire)) {
		words = append(words, t+" "+value(w.Aspire[t]))
	}
	var most []string
	for _, t := range slices.Sorted(maps.Keys(w.Weights)) {
		switch v := w.Weights[t]; {
		case v > 0 && len(w.Weights) > 1:
			most = append(most, t+"×"+short(v))
		case v > 0:
			most = append(most, t)
		}
	}
	if len(most) > 0 {
		words = append(words, "most "+strings.Join(most, " + "))
	}
	if len(words) == 0 {
		return "the most of every task"
	}
	return strings.Join(words, ", ")
}

// value writes a metric as it is written everywhere else: .60 and .605, with what is not between 0 and 1 as short does.
func value(v float64) string {
	rest, below1 := strings.CutPrefix(short(v), "0.")
	if !below1 {
		return short(v)
	}
	for len(rest) < 2 {
		rest += "0"
	}
	return "." + rest
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }

// Wanted says whether anything is.
func (w Wishes) Wanted() bool { return len(w.Floors)+len(w.Aspire)+len(w.Weights) > 0 }

// CanLook are the names of the strategies that can be told where to look.
func CanLook() []string {
	var names []string
	for _, i := range Strategies() {
		if i.Looks {
			names = append(names, i.Name)
		}
	}
	return names
}

// follows says that a strategy looks for one merge by rules of its own, and cannot be told where to look.
func (q *Question) follows(i Info) error {
	if q.Focus == nil || q.Focus.Pick != nil || i.Looks {
		return nil
	}
	return fail(BadQuestion, "strategy %q goes its own way and cannot be told where to look: choose one of %s, or take the focus away",
		i.Name, strings.Join(CanLook(), ", "))
}
