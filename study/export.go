package study

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"

	"parfait/evaluator"
	"parfait/merge"
)

// ExportRequest says what to write and where.
type ExportRequest struct {
	X         []float64
	Name      string // names the export in the study; "" for the last part of Out, or "pick-N"
	Out       string // folder, which must not exist; "" for exports/NAME in the study
	DType     string // "" as the study says
	ShardSize int64  // bytes, 0: 5 GB
	SHA256    bool   // add SHA-256 to the receipt
	Verify    bool   // measure the written model on validation and test
	Why       string
	Who       string
}

// ExportCost says what an export will take, before it starts.
type ExportCost struct {
	Out      string
	Bytes    int64
	Free     int64
	Estimate time.Duration // of writing and checking, from the last export here; 0: unknown
	Problems []string      // reasons why it cannot be; empty when it can
	Warnings []string
}

// ExportProgress is where a running export stands.
type ExportProgress struct {
	Stage     string // "merge", "check", "measure validation", "measure test", "done"
	Done      int64  // bytes, or items
	Total     int64
	Rate      float64 // a second
	Remaining time.Duration
}

// studyReceipt is what a study adds to the engine's receipt.
type studyReceipt struct {
	merge.Receipt
	Study     string                                `json:"study"`
	Trials    int                                   `json:"trials"` // behind the predictions
	Predicted map[string]Prediction                 `json:"predicted"`
	Measured  map[evaluator.Split]evaluator.Metrics `json:"measured"`
	Why       string                                `json:"why,omitempty"`
	Who       string                                `json:"who,omitempty"`
}

// settleExport fills in the request's defaults.
func (s *Study) settleExport(r ExportRequest) ExportRequest {
	if r.Name == "" && r.Out != "" {
		r.Name = filepath.Base(r.Out)
	}
	if r.Name == "" {
		for i := 1; ; i++ {
			r.Name = fmt.Sprintf("pick-%d", i)
			if _, err := os.Lstat(filepath.Join(s.dir, "exports", r.Name)); errors.Is(err, fs.ErrNotExist) {
				break
			}
		}
	}
	if r.Out == "" {
		r.Out = filepath.Join(s.dir, "exports", r.Name)
	}
	if abs, err := filepath.Abs(r.Out); err == nil {
		r.Out = abs
	}
	return r
}

// PlanExport checks an export without writing anything: every reason why it cannot be is in the cost.
func (s *Study) PlanExport(r ExportRequest) (ExportCost, error) {
	if err := s.checkPoint(r.X); err != nil {
		return ExportCost{}, err
	}
	r = s.settleExport(r)
	c := ExportCost{Out: r.Out}
	if !nameRule.MatchString(r.Name) && !strings.Contains(r.Name, ".") || strings.ContainsAny(r.Name, "/\\") {
		c.Problems = append(c.Problems, fmt.Sprintf("%q cannot be a name: use letters, digits, _ and -", r.Name))
	}
	if _, err := os.Lstat(r.Out); err == nil {
		c.Problems = append(c.Problems, r.Out+" exists, and an export never overwrites: choose another name")
	}
	if home, err := existing(r.Out); err != nil {
		c.Problems = append(c.Problems, err.Error())
	} else {
		if unix.Access(home, unix.W_OK) != nil {
			c.Problems = append(c.Problems, home+" is not writable")
		}
		if c.Free, err = freeBytes(home); err != nil {
			c.Warnings = append(c.Warnings, err.Error())
		}
	}
	spec := s.spec.mergeSpec(s.dir)
	if r.DType != "" {
		spec.DType = r.DType
	}
	plan, err := merge.NewPlan(context.Background(), spec)
	if err != nil {
		c.Problems = append(c.Problems, strings.Split(err.Error(), "\n")...)
		return c, nil
	}
	defer func() { _ = plan.Close() }()
	if err := s.sameInputs(plan); err != nil {
		c.Problems = append(c.Problems, err.Error())
	}
	c.Bytes = plan.Bytes()
	for _, w := range plan.Warnings() {
		c.Warnings = append(c.Warnings, w.Error())
	}
	if c.Free > 0 && c.Free < c.Bytes {
		c.Problems = append(c.Problems, fmt.Sprintf("%d bytes are needed and %d are free", c.Bytes, c.Free))
	}
	if last := s.Snapshot().Exports; len(last) > 0 && last[len(last)-1].Bytes > 0 {
		e := last[len(last)-1]
		c.Estimate = time.Duration(float64(e.Took) * float64(c.Bytes) / float64(e.Bytes))
	}
	return c, nil
}

// existing returns the nearest folder above path that exists.
func existing(path string) (string, error) {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		fi, err := os.Stat(dir)
		if err == nil && !fi.IsDir() {
			return "", fmt.Errorf("%s is a file, where a folder is needed", dir)
		}
		if err == nil || dir == filepath.Dir(dir) {
			return dir, err
		}
	}
}

// Export writes the merge at r.X as a checkpoint: staged, checked, renamed, with its receipt, recipe and
// model card. With Verify the written model is then measured on every split that the evaluators offer;
// should that fail, the export stays, its receipt says that it was not measured, and the error says why.
func (s *Study) Export(ctx context.Context, r ExportRequest, progress func(ExportProgress)) (Export, error) {
	if progress == nil {
		progress = func(ExportProgress) {}
	}
	if err := s.checkPoint(r.X); err != nil {
		return Export{}, err
	}
	r = s.settleExport(r)
	spec := s.spec.mergeSpec(s.dir)
	if r.DType != "" {
		spec.DType = r.DType
	}
	plan, err := merge.NewPlan(ctx, spec)
	if err != nil {
		return Export{}, err
	}
	defer func() { _ = plan.Close() }()
	if err := s.sameInputs(plan); err != nil {
		return Export{}, err
	}
	if err := os.MkdirAll(filepath.Dir(r.Out), 0o755); err != nil {
		return Export{}, &Error{Code: CodeSpace, Where: filepath.Dir(r.Out), What: "the folder cannot be made", Err: err, Fix: "choose another --out"}
	}
	begin := time.Now()
	e := Export{Name: r.Name, Out: r.Out, X: r.X, Receipt: filepath.Join(r.Out, merge.ReceiptFile), Predicted: map[string]Prediction{}, Measured: map[evaluator.Split]map[string]Metric{}}
	receipt := studyReceipt{Study: s.Snapshot().Name, Why: r.Why, Who: r.Who, Measured: map[evaluator.Split]evaluator.Metrics{}}
	if a := s.Snapshot().Analysis; a != nil {
		for i, p := range a.Predict(r.X) {
			e.Predicted[s.spec.Tasks[i].Name] = p
		}
		receipt.Trials = len(a.Trials)
	}
	receipt.Predicted = e.Predicted
	options := merge.ExportOptions{
		ShardSize: r.ShardSize, SHA256: r.SHA256, Comment: "made by the study " + s.Snapshot().Name,
		Files: func(m merge.Receipt) (map[string][]byte, error) {
			receipt.Receipt = m
			b, err := receiptJSON(receipt)
			return map[string][]byte{merge.ReceiptFile: b, "README.md": s.modelCard(e, r.Why, begin)}, err
		},
	}
	_, err = plan.Export(ctx, named(s.Names(), r.X), r.Out, options, func(p merge.Progress) {
		progress(ExportProgress{Stage: p.Stage, Done: p.Done, Total: p.Total, Rate: p.Rate, Remaining: p.Remaining})
	})
	if err != nil {
		return Export{}, err
	}
	e.Bytes, e.Took = plan.Bytes(), time.Since(begin)
	e, err = s.store.addExport(e)
	s.changed()
	if err != nil {
		return e, historyError(s.dir, err)
	}
	if r.Verify {
		if err := s.verifyExport(ctx, &e, receipt, r.Why, progress); err != nil {
			return e, err
		}
	}
	progress(ExportProgress{Stage: "done", Done: e.Bytes, Total: e.Bytes})
	return e, nil
}

func receiptJSON(r studyReceipt) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(r)
	return b.Bytes(), err
}

// verifyExport measures an export and writes what it saw into its receipt, its card and the history.
func (s *Study) verifyExport(ctx context.Context, e *Export, receipt studyReceipt, why string, progress func(ExportProgress)) error {
	for _, split := range []evaluator.Split{evaluator.Validation, evaluator.Test} {
		stage := "measure " + string(split)
		progress(ExportProgress{Stage: stage})
		m, err := s.measure(ctx, e.Name, e.Out, e.X, split, func(p evaluator.Progress) {
			progress(ExportProgress{Stage: stage, Done: int64(p.Done), Total: int64(p.Total)})
		})
		if err != nil {
			return err
		}
		if len(m) == 0 {
			continue
		}
		e.Measured[split], receipt.Measured[split] = m, m
		b, err := receiptJSON(receipt)
		if err != nil {
			return err
		}
		if err := replaceFile(e.Receipt, b); err != nil {
			return err
		}
		if err := replaceFile(filepath.Join(e.Out, "README.md"), s.modelCard(*e, why, receipt.Created)); err != nil {
			return err
		}
		if err := s.store.updateExport(*e); err != nil {
			return historyError(s.dir, err)
		}
		s.changed()
	}
	return nil
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
