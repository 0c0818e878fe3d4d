package report

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parfait/study"
)

func TestThePageHoldsTheStudyAndNothingFromOutside(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "digits.study")
	if err := study.Demo(t.Context(), dir, study.DemoOptions{Tasks: 3, Budget: 24, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	s, err := study.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	made := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := Write(&bytes.Buffer{}, s.Snapshot(), made); !errors.Is(err, ErrNothingToShow) {
		t.Errorf("an empty study: %v", err)
	}
	if err := s.Run(t.Context(), study.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	snap, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	knee := snap.Analysis.Front[snap.Analysis.Knee]
	if _, err := s.SavePick(study.Pick{Name: "ship <this>", X: knee.X, Why: `"half" & half`}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Export(t.Context(), study.ExportRequest{X: knee.X, Name: "ship", Verify: true}, nil); err != nil {
		t.Fatal(err)
	}
	if snap, err = s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Write(&b, snap, made); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{"<title>digits · parfait</title>", "upside_down", "ship &lt;this&gt;", "validation", "2026-01-02 03:04", `"kind":"knee"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<link", "<img", "src=", "@import", "https://", "ship <this>", "ZgotmplZ", "NaN"} {
		if strings.Contains(text, never) {
			t.Errorf("the page has %q", never)
		}
	}
	if out := os.Getenv("PARFAIT_REPORT"); out != "" { // to look at it in a browser
		if err := os.WriteFile(out, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
