package study

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"parfait/evaluator"
	"parfait/merge"
	"parfait/visible"
)

// studyReceipt is what a study adds to the engine's receipt.
type studyReceipt struct {
	merge.Receipt
	Study     string                `json:"study"`
	Trials    int                   `json:"trials"` // behind the predictions
	Predicted map[string]Prediction `json:"predicted"`
	Doubt     string                `json:"doubt,omitempty"` // why Predicted is not to be believed
	Warned
	Measured map[evaluator.Split]evaluator.Metrics `json:"measured"`
	Why      string                                `json:"why,omitempty"`
	Who      string                                `json:"who,omitempty"`
}

func receiptJSON(r studyReceipt) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(r)
	return []byte(visible.Text(b.String())), err
}

// verifyExport measures an export and writes what it saw into its receipt, its card and the history, after
// each evaluator's answer.
func (s *Study) verifyExport(ctx context.Context, e *Export, receipt studyReceipt, progress func(merge.Progress)) (err error) {
	m, err := s.exportMeasurer()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	for _, split := range []evaluator.Split{evaluator.Validation, evaluator.Test} {
		if !m.offered(split) {
			continue
		}
		stage := "measure " + string(split)
		progress(merge.Progress{Stage: stage})
		measured := evaluator.Metrics{}
		if err := m.measure(ctx, exportQuestion{
			export: *e, split: split,
			progress: func(p evaluator.Progress) {
				progress(merge.Progress{Stage: stage, Done: int64(p.Done), Total: int64(p.Total)})
			},
			record: func(of evaluator.Metrics) error {
				maps.Copy(measured, of)
				e.Measured[split], receipt.Measured[split] = measured, measured
				return s.restate(*e, receipt)
			},
		}); err != nil {
			return err
		}
	}
	return nil
}

// restate writes what is known of an export by now.
func (s *Study) restate(e Export, receipt studyReceipt) error {
	b, err := receiptJSON(receipt)
	if err != nil {
		return err
	}
	if err := replaceFile(e.Receipt, b); err != nil {
		return err
	}
	if err := replaceFile(filepath.Join(e.Out, "README.md"), s.modelCard(e, receipt.Why, receipt.Created)); err != nil {
		return err
	}
	defer s.changed()
	return s.store.Explain(s.store.updateExport(e))
}

// replaceFile writes a file whole or not at all, and makes sure that it is on the disk.
func replaceFile(path string, b []byte) error {
	if err := renameio.WriteFile(path, b, 0o644); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
