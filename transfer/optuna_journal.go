package transfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
)

// operations of Optuna's journal.
const (
	createStudy = 0
	studyUser   = 2
	studySystem = 3
	createTrial = 4
)

// writeJournal writes a line of JSON for each operation that makes the study: itself, its attributes, and each trial whole.
func writeJournal(path string, o optunaStudy) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	var errs []error
	put := func(op int, fields map[string]any) {
		fields["op_code"], fields["worker_id"] = op, "parfait"
		if op != createStudy {
			fields["study_id"] = 0
		}
		errs = append(errs, enc.Encode(fields))
	}
	directions := make([]int, len(o.minimize))
	for i, down := range o.minimize {
		if directions[i] = 2; down {
			directions[i] = 1
		}
	}
	put(createStudy, map[string]any{"study_name": o.name, "directions": directions})
	put(studySystem, map[string]any{"system_attr": map[string]any{metricNames: o.names}})
	for _, key := range sorted(o.attributes) {
		put(studyUser, map[string]any{"user_attr": map[string]any{key: o.attributes[key]}})
	}
	for _, t := range o.trials {
		line := map[string]any{
			"state": int(t.state), "value": nil, "values": nil, "datetime_start": nil, "params": orEmpty(t.params), "distributions": orEmpty(t.distribution),
			"user_attrs": t.user, "system_attrs": t.system, "intermediate_values": map[string]any{},
		}
		switch len(t.values) {
		case 0:
		case 1:
			line["value"] = t.values[0]
		default:
			line["values"] = t.values
		}
		if !t.started.IsZero() {
			line["datetime_start"] = t.started.UTC().Format(journalTime)
		}
		if !t.ended.IsZero() {
			line["datetime_complete"] = t.ended.UTC().Format(journalTime)
		}
		put(createTrial, line)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

const journalTime = "2006-01-02T15:04:05.000000+00:00"

func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}
