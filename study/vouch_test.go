package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parfait/evaluator"
	"parfait/merge"
)

// exported is a small study with an export in its folder.
func exported(t *testing.T, r ExportRequest) (*Study, Export) {
	t.Helper()
	s := demo(t, DemoOptions{Tasks: 2, Budget: 6, Seed: 3}, RunOptions{})
	r.X, r.Why = []float64{0.4, 0.7}, "the best of both"
	e, err := s.Export(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, e
}

func vouched(t *testing.T, dir, study string) merge.Verification {
	t.Helper()
	v, err := VerifyExport(t.Context(), dir, study, merge.VerifyOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// comparedWith is the study that an export's receipt was compared with, "" for none.
func comparedWith(v merge.Verification) string {
	for _, c := range v.Checked {
		if dir, ok := strings.CutPrefix(c.Against, "the hash that the study "); ok {
			return strings.TrimSuffix(dir, " keeps")
		}
	}
	return ""
}

// forge changes a receipt as somebody does who knows how it is made: its hash over itself is right.
func forge(t *testing.T, dir string, change func(r *studyReceipt)) {
	t.Helper()
	path := filepath.Join(dir, merge.ReceiptFile)
	b, err := os.ReadFile(path)
	var r studyReceipt
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	change(&r)
	if b, err = merge.ReceiptJSON(r); err == nil {
		err = os.WriteFile(path, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Forged figures do not pass, with whatever hashes, wherever the study can be found.
func TestForgedReceipts(t *testing.T) {
	for name, change := range map[string]func(*studyReceipt){
		"measured": func(r *studyReceipt) {
			r.Measured = map[evaluator.Split]evaluator.Metrics{"test": {"rotated": {Value: 0.99}}}
		},
		"predicted": func(r *studyReceipt) { r.Predicted["rotated"] = Prediction{Value: 0.99} },
		"why":       func(r *studyReceipt) { r.Why = "the boss said so" },
		"who":       func(r *studyReceipt) { r.Who = "somebody else" },
		"another id": func(r *studyReceipt) {
			r.Why, r.StudyID = "x", "another"
		},
		"another name, no study": func(r *studyReceipt) { r.Why, r.Export, r.Study, r.StudyDir = "x", "another", "", "" },
	} {
		s, e := exported(t, ExportRequest{})
		if v := vouched(t, e.Out, ""); len(v.Problems) > 0 || comparedWith(v) != s.dir {
			t.Fatalf("a good export: %v, %v", v.Problems, v.Checked)
		}
		forge(t, e.Out, change)
		for _, study := range []string{"", s.dir} {
			if v := vouched(t, e.Out, study); len(v.Problems) != 1 || comparedWith(v) != "" {
				t.Errorf("%s, compared with %q: %v", name, study, v.Problems)
			}
		}
		if problems, err := s.CheckExport(t.Context(), e, nil); err != nil || len(problems) != 1 {
			t.Errorf("%s, in the explorer: %v, %v", name, problems, err)
		}
	}
}

// A forged card whose hash was put into the receipt does not pass either.
func TestForgedCard(t *testing.T) {
	_, e := exported(t, ExportRequest{})
	card := []byte("# the best model of all\n")
	if err := os.WriteFile(filepath.Join(e.Out, cardFile), card, 0o644); err != nil {
		t.Fatal(err)
	}
	if v := vouched(t, e.Out, ""); len(v.Problems) != 1 || filepath.Base(v.Problems[0].Where) != cardFile {
		t.Errorf("a changed card: %v", v.Problems)
	}
	forge(t, e.Out, func(r *studyReceipt) { r.Documents = []merge.Document{r.Document(cardFile, card)} })
	if v := vouched(t, e.Out, ""); len(v.Problems) != 1 || filepath.Base(v.Problems[0].Where) != merge.ReceiptFile {
		t.Errorf("and a receipt to match: %v", v.Problems)
	}
}

// The study is found by where the export lies, by what the receipt says, or by being named; where it is not, that is said.
func TestWhereTheStudyIs(t *testing.T) {
	s, e := exported(t, ExportRequest{Out: filepath.Join(t.TempDir(), "elsewhere")})
	if v := vouched(t, e.Out, ""); comparedWith(v) != s.dir {
		t.Errorf("its receipt says where the study is: %v", v.Checked)
	}
	away := filepath.Join(t.TempDir(), "moved.study")
	if err := os.Rename(s.dir, away); err != nil {
		t.Fatal(err)
	}
	v := vouched(t, e.Out, "")
	if len(v.Problems) > 0 || comparedWith(v) != "" || !strings.Contains(fmt.Sprint(v.Unchecked), "--study says where") {
		t.Errorf("the study is away: %v, %v", v.Problems, v.Unchecked)
	}
	if v := vouched(t, e.Out, away); len(v.Problems) > 0 || comparedWith(v) != away {
		t.Errorf("and was named: %v", v.Problems)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(e.Out)); err != nil {
		t.Fatal(err)
	}
	if v := vouched(t, copied, away); len(v.Problems) > 0 || comparedWith(v) != away {
		t.Errorf("a copy of the export: %v", v.Problems)
	}
	forge(t, copied, func(r *studyReceipt) { r.Why = "x" })
	if v := vouched(t, copied, away); len(v.Problems) != 1 {
		t.Errorf("a forged copy: %v", v.Problems)
	}
	other, _ := exported(t, ExportRequest{})
	if v := vouched(t, e.Out, other.dir); len(v.Problems) != 1 || !strings.Contains(v.Problems[0].What, "another study") {
		t.Errorf("another study was named: %v", v.Problems)
	}
	if _, err := VerifyExport(t.Context(), e.Out, t.TempDir(), merge.VerifyOptions{}, nil); CodeOf(err) != CodeNotAStudy {
		t.Errorf("no study was named: %v", err)
	}
}

// An export of an earlier version has no hash in its study; it goes on verifying.
func TestExportsOfEarlierVersions(t *testing.T) {
	s, e := exported(t, ExportRequest{})
	e.ReceiptHash = ""
	if err := s.store.updateExport(e); err != nil {
		t.Fatal(err)
	}
	if v := vouched(t, e.Out, ""); len(v.Problems) > 0 || comparedWith(v) != "" || !strings.Contains(fmt.Sprint(v.Unchecked), "earlier version") {
		t.Errorf("no hash in the study: %v, %v, want no problem and the reason", v.Problems, v.Unchecked)
	}
}

// Wherever the writing of a new receipt ends, the export is as its study says, and no signature is of another receipt.
func TestAReceiptIsReplacedStepByStep(t *testing.T) {
	sign := func(b []byte) ([]byte, error) { return []byte(receiptHash(b)), nil }
	for stop := 0; ; stop++ {
		s, e := exported(t, ExportRequest{Sign: sign})
		first, err := os.ReadFile(e.Receipt)
		if err != nil {
			t.Fatal(err)
		}
		receipt := &studyReceipt{sign: sign}
		if err := json.Unmarshal(first, receipt); err != nil {
			t.Fatal(err)
		}
		measured := evaluator.Metrics{"rotated": {Value: 0.5, N: 10}}
		e.Measured["test"], receipt.Measured["test"] = measured, measured
		steps, err := s.restating(&e, receipt)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range steps[:min(stop, len(steps))] {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		v := vouched(t, e.Out, "")
		if len(v.Problems) > 0 || comparedWith(v) != s.dir {
			t.Errorf("ended after %d steps: %v, %v", stop, v.Problems, v.Checked)
		}
		now, err := os.ReadFile(e.Receipt)
		if err != nil {
			t.Fatal(err)
		}
		if sig, err := os.ReadFile(filepath.Join(e.Out, merge.SignatureFile)); err == nil && string(sig) != receiptHash(now) {
			t.Errorf("ended after %d steps: the signature is of another receipt", stop)
		}
		if stop == len(steps) {
			if v.Unchecked != nil && strings.Contains(fmt.Sprint(v.Unchecked), "measurement") || bytes.Equal(now, first) {
				t.Errorf("all is done: %v", v.Unchecked)
			}
			if err := os.WriteFile(e.Receipt, first, 0o644); err != nil {
				t.Fatal(err)
			}
			if v := vouched(t, e.Out, ""); len(v.Problems) == 0 {
				t.Error("the receipt from before the measurement was put back, and passes")
			}
			return
		}
	}
}

// Measurements are in the receipt, and signed, and the history has the hash of that.
func TestMeasuringSignsAnew(t *testing.T) {
	signed := 0
	s, e := exported(t, ExportRequest{Verify: true, Sign: func(b []byte) ([]byte, error) { signed++; return b, nil }})
	b, err := os.ReadFile(e.Receipt)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := os.ReadFile(filepath.Join(e.Out, merge.SignatureFile))
	if err != nil || !bytes.Equal(sig, b) || signed < 3 {
		t.Errorf("signed %d times, the last of this receipt: %v, %v", signed, bytes.Equal(sig, b), err)
	}
	if !bytes.Contains(b, []byte(`"test": {`)) || e.ReceiptHash != receiptHash(b) || e.ReceiptNext != "" {
		t.Errorf("the history has %q and %q, the receipt's is %q", e.ReceiptHash, e.ReceiptNext, receiptHash(b))
	}
	if v := vouched(t, e.Out, s.dir); len(v.Problems) > 0 {
		t.Errorf("measured and signed: %v, want no problem", v.Problems)
	}
}

// Who cannot sign, or no longer can, loses nothing by it; and no signature of an earlier receipt stays.
func TestSigningThatFails(t *testing.T) {
	s := demo(t, DemoOptions{Tasks: 2, Budget: 6, Seed: 3}, RunOptions{})
	gone := errors.New("the agent is gone")
	for name, good := range map[string]int{"never": 0, "once": 1} {
		times := 0
		r := ExportRequest{X: []float64{0.4, 0.7}, Out: filepath.Join(t.TempDir(), "out"), Verify: true, Sign: func(b []byte) ([]byte, error) {
			if times++; times > good {
				return nil, gone
			}
			return b, nil
		}}
		e, err := s.Export(t.Context(), r, nil)
		if !errors.Is(err, gone) || !strings.Contains(err.Error(), "is whole in") || !strings.Contains(err.Error(), "parfait sign") || times != good+1 {
			t.Errorf("signs %s: %v, asked %d times", name, err, times)
		}
		if len(e.Measured[evaluator.Test]) == 0 {
			t.Errorf("signs %s: nothing was measured", name)
		}
		if _, err := os.Stat(filepath.Join(r.Out, merge.SignatureFile)); !os.IsNotExist(err) {
			t.Errorf("signs %s: there is a signature of an earlier receipt", name)
		}
		if v := vouched(t, r.Out, s.dir); len(v.Problems) > 0 {
			t.Errorf("signs %s: %v, want no problem", name, v.Problems)
		}
	}
}

// A receipt sends nobody to a study that came along with it.
func TestAStudyOfTheForgers(t *testing.T) {
	s, e := exported(t, ExportRequest{Out: filepath.Join(t.TempDir(), "out")})
	t.Chdir(filepath.Dir(s.dir))
	forge(t, e.Out, func(r *studyReceipt) { r.StudyDir = filepath.Base(s.dir) })
	e.ReceiptHash = receiptHash(readFile(t, e.Receipt))
	if err := s.store.updateExport(e); err != nil {
		t.Fatal(err)
	}
	if v := vouched(t, e.Out, ""); comparedWith(v) != "" {
		t.Errorf("compared with a study at a relative place: %v", v.Checked)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
