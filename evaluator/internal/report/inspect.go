package report

import (
	"encoding/json"
	"fmt"

	"parfait/evaluator"
)

// inspectLog is what is read of a log of inspect-ai, of one task: what it is, how it ended, and for each scorer its
// metrics.
type inspectLog struct {
	Status string `json:"status"`
	Eval   struct {
		Task string `json:"task"`
	} `json:"eval"`
	Results *struct {
		Completed int            `json:"completed_samples"`
		Scores    []inspectScore `json:"scores"`
	} `json:"results"`
	Error *struct {
		Message string `json:"message"`
	} `json:"error"`
}

type inspectScore struct {
	Name    string `json:"name"`
	Scored  *int   `json:"scored_samples"`
	Metrics map[string]struct {
		Value json.RawMessage `json:"value"`
	} `json:"metrics"`
}

// Inspect makes one result in the form of lm-eval's of the logs of inspect-ai, one a task: the scorer stands in the place
// of the filter ("accuracy,match"), and a stderr is that of the accuracy or the mean. ok is false where one of them is
// no such log.
func Inspect(logs [][]byte) (result []byte, ok bool, err error) {
	results, samples := map[string]any{}, map[string]any{}
	for _, b := range logs {
		var log inspectLog
		if json.Unmarshal(NullForNaN(b), &log) != nil || log.Eval.Task == "" || log.Status == "" {
			return nil, false, nil
		}
		if log.Status != "success" || log.Results == nil {
			why := ""
			if log.Error != nil {
				why = ": " + Snippet([]byte(log.Error.Message))
			}
			return nil, true, evaluator.Errorf(evaluator.BadMetrics, "the log of the task %q ends with the status %q%s", log.Eval.Task, log.Status, why)
		}
		if results[log.Eval.Task] != nil {
			return nil, true, evaluator.Errorf(evaluator.BadMetrics, "there are two logs of the task %q", log.Eval.Task)
		}
		figures := map[string]any{}
		n := log.Results.Completed
		for _, s := range log.Results.Scores {
			for name, m := range s.Metrics {
				if name == "stderr" {
					figures["accuracy_stderr,"+s.Name], figures["mean_stderr,"+s.Name] = m.Value, m.Value
					continue
				}
				figures[name+","+s.Name] = m.Value
			}
			if s.Scored != nil && len(log.Results.Scores) == 1 {
				n = *s.Scored
			}
		}
		results[log.Eval.Task] = figures
		if n > 0 {
			samples[log.Eval.Task] = map[string]any{"effective": n}
		}
	}
	if len(results) == 0 {
		return nil, false, nil
	}
	result, err = json.Marshal(map[string]any{"results": results, "n-samples": samples})
	if err != nil {
		return nil, true, fmt.Errorf("the logs of inspect-ai: %w", err)
	}
	return result, true, nil
}
