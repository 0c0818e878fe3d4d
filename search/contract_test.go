package search_test

import (
	"context"
	"testing"

	"parfait/search"
	"parfait/search/searchtest"
)

// Every strategy of the registry keeps the contract.
func TestStrategiesKeepTheirContract(t *testing.T) {
	for _, info := range search.Strategies() {
		t.Run(info.Name, func(t *testing.T) {
			if testing.Short() && (info.Looks || info.Name == "bayesian") {
				t.Skip("in short it is enough that one of those that look does so, below")
			}
			searchtest.Run(t, searchtest.Subject{Info: info, New: func() (search.Strategy, error) { return search.New(info.Name, nil) }})
		})
	}
}

// So does one that is told where to look.
func TestWhoLooksKeepsTheContract(t *testing.T) {
	floor := search.Floor{Task: "guard", Least: true, Value: 0.4}
	focus := search.Focus{Wishes: search.Wishes{Floors: []search.Floor{floor}, Weights: map[string]float64{"rate": 1}}}
	for _, info := range search.Strategies() {
		if !info.Looks || testing.Short() && info.Name != "adaptive" {
			continue
		}
		t.Run(info.Name, func(t *testing.T) {
			searchtest.Run(t, searchtest.Subject{Info: info, New: func() (search.Strategy, error) {
				s, err := search.New(info.Name, nil)
				return lookingAt{s, focus}, err
			}})
		})
	}
}

type lookingAt struct {
	search.Strategy
	focus search.Focus
}

func (l lookingAt) Ask(ctx context.Context, q search.Question) (search.Proposal, error) {
	q.Focus = &l.focus
	return l.Strategy.Ask(ctx, q)
}
