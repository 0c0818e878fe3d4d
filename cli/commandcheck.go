package cli

import (
	"cmp"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"parfait/merge"
	"parfait/merge/codes"
	"parfait/problem"
	"parfait/study"
)

// doubtCommands says what looks wrong with the commands of a study in dir before the first trial fails by it.
// None of it need be: a program may read its environment, and what is not there may come yet.
func doubtCommands(dir string, s *study.Spec) []merge.Problem {
	var out []merge.Problem
	for _, e := range s.Evaluators {
		if _, err := exec.LookPath("lm_eval"); e.Kind == "lm_eval" && e.Options["program"] == nil && err != nil {
			out = append(out, merge.Problem{
				Code: codes.Open, Where: "lm_eval", What: "there is no program lm_eval in $PATH",
				Fix: "pip install 'lm_eval[hf]', or say where it is with the option program: [/path/to/venv/bin/lm_eval]",
			})
		}
		list, _ := e.Options["command"].([]any)
		words := make([]string, len(list))
		for i, w := range list {
			words[i] = fmt.Sprint(w)
		}
		if len(words) == 0 {
			continue
		}
		if !told.MatchString(strings.Join(words, " ")) {
			out = append(out, merge.Problem{
				Code: codes.Open, Where: "--command", What: "has no {model} in it, so it would measure the same every time",
				Expected: "{model} where the merged model's folder belongs", Fix: "leave it so only if the program reads PARFAIT_COEFFICIENTS",
			})
		}
		if _, err := exec.LookPath(words[0]); err != nil && !exists(filepath.Join(dir, words[0])) {
			out = append(out, merge.Problem{Code: codes.Open, Where: "--command", What: "there is no program " + words[0], Fix: "check its name"})
		}
		for _, w := range words[1:] {
			if script.MatchString(w) && !exists(w) && !exists(filepath.Join(dir, w)) {
				out = append(out, merge.Problem{Code: codes.Open, Where: "--command", What: "there is no file " + w, Fix: cmp.Or(nearFile(w), "check its name")})
			}
		}
	}
	return out
}

// told is what tells a command which merge to measure.
var told = regexp.MustCompile(`\{(model|coefficients|trial|key)\}`)

// script is a word that names a program's text.
var script = regexp.MustCompile(`^[^-{}][^{}=]*\.(py|sh|bash|R|jl|js|rb|pl|lua)$`)

// nearFile asks whether a file beside the one that is missing was meant.
func nearFile(path string) string {
	found, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"+filepath.Ext(path)))
	return problem.Meant(filepath.Clean(path), found)
}
