package cli

import (
	"math"
	"strings"
	"testing"
	"time"

	"parfait/explore/exploretest"
	"parfait/study"
)

func TestFigures(t *testing.T) {
	rate, loss := study.Task{Unit: "rate", Sense: study.Maximize}, study.Task{Unit: "loss", Sense: study.Minimize}
	for _, c := range []struct{ got, want string }{
		{uncertain(rate, study.Metric{Value: 0.9123, Stderr: 0.0141}), ".912 ±.014"},
		{uncertain(rate, study.Metric{Value: 0.9123}), ".912"},
		{uncertain(rate, study.Metric{Value: math.NaN()}), "—"},
		{uncertain(loss, study.Metric{Value: 9.513, Stderr: 0.021}), "9.513 ±0.021"},
		{predicted(rate, study.Prediction{Value: 0.5, Lo: 0.4, Hi: 0.62}), ".500 ±.110"},
		{predicted(loss, study.Prediction{Value: 5.8, Lo: 1.6, Hi: 43.6}), "5.800 1.6…44"},
		{predicted(loss, study.Prediction{Value: 5.8, Lo: 0.002, Hi: 8000}), "5.800 ±?"},
		{predicted(rate, study.Prediction{Value: 0.5, Lo: 0.5, Hi: 0.5}), ".500"},
		{ofBest(rate, 0.5, 0.8), "62 %"},
		{ofBest(rate, 0.8, 0.8), "100 %"},
		{ofBest(rate, 0.7999, 0.8), "99 %"},
		{ofBest(loss, 10, 8), "80 %"},
		{ofBest(loss, -1, 8), ""},
		{coefficient(0.5), ".500"},
		{coefficient(-1.25), "-1.250"},
		{durationText(-time.Second), "0 ms"},
		{durationText(1500 * time.Millisecond), "1.5 s"},
		{durationText(42 * time.Second), "42 s"},
		{durationText(61 * time.Second), "1 min 01 s"},
		{durationText(3*time.Hour + 5*time.Minute), "3 h 05 min"},
		{moved(5e9, 14e9, 1e9, 9*time.Second), "5.0 GB of 14 GB · 1.0 GB/s · eta 9.0 s"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestSheetsFitTheTerminal(t *testing.T) {
	drawn := func(width int) string {
		s := (&app{}).sheet(left("name"), right("值"), right("spare").spared(1), left("first to go").spared(2))
		s.width = width
		s.add("a", "1.5", "12345", "something long that is not needed")
		s.add("longer", "10.25")
		return s.String()
	}
	wide := drawn(0)
	for _, want := range []string{"name", "10.25", "12345", "something long"} {
		if !strings.Contains(wide, want) {
			t.Errorf("without a width %q is missing:\n%s", want, wide)
		}
	}
	if lines := strings.Split(wide, "\n"); strings.Index(lines[1], "1.5")+3 != strings.Index(lines[2], "10.25")+5 {
		t.Errorf("numbers are not aligned to the right:\n%s", wide)
	}
	for width, missing := range map[int]string{40: "first to go", 18: "spare"} {
		text := drawn(width)
		if strings.Contains(text, missing) || !strings.Contains(text, "columns fit") || !strings.Contains(text, "10.25") {
			t.Errorf("at width %d:\n%s", width, text)
		}
	}
}

func TestQuotedWordsAreForShells(t *testing.T) {
	for word, want := range map[string]string{"a/b.c": "a/b.c", "": "''", "my study": "'my study'", "it's": `'it'\''s'`, "$HOME": "'$HOME'"} {
		if got := quoted(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}

func TestYAMLTextReadsBack(t *testing.T) {
	for _, word := range []string{"plain", "../up", "--flag", "{model}", "yes", "null", "1.5", "a: b", "it's", "#x", "*", "tab\tline\n", "ü", "-", "- x", "0x1f", "a b", "@x", "&x", "!x", "%x", "'q'", "\"q\""} {
		spec := "version: 1\nbase: " + yamlText(word) + "\nmodels: [{name: a, path: " + yamlText(word) + "}]\ntasks: [{name: t}]\nevaluators: {main: {digits: {}}}\n"
		s, err := study.ParseSpec("study.yaml", []byte(spec))
		if err != nil {
			t.Errorf("%q: %v", word, err)
			continue
		}
		if s.Base != word || s.Models[0].Path != word {
			t.Errorf("%q was read as %q and %q from\n%s", word, s.Base, s.Models[0].Path, spec)
		}
	}
}

// Other ways to write an interval are explained where there are any.
func TestTheKeyToIntervals(t *testing.T) {
	snap := exploretest.Snapshot(exploretest.Options{Trials: 30, Minimize: true})
	if key := intervalKey(snap.Analysis); key != "" {
		t.Errorf("nothing is uneven: %q", key)
	}
	p := &snap.Analysis.Front[0].Predicted[0]
	p.Lo, p.Hi = p.Value/2, 4*p.Value
	if key := intervalKey(snap.Analysis); !strings.Contains(key, "a…b") || strings.Contains(key, "±?") {
		t.Errorf("an uneven one: %q", key)
	}
	p.Hi = math.Inf(1)
	if key := intervalKey(snap.Analysis); !strings.Contains(key, "±?") || strings.Contains(key, "a…b") {
		t.Errorf("one without an end: %q", key)
	}
}
