package search_test

import (
	"testing"

	"parfait/search"
	"parfait/search/searchtest"
)

// Every strategy of the registry keeps the contract.
func TestStrategiesKeepTheirContract(t *testing.T) {
	for _, info := range search.Strategies() {
		t.Run(info.Name, func(t *testing.T) {
			searchtest.Run(t, searchtest.Subject{Info: info, New: func() (search.Strategy, error) { return search.New(info.Name, nil) }})
		})
	}
}
