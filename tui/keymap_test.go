package tui

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is compared with")

func TestNoKeyHasTwoMeaningsInOnePlace(t *testing.T) {
	seen := map[scope]map[string]string{}
	ids := map[string]bool{}
	for _, a := range Keys() {
		if ids[a.ID] {
			t.Errorf("two actions are called %s", a.ID)
		}
		ids[a.ID] = true
		if len(a.Scopes) == 0 || len(a.Keys) == 0 || a.Title == "" {
			t.Errorf("%s has no place, no key or no title", a.ID)
		}
		for _, p := range a.Scopes {
			if seen[p] == nil {
				seen[p] = map[string]string{}
			}
			for _, k := range a.Keys {
				if other, taken := seen[p][k]; taken {
					t.Errorf("%q means %s and %s in %s", k, other, a.ID, p)
				}
				seen[p][k] = a.ID
			}
		}
	}
}

func TestNoKeyThatOldTerminalsConfuse(t *testing.T) {
	for _, a := range Keys() {
		for _, k := range a.Keys {
			if slices.Contains([]string{"ctrl+i", "ctrl+m", "ctrl+[", "ctrl+h", "ctrl+j"}, k) {
				t.Errorf("%s: %s is another key on older terminals", a.ID, k)
			}
		}
	}
}

// Whatever changes the study can be done without a screen, by a command and flags that exist.
func TestEveryTwinExists(t *testing.T) {
	b, err := os.ReadFile("../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, s := range strings.Split(string(b), "\n## ")[1:] {
		name, text, _ := strings.Cut(s, "\n")
		sections[name] = text
	}
	for _, a := range Keys() {
		if a.Changes && a.Twin == "" && a.ID != "exporting.cancel" {
			t.Errorf("%s changes the study and has no command", a.ID)
		}
		if a.Twin == "" {
			continue
		}
		words := strings.Fields(a.Twin)
		text, ok := sections[strings.Join(words[:min(2, len(words))], " ")]
		if words[0] != "parfait" || !ok {
			t.Errorf("%s: there is no command %q", a.ID, a.Twin)
			continue
		}
		for _, w := range words[2:] {
			if strings.HasPrefix(w, "--") && w != "--json" && !strings.Contains(text, "`"+w+" ") && !strings.Contains(text, "`"+w+"`") {
				t.Errorf("%s: %s has no flag %s", a.ID, words[1], w)
			}
		}
	}
}

func TestKeysDocument(t *testing.T) {
	const file = "../docs/keys.md"
	want := keysMarkdown()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the program does: go test ./tui -run KeysDocument -update", file)
	}
}

// What cannot be taken back is asked about first, and no leads back to where it was asked.
func TestDangerIsAskedAbout(t *testing.T) {
	reach := map[string]func() *driver{
		"trials.forget": func() *driver {
			d := drive(t, states["sampling"], 80, 24)
			d.press("3 end")
			return d
		},
		"exporting.cancel": func() *driver {
			d := drive(t, states["sampling"], 80, 24)
			d.e.exporting = &exportRun{progress: newProgress(), cancel: func() { t.Error("cancelled without a yes") }}
			d.e.above = &exportProgress{}
			return d
		},
	}
	for _, a := range actions() {
		if !a.Danger {
			continue
		}
		open, ok := reach[a.ID]
		if !ok {
			t.Errorf("nobody knows how to press %s", a.ID)
			continue
		}
		d := open()
		before := d.e.scope()
		d.press(a.Keys[0])
		if d.e.scope() != scopeQuestion || len(d.src.commands) > 0 {
			t.Errorf("%s does not ask: %s, %+v", a.ID, d.e.scope(), d.src.commands)
		}
		d.press("n")
		if d.e.scope() != before || len(d.src.commands) > 0 {
			t.Errorf("%s after no: at %s, expected %s; %+v", a.ID, d.e.scope(), before, d.src.commands)
		}
	}
	cancelled := false
	d := reach["exporting.cancel"]()
	d.e.exporting.cancel = func() { cancelled = true }
	d.press("x y")
	if !cancelled || d.e.scope() != scopeExporting {
		t.Errorf("after yes: cancelled %v, at %s", cancelled, d.e.scope())
	}
}

// Views do not take each other's tab, scope or key, and what is kept finds them.
func TestViewsAreDistinct(t *testing.T) {
	seen := map[string]string{}
	for _, v := range viewInfos() {
		for what, is := range map[string]string{"scope": string(v.scope), "key": v.key, "title": v.title, "heading": v.heading} {
			if other, taken := seen[what+is]; taken || is == "" {
				t.Errorf("the %s of the view %q is %q, which is empty or that of %q", what, v.title, is, other)
			}
			seen[what+is] = v.title
		}
		d := drive(t, demo, 80, 24)
		d.press(v.key)
		if d.shown() != v.scope || d.e.focus != v.scope {
			t.Errorf("%s leads to %s with the focus on %s, want %s", v.key, d.shown(), d.e.focus, v.scope)
		}
		if len(d.e.keys.of(v.scope)) == 0 || !strings.Contains(keysMarkdown(), "\n## "+v.heading+"\n") {
			t.Errorf("the view %s has no keys of its own, or no section in docs/keys.md", v.title)
		}
	}
}

// A key that does nothing says so, and where it does something.
func TestAKeyThatDoesNothingSaysSo(t *testing.T) {
	d := drive(t, states["sampling"], 120, 40)
	d.press("tab tab")
	if d.e.scope() == scopeCoefficients {
		d.press("tab")
	}
	for d.e.scope() != scopeCoefficients {
		d.press("tab")
	}
	for keys, want := range map[string]string{
		"@": "@ does nothing in coefficients; in tasks: set what to aspire to",
		">": "> does nothing in coefficients; in tasks: set a floor",
		"Y": "Y does nothing in coefficients; in front: another Y axis",
		"a": "a does nothing in coefficients; ? has the keys",
	} {
		d.press(keys)
		d.sees(want)
	}
	d.press("right")
	if strings.Contains(d.text(), "does nothing") {
		t.Error("it is still said after a key that does something")
	}
}
