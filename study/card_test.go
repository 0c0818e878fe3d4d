package study

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"parfait/visible"
)

// Whatever people write in a reason or call a folder, the card shows it and nothing of it acts: not in Markdown, not
// in HTML, not in the YAML at its top, not on a terminal.
func TestTheCardShowsWhatPeopleWrote(t *testing.T) {
	s := &Study{dir: "/x/ho\x1b]0;t\a<img src=x onerror=alert(1)>`|.study"}
	s.asked.Store(&asked{spec: &Spec{Base: "models/b: [\x9b2J] #x", Models: make([]ModelSpec, 2), Tasks: []Task{{Name: "under_score", Role: Objective, Sense: Maximize}}}})
	s.spec().Method.Name = "linear"
	why := "because **bold** _this_ <script>alert(1)</script>\n# heading\n| cell | [link](javascript:alert(1)) \u202e`code` &amp;"
	card := string(s.modelCard(Export{Name: "ship", Warned: Warned{BelowBase: []string{"under_score"}, Flagged: map[string]string{"under_score": "Q² <.9>"}}}, []Gains{
		{Over: "the base", Tasks: map[string]Difference{"under_score": {Gain: -0.125, Stderr: 0.02}}},
		{Over: "a_*b* alone", Tasks: map[string]Difference{"under_score": {Gain: 0.01, Stderr: 0.02}}},
	}, why, time.Time{}))
	if at := strings.IndexFunc(card, visible.Acts); at >= 0 {
		t.Errorf("acts: %q", card[at:][:20])
	}
	for _, never := range []string{"<", "\n# heading", " | [", "[link](", " **bold", "`code`", " _this"} {
		if strings.Contains(card, never) {
			t.Errorf("the card has %q:\n%s", never, card)
		}
	}
	for _, want := range []string{
		`because \*\*bold\*\* \_this\_ &lt;script&gt;alert(1)&lt;/script&gt; # heading \| cell \| \[link\](javascript:alert(1)) \\u202e` + "\\`code\\` &amp;amp;",
		"| under_score | objective, maximize |", "\n| the base | **−0.125 ± 0.02** |\n", `| a_\*b\* alone | +0.01 ± 0.02 |`, "worse than the base model on:** under_score.", `believed:** Q² &lt;.9&gt;.`, `\\u001b\]0;t\\u0007&lt;img`,
	} {
		if !strings.Contains(card, want) {
			t.Errorf("the card lacks %q:\n%s", want, card)
		}
	}
	if strings.Contains(card, "models/b") {
		t.Errorf("the card has a path of this machine:\n%s", card)
	}
	if got := code("digits v2.1"); got != "`digits v2.1`" {
		t.Errorf("a plain name: %s", got)
	}
}

// The card's metadata is what the hub takes: ids of the base and of the models that have a part, however they were
// given, and never a path.
func TestTheCardNamesModelsOfTheHub(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("HF_HUB_CACHE", cache)
	commit := filepath.Join(cache, "models--them--math-7b", "snapshots", "0123456789abcdef")
	if err := os.MkdirAll(commit, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &Study{dir: t.TempDir()}
	s.asked.Store(&asked{spec: &Spec{
		Base:   "them/base@refs/pr/3",
		Models: []ModelSpec{{Name: "math", Path: commit, Range: Range{0, 1}}, {Name: "code", Path: "them/code", Range: Range{0, 1}}, {Name: "own", Path: "../own", Range: Range{0, 1}}},
		Tasks:  []Task{{Name: "a", Role: Objective, Sense: Maximize}},
	}})
	s.spec().Method.Name = "task_arithmetic"
	space, err := s.spec().space()
	if err != nil {
		t.Fatal(err)
	}
	s.asked.Load().space = space
	for _, c := range []struct {
		form string
		x    []float64
		base []string
		head string
	}{
		{FormFull, []float64{1, 0, 1}, []string{"them/base", "them/math-7b"}, "library_name: transformers\n"},
		{FormAdapter, []float64{1, 1, 1}, []string{"them/base"}, "base_model_relation: adapter\n"},
	} {
		card := string(s.modelCard(Export{Name: "ship", Form: c.form, X: c.x}, nil, "", time.Time{}))
		_, rest, _ := strings.Cut(card, "---\n")
		top, _, _ := strings.Cut(rest, "\n---\n")
		var head struct {
			Base []string `yaml:"base_model"`
		}
		if err := yaml.Unmarshal([]byte(top), &head); err != nil || !slices.Equal(head.Base, c.base) || !strings.Contains(top+"\n", c.head) {
			t.Errorf("the card's head: %v, %v, want %v and %q\n%s", head.Base, err, c.base, c.head, top)
		}
		if strings.Contains(card, cache) || strings.Contains(card, "../own") {
			t.Errorf("the card has a path of this machine:\n%s", card)
		}
	}
}
