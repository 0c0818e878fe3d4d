package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parfait/evaluator"
	"parfait/merge"
)

// A split that no evaluator offers is no stage of an export.
func TestSplitsThatNobodyOffers(t *testing.T) {
	with := func(splits ...evaluator.Split) *executor {
		return &executor{eval: evaluator.Blocking(evaluator.Limits{Splits: splits}, (&fake{}).measure)}
	}
	m := &exportMeasurer{executors: []*executor{with(evaluator.Validation)}}
	if !m.offered(evaluator.Validation) || m.offered(evaluator.Test) {
		t.Error("what one evaluator offers is not what is offered")
	}
	m.executors = append(m.executors, with(evaluator.Validation, evaluator.Test))
	if !m.offered(evaluator.Test) {
		t.Error("what one of two evaluators offers is not offered")
	}
}

// What was not measured on the files that were written is said so, in the receipt, on the card and in the history; who
// says that it has read them is believed.
func TestMeasuredBesideTheFiles(t *testing.T) {
	t.Parallel()
	reads := false
	s := demo(t, DemoOptions{Tasks: 2, Budget: 6, Seed: 3}, RunOptions{})
	dir, out := s.Dir(), t.TempDir()
	var heard []evaluator.Candidate
	fakes.Store(t.Name(), &fake{hook: func(_ context.Context, c evaluator.Candidate) error {
		if heard = append(heard, c); reads {
			c.Looked()
		}
		return nil
	}})
	spec := filepath.Join(dir, SpecFile)
	text, err := os.ReadFile(spec)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(text), "evaluators:")
	if at < 0 {
		t.Fatalf("no evaluators in:\n%s", text)
	}
	text = append(text[:at:at], fmt.Sprintf("evaluators:\n  main: {fake: {name: %s}}\n", t.Name())...)
	if err := os.WriteFile(spec, text, 0o644); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	for _, reads = range []bool{false, true} {
		e, err := s.Export(t.Context(), ExportRequest{X: []float64{0.4, 0.7}, Out: filepath.Join(out, fmt.Sprint("out", reads)), DType: "f32", Verify: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if (len(e.BesideFiles) == 0) != reads {
			t.Errorf("an evaluator that reads the files: %v; said to be measured beside them: %v", reads, e.BesideFiles)
		}
		for _, name := range []string{merge.ReceiptFile, cardFile} {
			b, err := os.ReadFile(filepath.Join(e.Out, name))
			if says := strings.Contains(string(b), "did not say that it had read it"); err != nil || says == reads {
				t.Errorf("%s where the evaluator reads the files (%v) says that it does not: %v (%v)", name, reads, says, err)
			}
		}
		c := heard[len(heard)-1]
		want, err := merge.ReadRecipe(e.Out)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := merge.ParseRecipe("/r.json", c.Recipe); err != nil || string(got.YAML()) != string(want.YAML()) || c.Written != e.Out {
			t.Errorf("asked to measure %s with %s (%v)", c.Written, c.Recipe, err)
		}
	}
	if last := load(t, s).Exports; len(last) != 2 || len(last[0].BesideFiles) == 0 || len(last[1].BesideFiles) != 0 {
		t.Errorf("the history knows %+v", last)
	}
}

// A trial's question has the recipe of its merge, also where the models are elsewhere.
func TestQuestionsHaveARecipe(t *testing.T) {
	t.Parallel()
	var heard evaluator.Candidate
	dir := makeStudy(t, 1, func(_ context.Context, c evaluator.Candidate) error { heard = c; return nil })
	s := open(t, dir)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	r, err := merge.ParseRecipe("/r.json", heard.Recipe)
	if err != nil {
		t.Fatalf("%s: %v", heard.Recipe, err)
	}
	for _, c := range heard.At {
		if r.At()[c.Name] != c.Value {
			t.Errorf("the recipe has %v, asked was %v", r.At(), heard.At)
		}
	}
	for _, m := range r.Spec().Models {
		if !filepath.IsAbs(m.Path) {
			t.Errorf("%s is at %s, want an absolute path", m.Name, m.Path)
		}
	}
}
