package evaluator

import (
	"encoding/json"
	"strings"
)

// CoefficientsJSON writes coefficients as a JSON object from name to value, in their own order. What is not
// finite cannot be written.
func CoefficientsJSON(at []Coefficient) (json.RawMessage, error) {
	var parts []string
	for _, c := range at {
		name, err := json.Marshal(c.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(c.Value)
		if err != nil {
			return nil, Errorf(BadCandidate, "the coefficient %s cannot be written as JSON: %w", c.Name, err)
		}
		parts = append(parts, string(name)+": "+string(value))
	}
	return json.RawMessage("{" + strings.Join(parts, ", ") + "}"), nil
}
