package study

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"parfait/evaluator"
	"parfait/internal/stage"
	"parfait/merge"
)

// studyReceipt is what a study adds to the engine's receipt.
type studyReceipt struct {
	merge.Receipt
	Study     string                `json:"study"`
	StudyID   string                `json:"study_id,omitempty"` // random, the study's own
	StudyDir  string                `json:"study_dir"`
	Export    string                `json:"export"` // its name in the study
	Trials    int                   `json:"trials"` // behind the predictions
	Predicted map[string]Prediction `json:"predicted"`
	Doubt     string                `json:"doubt,omitempty"` // why Predicted is not to be believed
	Warned
	Measured map[evaluator.Split]evaluator.Metrics `json:"measured"`
	Gains    []Gains                               `json:"gains,omitempty"` // of what was measured on validation
	// BesideFiles says of which tasks the figures are not of the written files, and why.
	BesideFiles map[string]string `json:"measured_beside_files,omitempty"`
	Why         string            `json:"why,omitempty"`
	Who         string            `json:"who,omitempty"`

	sign     func([]byte) ([]byte, error) // nil: it is not signed
	unsigned error                        // why it could not be signed
}

// cardFile is an export's model card.
const cardFile = "README.md"

// with is the receipt beside a model card: its bytes.
func (r *studyReceipt) with(card []byte) ([]byte, error) {
	r.Documents = []merge.Document{r.Document(cardFile, card)}
	return merge.ReceiptJSON(r)
}

// verifyExport measures an export and writes what it saw into its receipt, its card and the history, after
// each evaluator's answer.
func (s *Study) verifyExport(ctx context.Context, e *Export, receipt *studyReceipt, progress func(merge.Progress)) (err error) {
	m, err := s.exportMeasurer()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	a := s.Snapshot().Analysis
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
			record: func(of evaluator.Metrics, beside string) error {
				maps.Copy(measured, of)
				e.beside(of, beside)
				receipt.BesideFiles = e.BesideFiles
				e.Measured[split], receipt.Measured[split] = measured, measured
				if split == evaluator.Validation && a != nil {
					receipt.Gains = a.Gains(measured)
				}
				return s.restate(e, receipt)
			},
		}); err != nil {
			return err
		}
	}
	return nil
}

// beside notes why figures are not of the written files; "" where they are.
func (e *Export) beside(of evaluator.Metrics, why string) {
	if why == "" {
		return
	}
	e.BesideFiles = maps.Clone(e.BesideFiles)
	if e.BesideFiles == nil {
		e.BesideFiles = map[string]string{}
	}
	for task := range of {
		e.BesideFiles[task] = why
	}
}

// restate writes what is known of an export by now.
func (s *Study) restate(e *Export, receipt *studyReceipt) error {
	defer s.changed()
	steps, err := s.restating(e, receipt)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// restating is how a receipt comes to its place, step by step. The history keeps the hash of the one that is coming, and
// that of the one before until the new one is there, so that the export is as its study says wherever this ends; an old
// signature goes first, for it is of the receipt before. Where the history cannot be written, what was measured still
// gets into the receipt.
func (s *Study) restating(e *Export, receipt *studyReceipt) ([]func() error, error) {
	card := s.modelCard(*e, receipt.Gains, receipt.Why, receipt.Created)
	b, err := receipt.with(card)
	if err != nil {
		return nil, err
	}
	signature := filepath.Join(e.Out, merge.SignatureFile)
	var kept error
	return []func() error{
		func() error {
			e.ReceiptNext = receiptHash(b)
			kept = s.store.Explain(s.store.updateExport(*e))
			return nil
		},
		func() error { return removeFile(signature) },
		func() error { return replaceFile(e.Receipt, b) },
		func() error { return replaceFile(filepath.Join(e.Out, cardFile), card) },
		func() error {
			if sig := receipt.signature(b); sig != nil {
				return replaceFile(signature, sig)
			}
			return nil
		},
		func() error {
			if kept != nil {
				return kept
			}
			e.ReceiptHash, e.ReceiptNext = e.ReceiptNext, ""
			return s.store.Explain(s.store.updateExport(*e))
		},
	}, nil
}

// signature is that of the receipt's bytes, nil where nobody signs. Who could not sign once is not asked again: an
// export is not thrown away for that, nor what is measured of it.
func (r *studyReceipt) signature(b []byte) []byte {
	if r.sign == nil || r.unsigned != nil {
		return nil
	}
	sig, err := r.sign(b)
	r.unsigned = err
	return sig
}

// replaceFile writes a file whole or not at all, and makes sure that it is on the disk.
func replaceFile(path string, b []byte) error {
	if err := renameio.WriteFile(path, b, 0o644); err != nil {
		return err
	}
	return stage.OS{}.SyncDir(filepath.Dir(path))
}

// removeFile removes a file, if there is one, and makes sure of that.
func removeFile(path string) error {
	switch err := os.Remove(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return stage.OS{}.SyncDir(filepath.Dir(path))
}
