package study

import (
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
	_, rest, _ := strings.Cut(card, "---\n")
	top, _, _ := strings.Cut(rest, "\n---\n")
	var head struct {
		Base string `yaml:"base_model"`
	}
	if err := yaml.Unmarshal([]byte(top), &head); err != nil || !strings.HasPrefix(head.Base, "models/b: [") {
		t.Errorf("the card's head: %q, %v\n%s", head.Base, err, top)
	}
	if got := code("digits v2.1"); got != "`digits v2.1`" {
		t.Errorf("a plain name: %s", got)
	}
}
