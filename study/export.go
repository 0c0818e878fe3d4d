package study

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/internal/stage"
	"parfait/merge"
	"parfait/problem"
	"parfait/visible"
)

// ExportRequest says what to write and where.
type ExportRequest struct {
	X         []float64
	Name      string // names the export in the study; "" for the last part of Out, or "pick-N"
	Out       string // folder, which must not exist; "" for exports/NAME in the study
	DType     string // "" as the study says
	Form      string // FormFull or FormAdapter; "" as it was measured
	ShardSize int64  // bytes, 0: 5 GB
	SHA256    *bool  // add SHA-256 to the receipt; nil: where the processor has instructions for it
	Verify    bool   // measure the written model on validation and test
	Why       string
	Who       string
	Sign      func(receipt []byte) (signature []byte, err error) // nil: it is not signed
}

// The forms in which an export is written.
const (
	FormFull    = "full"    // a checkpoint
	FormAdapter = "adapter" // a LoRA adapter, of models that are
)

// ExportCost says what an export will take, before it starts.
type ExportCost struct {
	Out      string
	Bytes    int64
	Free     int64
	Estimate time.Duration // of writing and checking, from the last export here; 0: unknown
	Problems []string      // reasons why it cannot be; empty when it can
	Warnings []string
}

// settleExport fills in the request's defaults, and brings its point to the form that stands for its merge.
func (s *Study) settleExport(r ExportRequest) (ExportRequest, error) {
	x, err := s.normal(r.X)
	if err != nil {
		return r, err
	}
	r.X = x
	if r.Name == "" && r.Out != "" {
		r.Name = strings.TrimLeft(notInName.ReplaceAllString(filepath.Base(r.Out), "_"), ".-")
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
	if r.Form == "" {
		r.Form = s.studied()
	}
	return r, nil
}

// studied is the form in which evaluators get merges: adapters, if all that get any get adapters.
func (s *Study) studied() string {
	adapters := false
	for name, e := range s.spec().Evaluators {
		if len(s.tasksOf(name)) == 0 || e.adapters() {
			adapters = adapters || e.adapters()
			continue
		}
		eval, err := e.build(s.dir, 0)
		if c, ok := eval.(io.Closer); ok && err == nil {
			_ = c.Close() // nothing was started
		}
		if err != nil || eval.Limits().NeedsModel {
			return FormFull
		}
	}
	if adapters {
		return FormAdapter
	}
	return FormFull
}

// adapterRank is that of the adapters which evaluators get, 0: whatever they have.
func (s *Study) adapterRank() int {
	for _, name := range slices.Sorted(maps.Keys(s.spec().Evaluators)) {
		if e := s.spec().Evaluators[name]; e.adapters() && len(s.tasksOf(name)) > 0 {
			rank, _ := e.Options["max_rank"].(int)
			return rank
		}
	}
	return 0
}

var (
	notInName  = regexp.MustCompile(`[^\pL\pN_.-]+`)
	exportName = regexp.MustCompile(`^[\pL\pN_][\pL\pN_.-]*$`)
)

// checkExport says why an export cannot go where it is asked to, from its name and place alone.
func (s *Study) checkExport(r ExportRequest) []error {
	var errs []error
	if r.Form != FormFull && r.Form != FormAdapter {
		errs = append(errs, inputError("form", "unknown form %q; %s", r.Form, cmp.Or(problem.Meant(r.Form, []string{FormFull, FormAdapter}), "expected full or adapter")))
	}
	if !exportName.MatchString(r.Name) {
		errs = append(errs, inputError("name", "%q cannot be a name: use letters, digits, _, - and .", r.Name))
	}
	for _, ours := range []string{s.candidates(), filepath.Join(s.dir, "logs")} {
		if within(r.Out, ours) {
			errs = append(errs, inputError("out", "%s is in %s, which parfait keeps for itself: choose another folder", r.Out, ours))
		}
	}
	if r.Out == filepath.Join(s.dir, "exports") {
		errs = append(errs, inputError("out", "%s is where exports go, each in a folder of its own: name one in it", r.Out))
	}
	return errs
}

// within says whether path is dir or lies in it, links followed as far as there is something.
func within(path, dir string) bool {
	rel, err := filepath.Rel(followed(dir), followed(path))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func followed(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	parent := filepath.Dir(path)
	if parent == path {
		return path
	}
	return filepath.Join(followed(parent), filepath.Base(path))
}

// PlanExport checks an export without writing anything: every reason why it cannot be is in the cost.
func (s *Study) PlanExport(r ExportRequest) (ExportCost, error) {
	r, err := s.settleExport(r)
	if err != nil {
		return ExportCost{}, err
	}
	c := ExportCost{Out: r.Out}
	for _, err := range s.checkExport(r) {
		c.Problems = append(c.Problems, err.Error())
	}
	if _, err := os.Lstat(r.Out); err == nil {
		c.Problems = append(c.Problems, r.Out+" exists, and an export never overwrites: choose another name")
	}
	if home, err := existing(r.Out); err != nil {
		c.Problems = append(c.Problems, err.Error())
	} else {
		if stage.Writable(home) != nil {
			c.Problems = append(c.Problems, home+" is not writable")
		}
		if c.Free, _, err = stage.Space(home); err != nil {
			c.Warnings = append(c.Warnings, err.Error())
		}
	}
	plan, err := s.exportPlan(context.Background(), r)
	if err != nil {
		c.Problems = append(c.Problems, problem.Each(err)...)
		return c, nil
	}
	defer func() { _ = plan.Close() }()
	c.Bytes = plan.Bytes()
	for _, w := range plan.Warnings() {
		c.Warnings = append(c.Warnings, w.Error())
	}
	if a := s.Snapshot().Analysis; a != nil {
		if d := a.Doubtful(r.X, a.Believed(r.X), a.Leverage(r.X)); d != "" {
			c.Warnings = append(c.Warnings, d+": do not believe what is predicted there before it is measured")
		}
		w := a.warned(a.Predict(r.X), false)
		if len(w.BelowBase) > 0 {
			c.Warnings = append(c.Warnings, "predicted below the base on "+strings.Join(w.BelowBase, ", "))
		}
		if len(w.Breaks) > 0 {
			c.Warnings = append(c.Warnings, "predicted to break the floor of "+strings.Join(w.Breaks, ", ")+" in study.yaml")
		}
	}
	if c.Free > 0 && c.Free < c.Bytes {
		c.Problems = append(c.Problems, fmt.Sprintf("%s are needed and %s are free", stage.Bytes(c.Bytes), stage.Bytes(c.Free)))
	}
	if last := s.Snapshot().Exports; len(last) > 0 && last[len(last)-1].Bytes > 0 {
		e := last[len(last)-1]
		c.Estimate = time.Duration(float64(e.Took) * float64(c.Bytes) / float64(e.Bytes))
	}
	return c, nil
}

// exportPlan plans the merge of the weights that the history was measured with.
func (s *Study) exportPlan(ctx context.Context, r ExportRequest) (*merge.Plan, error) {
	spec := s.mergeSpec(formOf(r.Form), s.adapterRank())
	if r.DType != "" {
		spec.DType = r.DType
	}
	plan, err := merge.NewPlan(ctx, spec)
	if err != nil {
		return nil, err
	}
	h, err := s.load(ctx)
	if err == nil && h.meta["inputs"] != "" {
		var now map[string]string
		if now, err = plan.Fingerprint(); err == nil {
			err = s.compareInputs(now, h.meta["inputs"])
		}
	}
	if err != nil {
		return nil, errors.Join(err, plan.Close())
	}
	return plan, nil
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
// should that fail, or signing, the export stays, its receipt says what was not measured, and the error says why. From
// a study that may only be looked at an export is written without a line in its history.
func (s *Study) Export(ctx context.Context, r ExportRequest, progress func(merge.Progress)) (Export, error) {
	if progress == nil {
		progress = func(merge.Progress) {}
	}
	s = s.still()
	r, err := s.settleExport(r)
	if err != nil {
		return Export{}, err
	}
	if err := errors.Join(s.checkExport(r)...); err != nil {
		return Export{}, err
	}
	plan, err := s.exportPlan(ctx, r)
	if err != nil {
		return Export{}, err
	}
	defer func() { _ = plan.Close() }()
	if err := os.MkdirAll(filepath.Dir(r.Out), 0o755); err != nil {
		if p := (*os.PathError)(nil); errors.As(err, &p) {
			err = p.Err // Where names the folder already
		}
		return Export{}, &Error{Code: CodeSpace, Where: filepath.Dir(r.Out), What: "the folder cannot be made", Err: err, Fix: "choose another --out"}
	}
	begin := time.Now()
	e := Export{
		Name: r.Name, Out: r.Out, Form: r.Form, X: r.X, Receipt: filepath.Join(r.Out, merge.ReceiptFile),
		Predicted: map[string]Prediction{}, Measured: map[evaluator.Split]map[string]Metric{},
	}
	id, err := s.store.ownID()
	if err != nil && CodeOf(s.store.Explain(err)) != CodeReadOnly {
		return Export{}, s.store.Explain(err)
	}
	receipt := &studyReceipt{Study: s.name(), StudyID: id, StudyDir: s.dir, Export: r.Name, sign: r.Sign, Why: r.Why, Who: r.Who, Measured: map[evaluator.Split]evaluator.Metrics{}}
	if a := s.Snapshot().Analysis; a != nil {
		predicted := a.Predict(r.X)
		for i, p := range predicted {
			e.Predicted[s.spec().Tasks[i].Name] = p
		}
		receipt.Trials = len(a.Trials)
		e.Doubt = a.Doubtful(r.X, a.Believed(r.X), a.Leverage(r.X))
		e.OnFront = slices.ContainsFunc(a.Front, func(p FrontPoint) bool { return slices.Equal(p.X, r.X) })
		e.Warned = a.warned(predicted, e.OnFront)
	}
	receipt.Predicted, receipt.Doubt, receipt.Warned = e.Predicted, e.Doubt, e.Warned
	options := merge.ExportOptions{Owner: s.owner(), ShardSize: r.ShardSize, SHA256: r.SHA256, Comment: "made by the study " + visible.Line(s.name())}
	staged, err := plan.Stage(ctx, named(s.space(), r.X), r.Out, options, progress)
	if err != nil {
		return Export{}, err
	}
	receipt.Receipt, e.Bytes, e.Cut = staged.Receipt(), staged.Receipt().Bytes(), staged.Receipt().Cut
	if err := addPapers(staged, receipt, s.modelCard(e, nil, receipt.Why, begin), &e); err != nil {
		return Export{}, errors.Join(err, staged.Discard())
	}
	// The history knows of it before the folder appears, so that no crash leaves a checkpoint that the study
	// does not know.
	if e, err = s.store.addExport(e); err != nil && CodeOf(s.store.Explain(err)) != CodeReadOnly {
		return Export{}, errors.Join(s.store.Explain(err), staged.Discard())
	}
	if err := staged.Commit(ctx); err != nil {
		return Export{}, errors.Join(err, s.store.dropExport(e.ID))
	}
	e.Took = time.Since(begin)
	if err := s.store.updateExport(e); err != nil {
		return e, exportKept(e, s.store.Explain(err))
	}
	s.changed()
	if r.Verify {
		if err := s.verifyExport(ctx, &e, receipt, progress); err != nil {
			return e, exportKept(e, err)
		}
	}
	progress(merge.Progress{Stage: "done", Done: e.Bytes, Total: e.Bytes})
	if receipt.unsigned != nil {
		return e, exportKept(e, fmt.Errorf("its receipt is not signed (parfait sign does that later): %w", receipt.unsigned))
	}
	return e, nil
}

// addPapers adds receipt, model card and signature to a staged export, which then knows its receipt's hash.
func addPapers(staged *merge.Staged, receipt *studyReceipt, card []byte, e *Export) error {
	b, err := receipt.with(card)
	if err != nil {
		return err
	}
	e.ReceiptHash = receiptHash(b)
	err = errors.Join(staged.Add(merge.ReceiptFile, b), staged.Add(cardFile, card))
	if sig := receipt.signature(b); sig != nil {
		err = errors.Join(err, staged.Add(merge.SignatureFile, sig))
	}
	return err
}

// exportKept says that an export stands, whatever came after it.
func exportKept(e Export, err error) error {
	return fmt.Errorf("the export is whole in %s, but: %w", e.Out, err)
}

// written says whether the export is there: one that is being written, or was when its process died, has
// no receipt in its place yet.
func (e Export) written() bool {
	if e.Took > 0 {
		return true
	}
	_, err := os.Stat(e.Receipt)
	return err == nil
}
