package search

import (
	"context"
	"fmt"
	"math"
)

// Pick is a merge that somebody has chosen and wants to be sure of.
type Pick struct {
	Name    string    `json:"name"`
	X       []float64 `json:"x"`
	Balance *Balance  `json:"balance,omitempty"` // of a knee; nil: it was chosen otherwise
}

// Balance is what a knee is chosen by: the geometric mean of the gains of some tasks, each from the worst to the best that
// the front has of it (pareto.Knee). Metric's scale.
type Balance struct {
	Worst map[string]float64 `json:"worst"`
	Best  map[string]float64 `json:"best"`
}

const (
	// Sure is the probability with which a pick is settled.
	Sure = 0.95
	// Indifferent is by how much a rival has to be better to count, in units of each task's measured range: two merges that
	// are closer are one to whoever has to choose, and no number of evaluations would part them.
	Indifferent = 0.01
	// hopeless is the probability of a decision below which evaluations are not spent on it.
	hopeless = 0.1
)

// Standing is how a pick stands among its rivals: everything measured, the base, the uniform average, each model alone, and
// the places that may be best. A rival is better where, by more than Indifferent, it comes nearer to the wishes; of a knee,
// where the balance of its gains is better; of a pick without either, where it is better on every optimised task. It has to
// keep floors as surely as the pick does that was chosen under them: with the probability they ask for, where the pick does so.
type Standing struct {
	Best   float64   // the probability that no rival is better
	Rival  []float64 // the one that is expected to be the best, of those that may be believed
	Better float64   // how probably
	Costs  []Cost    // what more evaluations are expected to do about it, the fewest first
}

// Cost is what so many more evaluations are expected to bring: the probability that they settle the pick, and that they
// show that a rival is better.
type Cost struct {
	Evaluations   int
	Settles, Ends float64
}

// Decided says whether the pick is settled, or beaten: that some rival is better is no answer before there is one that is so
// more likely than not.
func (s *Standing) Decided() bool { return s.Best >= Sure || s.Best <= 1-Sure && s.Better > 0.5 }

// Worth is how many more evaluations are worth asking for, and how probably they decide it: as many as decide it more likely
// than not, else all that were looked at; 0 where it is decided, or hardly any number would.
func (s *Standing) Worth() (evaluations int, chance float64) {
	if s.Decided() {
		return 0, 0
	}
	for _, c := range s.Costs {
		if evaluations, chance = c.Evaluations, max(chance, c.Settles+c.Ends); chance >= 0.5 {
			break
		}
	}
	if chance < hopeless {
		return 0, chance
	}
	return evaluations, chance
}

// chance is that of a decision by so many evaluations.
func (s *Standing) chance(evaluations int) float64 {
	most := 0.0
	for _, c := range s.Costs {
		if c.Evaluations <= evaluations {
			most = max(most, c.Settles+c.Ends)
		}
	}
	return most
}

// String is how the pick stands, and what it would cost to know.
func (s *Standing) String() string {
	text := fmt.Sprintf("the best within its rivals with probability %.2f", s.Best)
	verb := "evaluations decide"
	n, chance := s.Worth()
	if n == 1 {
		verb = "evaluation decides"
	}
	switch {
	case s.Decided():
		return text
	case n == 0:
		return text + ", and hardly any number of evaluations would tell: what is closer than the noise is one"
	case chance >= 0.5:
		return text + fmt.Sprintf("; about %d more %s it", n, verb)
	}
	return text + fmt.Sprintf("; %d more %s it with probability %.2f", n, verb, chance)
}

// StandingOf says how the pick of a question's focus stands by what was measured, and what as many evaluations as it looks
// ahead are expected to bring, whatever the budget leaves. *Error with NoData where too
// little was measured to say.
func StandingOf(ctx context.Context, q Question) (*Standing, error) {
	c, err := newContest(ctx, &q)
	if err != nil {
		return nil, err
	}
	s, _, err := c.judge(ctx)
	return s, err
}

// settle measures what is expected to decide whether the pick of the focus is the best within its rivals, until it is known
// with probability Sure or cannot be.
func settle(ctx context.Context, q *Question) (Proposal, error) {
	if q.starting(0) {
		return open(ctx, q, q.N)
	}
	c, err := newContest(ctx, q)
	if err != nil {
		return Proposal{}, err
	}
	s, next, err := c.judge(ctx)
	if err != nil {
		return Proposal{}, err
	}
	name := q.Focus.Pick.Name
	left, _ := q.left()
	switch {
	case s.Best >= Sure:
		return q.exhausted(fmt.Sprintf("%s is settled: %s", name, s)), nil
	case s.Decided():
		return q.exhausted(fmt.Sprintf("%s is not the best within its rivals: with probability %.2f one is better, most likely (%.2f) %s", name, 1-s.Best, s.Better, q.Space.words(s.Rival))), nil
	case len(next) == 0 || s.chance(lookAhead) < hopeless:
		return q.exhausted(fmt.Sprintf("%s cannot be settled: %s", name, s)), nil
	case s.chance(left) < hopeless:
		return q.exhausted(fmt.Sprintf("%s is not settled by the %d that the budget leaves: %s", name, left, s)), nil
	}
	var out Proposal
	taken := q.taken()
	for _, j := range next {
		if len(out.Points) == q.N {
			break
		}
		x := q.Space.tidy(c.xs[j])
		if j == 0 {
			x = c.xs[0] // as it was picked
		}
		if q.Space.known(x, taken) {
			continue
		}
		why := fmt.Sprintf("settles %s: may be better with probability %.2f", name, c.share(j))
		if j == 0 {
			why = "settles " + name + ": itself"
		}
		taken = append(taken, x)
		out.Points = append(out.Points, Proposed{X: x, Why: why})
	}
	if len(out.Points) == 0 {
		return q.exhausted(fmt.Sprintf("%s cannot be settled: %s, and every place that could tell has been asked for", name, s)), nil
	}
	out.Advice = Advice{Text: fmt.Sprintf("%s is %s", name, s)}
	return out, nil
}

// words are the coefficients of x that are not 0: "math 0.4, code 0.25".
func (s Space) words(x []float64) string {
	text := ""
	for i, c := range s.Coefficients {
		if v := s.tidy(x)[i]; math.Abs(v) > 0 {
			if text != "" {
				text += ", "
			}
			text += c.Name + " " + short(v)
		}
	}
	if text == "" {
		return "the base"
	}
	return text
}
