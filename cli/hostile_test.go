package cli

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/creack/pty"
	"github.com/spf13/cobra"

	"parfait/study"
	"parfait/visible"
)

// hostile is what others may call their things: it would set the title, write the clipboard, clear the screen, hide
// text and turn letters round.
func hostile(what string) string {
	return "\x1b]0;PWN" + what + "\a\x1b]52;c;UFdO\a\x1b[35;8mPWN\u202e\u009b2J"
}

// hostileCommands are, for every command, command lines that show what others have written. S stands for a hostile
// study, T for another one, M for a hostile model, R for a recipe and K for a mergekit configuration of it.
var hostileCommands = map[string][]string{
	"parfait":                 {"", "S.typo"},
	"parfait demo":            {"--headless --dir S --tasks 4", "--headless --dir S --budget 12"},
	"parfait init":            {"N --print --base M --model a=M --task t --command true", "N --base M --model M=M --task t:M --command M", "S"},
	"parfait version":         {""},
	"parfait run":             {"S --headless", "S.typo --headless"},
	"parfait front":           {"S", "S --all", "S --measured", "S.typo"},
	"parfait predict":         {"S --knee", "S --at rotated=0.3", "S --best M", "S --at-least M=1", "S --at M"},
	"parfait pick":            {"S --knee --name PICK --why PICK", "S --list", "S --best unit"},
	"parfait export":          {"S --knee --out OUT1 --plan", "S --pick PICK --out OUT2 --verify", "S --knee --out M/x", "S --pick M"},
	"parfait check":           {"S", "S.typo"},
	"parfait repair":          {"S", "S.typo"},
	"parfait trials":          {"S", "S --log 1", "S --log 2", "S --log 3", "S --retry 1", "S --evaluate rotated=0.31", "S --csv", "S --jsonl", "S --import M", "S --import K", "S --evaluate @K", "S --export-optuna OUT6.log"},
	"parfait trust":           {"S"},
	"parfait barriers":        {"S", "T"},
	"parfait tree":            {"S", "T"},
	"parfait compare":         {"S T", "S S"},
	"parfait report":          {"S --out OUT3.html", "S --out M"},
	"parfait serve":           {"S", "S --authorized-keys KEYS", "S --authorized-keys M"},
	"parfait merge":           {"R OUT4", "R OUT4", "M OUT5", "S OUT5"},
	"parfait extract":         {"M M --out OUT7", "S M --out OUT7"},
	"parfait prepare":         {""},
	"parfait prepare tsv":     {"M M=M --base M --out OUT8", "M M --base S --out OUT9", "M M --base M --out M", "M M --base M --out M/x --plan"},
	"parfait prepare knots":   {"M M --base M --out OUT10", "M --base M --out OUT11 --ties --density 2"},
	"parfait prepare iso":     {"M M --base M --out OUT12 --cts", "M --base M --out OUT13 --common 0.5"},
	"parfait inspect":         {"M M", "M M --stats", "R", "S", "M"},
	"parfait verify":          {"OUT4", "OUT2", "M", "OUT2 --study S", "OUT4 --study S", "OUT4 --signers KEYS", "OUT4 --signers M"},
	"parfait sign":            {"OUT4 --key KEYS", "M --key M"},
	"parfait mergekit":        {"", "M"},
	"parfait mergekit import": {"K", "R"},
	"parfait mergekit export": {"R", "K"},
	"parfait worker":          {"", "M"},
	"parfait worker python":   {"", "M"},
	"parfait worker vllm":     {"", "M"},
	"parfait completion bash": {""}, "parfait completion zsh": {""}, "parfait completion fish": {""}, "parfait completion powershell": {""},
	"parfait help":             {"", "front", "M"},
	"parfait __complete":       {"front |", "pick S --best |"},
	"parfait __completeNoDesc": {"front |"},
}

// Nothing that others have written acts on a terminal or passes into a pipe, whatever command shows it.
func TestNothingForeignActsOnATerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for long, in no other way than shorter tests")
	}
	t.Setenv("TERM", "xterm-256color")
	t.Setenv("COLORTERM", "")
	t.Setenv("NO_COLOR", "")
	t.Chdir(t.TempDir())
	places := hostilePlaces(t)
	root := (&app{}).root()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	left := map[string]bool{}
	for name := range hostileCommands {
		left[name] = true
	}
	var names []string
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Runnable() {
			names = append(names, c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	names = append(names, "parfait __complete", "parfait __completeNoDesc")
	for _, name := range names {
		lines := hostileCommands[name]
		delete(left, name)
		if lines == nil {
			t.Errorf("%s is not held against what others write: give it command lines in hostileCommands", name)
		}
		for _, line := range lines {
			args := slices.Concat(strings.Fields(name)[1:], words(line, places))
			for _, form := range [][]string{nil, {"--json"}} {
				if form != nil && strings.HasPrefix(name, "parfait __") {
					continue
				}
				for way, shown := range map[string]string{"a terminal": onTerminal(t, slices.Concat(form, args)), "a pipe": inPipe(t, slices.Concat(form, args))} {
					harmless(t, fmt.Sprintf("%q on %s", slices.Concat(form, args), way), shown)
					places.seen = places.seen || strings.Contains(shown, "PWN")
				}
			}
		}
	}
	for name := range left {
		t.Errorf("%s is no command any more", name)
	}
	if !places.seen {
		t.Error("nothing hostile was shown at all: the test tests nothing")
	}
}

// hostilePlace are the places that command lines name, and whether anything of them was seen.
type hostilePlace struct {
	at   map[string]string
	seen bool
}

func words(line string, p *hostilePlace) []string {
	out := []string{}
	for _, w := range strings.Fields(line) {
		for _, name := range []string{"OUT1", "OUT2", "OUT3", "OUT4", "OUT5", "PICK", "KEYS"} {
			w = strings.ReplaceAll(w, name, p.at[name])
		}
		if len(w) > 0 && strings.ContainsRune("STMRKN", rune(w[0])) && (len(w) == 1 || w[1] == '.' || w[1] == '/' || w[1] == '=') {
			w = p.at[w[:1]] + w[1:]
		}
		w = strings.ReplaceAll(w, "=M", "="+p.at["M"])
		w = strings.ReplaceAll(w, ":M", ":"+p.at["M"])
		out = append(out, strings.ReplaceAll(w, "|", ""))
	}
	return out
}

var (
	ownStyling = regexp.MustCompile(`\x1b\[[0-9;]*m`)
	rewriting  = "\r\x1b[K"
)

// harmless fails where something of shown acts, or foreign styling passes.
func harmless(t *testing.T, what, shown string) {
	t.Helper()
	if strings.Contains(shown, "35;8m") && strings.Contains(shown, "\x1b[35;8m") {
		t.Errorf("%s: somebody else's styling passes", what)
	}
	rest := strings.ReplaceAll(strings.ReplaceAll(shown, "\r\n", "\n"), rewriting, "")
	rest = ownStyling.ReplaceAllString(rest, "")
	if !utf8.ValidString(rest) {
		t.Errorf("%s: bytes that are no text", what)
	}
	if at := strings.IndexFunc(rest, visible.Acts); at >= 0 {
		t.Errorf("%s: a terminal would act on it: %q", what, rest[max(0, at-60):min(len(rest), at+40)])
	}
}

func onTerminal(t *testing.T, args []string) string {
	t.Helper()
	screen, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	text := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(screen) // ends with an error when the terminal is closed
		text <- string(b)
	}()
	Run(t.Context(), args, devNull(t), tty, tty)
	_ = tty.Close()
	out := <-text
	_ = screen.Close()
	return out
}

func inPipe(t *testing.T, args []string) string {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	Run(t.Context(), args, devNull(t), f, f)
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func devNull(t *testing.T) *os.File {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// hostilePlaces makes what the command lines name: studies, a model, recipes, all called and filled with hostile text.
func hostilePlaces(t *testing.T) *hostilePlace {
	t.Helper()
	p := &hostilePlace{at: map[string]string{
		"S": hostile("dir") + ".study", "T": hostile("other") + ".study", "N": hostile("new"), "M": hostile("model"), "R": hostile("recipe") + ".yaml", "K": hostile("mergekit") + ".yaml",
		"PICK": hostile("pick"), "KEYS": hostile("keys"),
	}}
	for i := range 5 {
		p.at[fmt.Sprintf("OUT%d", i+1)] = hostile(fmt.Sprintf("out%d", i+1))
	}
	hostileModel(t, p.at["M"])
	model, err := json.Marshal(p.at["M"])
	check(t, err)
	recipe := fmt.Sprintf("version: 1\nbase: %[1]s\nmodels: [{name: m, path: %[1]s, weight: 0.5}]\nmethod: {name: task_arithmetic}\n", model)
	check(t, os.WriteFile(p.at["R"], []byte(recipe), 0o644))
	kit := fmt.Sprintf("merge_method: task_arithmetic\nbase_model: %[1]s\nmodels: [{model: %[1]s, parameters: {weight: 0.5}}]\ndtype: float32\n", model)
	check(t, os.WriteFile(p.at["K"], []byte(kit), 0o644))
	check(t, os.WriteFile(p.at["KEYS"], []byte(hostile("key")+"\n"), 0o644))
	hostileStudy(t, p.at["S"])
	check(t, os.CopyFS(p.at["T"], os.DirFS(p.at["S"])))
	check(t, os.Mkdir(p.at["S"]+".typo", 0o755))
	typo := fmt.Sprintf("version: 1\nbase: x\n? %q\n: %q\nmodels: [%q]\n", hostile("key"), hostile("value"), hostile("word"))
	check(t, os.WriteFile(filepath.Join(p.at["S"]+".typo", study.SpecFile), []byte(typo), 0o644))
	return p
}

// hostileModel is a model with hostile tensor names.
func hostileModel(t *testing.T, dir string) {
	t.Helper()
	header, err := json.Marshal(map[string]any{hostile("tensor"): map[string]any{"dtype": "F32", "shape": []int{2}, "data_offsets": []int{0, 8}}})
	check(t, err)
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	file = append(append(file, header...), 0, 0, 128, 63, 0, 0, 0, 64)
	check(t, os.Mkdir(dir, 0o755))
	check(t, os.WriteFile(filepath.Join(dir, "model.safetensors"), file, 0o644))
	config, err := json.Marshal(map[string]any{"model_type": hostile("type"), "architectures": []string{hostile("architecture")}})
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "config.json"), config, 0o644))
}

// hostileStudy is a study whose evaluator, unit, picks and folder are hostile; its second trial has failed.
func hostileStudy(t *testing.T, dir string) {
	t.Helper()
	check(t, study.Demo(t.Context(), dir, study.DemoOptions{Tasks: 2, Budget: 9, Seed: 1}))
	path := filepath.Join(dir, study.SpecFile)
	b, err := os.ReadFile(path)
	check(t, err)
	unit, err := json.Marshal(hostile("unit"))
	check(t, err)
	text := strings.Replace(string(b), "{name: mirrored, unit: rate,", "{name: mirrored, unit: "+string(unit)+",", 1)
	text = strings.Replace(text, "evaluators:\n", "  - {name: extra, role: info, evaluator: judge}\nevaluators:\n  judge: {command: [sh, judge.sh, '{trial}']}\n", 1)
	check(t, os.WriteFile(path, []byte(text), 0o644))
	script := "printf '%s\\n' '" + hostile("log") + "' '" + hostile("stderr") + "' >&2\nprintf ' 50%%\\r100%%\\n'\nprintf 'PARFAIT_PROGRESS 1/2 %s\\n' '" + hostile("note") + "'\n" +
		"[ \"$1\" = 2 ] && { printf '%s' '" + hostile("error") + "' >&2; exit 3; }\necho '{\"extra\": 0.5}'\n"
	check(t, os.WriteFile(filepath.Join(dir, "judge.sh"), []byte(script), 0o644))
	s, err := study.Open(dir)
	check(t, err)
	defer func() { check(t, s.Close()) }()
	check(t, s.Run(context.WithoutCancel(t.Context()), study.RunOptions{}))
	snap, err := s.Load(t.Context())
	check(t, err)
	if snap.Analysis == nil || snap.Trials[1].Error == "" {
		t.Fatalf("the study has no front, or nothing has failed: %+v", snap.Trials)
	}
	_, err = s.SavePick(study.Pick{Name: hostile("pick"), Why: hostile("why") + "\nsecond line", X: snap.Analysis.Front[0].X, Who: hostile("who")})
	check(t, err)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
