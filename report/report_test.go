package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"parfait/explore/exploretest"
	"parfait/study"
	"parfait/visible"
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
	if err := Write(t.Context(), &bytes.Buffer{}, s.Snapshot(), made); !errors.Is(err, ErrNothingToShow) {
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
	if err := Write(t.Context(), &b, snap, made); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	onlyOurScript(t, text)
	for _, want := range []string{"<title>digits · parfait</title>", "upside_down", "ship &lt;this&gt;", "validation", "2026-01-02 03:04", `"kind":"knee"`, "of a quadratic", "Receipt of ship", "&#34;digest&#34;: &#34;xxh3"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<link", "<img", "src=", "@import", "https://", "ship <this>", "ZgotmplZ", "NaN"} {
		if strings.Contains(text, never) {
			t.Errorf("the page has %q", never)
		}
	}
	// A receipt that somebody has removed is missed, not assumed.
	if err := os.Remove(snap.Exports[0].Receipt); err != nil {
		t.Fatal(err)
	}
	var without bytes.Buffer
	if err := Write(t.Context(), &without, snap, made); err != nil || !strings.Contains(without.String(), "The receipt of ship is not at") {
		t.Errorf("without its receipt: %v", err)
	}
	if out := os.Getenv("PARFAIT_REPORT"); out != "" { // to look at it in a browser
		if err := os.WriteFile(out, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// onlyOurScript holds a page to its Content-Security-Policy, as a browser would.
func onlyOurScript(t *testing.T, page string) {
	t.Helper()
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if policy == nil {
		t.Fatal("the page has no policy")
	}
	ran := 0
	for _, s := range regexp.MustCompile(`(?s)<script([^>]*)>(.*?)</script>`).FindAllStringSubmatch(page, -1) {
		if strings.Contains(s[1], "application/json") {
			var data struct {
				Marks []any `json:"marks"`
			}
			if err := json.Unmarshal([]byte(s[2]), &data); err != nil || len(data.Marks) == 0 {
				t.Errorf("the page's data: %d marks, %v", len(data.Marks), err)
			}
			continue
		}
		ran++
		sum := sha256.Sum256([]byte(s[2]))
		if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(html.UnescapeString(policy[1]), want) {
			t.Errorf("the policy %s does not let the script %s run", policy[1], want)
		}
	}
	if ran != 1 {
		t.Errorf("%d scripts", ran)
	}
}

// A page of a hostile study shows what it holds, and nothing of it acts.
func TestNothingForeignActs(t *testing.T) {
	const hostile = "a\x1b]0;t\a\u202eb\u009bm</script><script>alert(1)</script><img src=x onerror=alert(1)>"
	snap := exploretest.Snapshot(exploretest.Options{Trials: 20, Picks: 1})
	snap.Name = hostile
	snap.Picks[0].Name, snap.Picks[0].Why = hostile, hostile
	snap.Trials[3].Why = hostile
	var b bytes.Buffer
	if err := Write(t.Context(), &b, snap, time.Now()); err != nil {
		t.Fatal(err)
	}
	onlyOurScript(t, b.String())
	if at := strings.IndexFunc(b.String(), visible.Acts); at >= 0 {
		t.Errorf("acts: %q", b.String()[at:][:40])
	}
	for _, never := range []string{"<script>alert", "<img"} {
		if strings.Contains(b.String(), never) {
			t.Errorf("the page has %q", never)
		}
	}
	if !strings.Contains(b.String(), `\u001b]0;t\u0007\u202eb\u009bm`) {
		t.Error("what acts is not shown as what it is")
	}
}

// A nested merge shows its tree, a study of barriers its lines; others neither.
func TestWhatStrategiesBuild(t *testing.T) {
	made := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	write := func(o exploretest.Options) string {
		var b bytes.Buffer
		if err := Write(t.Context(), &b, exploretest.Snapshot(o), made); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	tasks := []string{"<math>", "code", "law"}
	for name, tt := range map[string]struct {
		page  string
		wants []string
		never []string
	}{
		"adaptive": {write(exploretest.Options{Trials: 20}), nil, []string{"The merge tree", "Between the models"}},
		"nested":   {write(exploretest.Options{Trials: 20, Tasks: tasks, Strategy: "nested"}), []string{"The merge tree", "best at code", "Next, in round 1: "}, []string{"Between the models"}},
		"barrier": {
			write(exploretest.Options{Trials: 12, Tasks: tasks, Strategy: "barrier"}),
			[]string{"Between the models", "a barrier on 2 of 3 lines measured: &lt;math&gt; – law and code – law", "half way from &lt;math&gt; to law", `class="along"`},
			[]string{"The merge tree"},
		},
	} {
		for _, want := range tt.wants {
			if !strings.Contains(tt.page, want) {
				t.Errorf("%s: the page lacks %q", name, want)
			}
		}
		for _, never := range append(tt.never, "<math>", "ZgotmplZ", "NaN") {
			if strings.Contains(tt.page, never) {
				t.Errorf("%s: the page has %q", name, never)
			}
		}
	}
}

func TestNumbersOfThePage(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{num(math.Copysign(0, -1)), "0"},
		{num(-0.006667), "−0.006667"},
		{num(math.NaN()), "–"},
		{coefficient(4.19e-7), "0"},
		{coefficient(-4.19e-7), "0"},
		{coefficient(0.33333333), "0.3333"},
		{fixed(0.5), "0.500"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, expected %q", tt.got, tt.want)
		}
	}
}
