package main

import (
	"cmp"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// may says which of this module's packages a package may import directly. A package that is not named
// here may import nothing of ours, so that a new one has to be drawn on the map first, and what it does not
// import is not on the map, so that the map is what is there.
//
//	cli → {tui, report} → explore → study → search → {surrogate, pareto}; cli → transfer → study; cli → serve, which
//	knows none of ours
//	study → {evaluator, merge}; evaluator/* → merge/safetensors only
//	surrogate, pareto and merge are libraries that know none of the others
var may = map[string][]string{
	"":                {"cli"},
	"cli":             {"internal/rescue", "internal/sshsig", "problem", "visible", "tui", "tui/chart", "serve", "explore", "study", "report", "search", "surrogate", "transfer", "merge", "merge/codes", "merge/mergekit", "merge/method", "evaluator", "evaluator/digits", "evaluator/command", "evaluator/worker/python", "evaluator/worker/vllm", "yamldoc"},
	"tui":             {"internal/rescue", "problem", "visible", "tui/chart", "tui/figure", "explore", "study", "search", "merge", "evaluator"},
	"serve":           {"internal/rescue"},
	"report":          {"visible", "explore", "study", "search", "surrogate", "evaluator"},
	"transfer":        {"problem", "study", "search", "evaluator", "internal/stage"},
	"explore":         {"problem", "study", "search", "pareto"},
	"study":           {"history", "internal/oom", "internal/rescue", "internal/stage", "problem", "visible", "parallel", "search", "surrogate", "pareto", "evaluator", "evaluator/command", "evaluator/digits", "evaluator/http", "evaluator/lmeval", "evaluator/slurm", "evaluator/worker", "merge", "merge/codes", "merge/method", "yamldoc"},
	"history":         {"problem", "internal/stage"},
	"search":          {"problem", "surrogate", "pareto", "parallel"},
	"pareto":          {"internal/rescue", "problem", "parallel"},
	"merge":           {"internal/rescue", "internal/stage", "problem", "visible", "merge/codes", "merge/internal/glob", "merge/kernel", "merge/method", "merge/safetensors", "merge/spectral", "yamldoc"},
	"yamldoc":         {"problem", "visible"},
	"problem":         {},
	"internal/stage":  {"internal/rescue"},
	"internal/sshsig": {"problem"},
	"visible":         {},
	"surrogate":       {"problem", "parallel"},
	"surrogate/items": {"problem"},
	"parallel":        {"internal/rescue"},
	"internal/rescue": {},
	"internal/oom":    {},

	"explore/exploretest": {"study", "search", "surrogate", "evaluator"},

	"evaluator":                      {"internal/rescue", "problem", "visible"},
	"evaluator/internal/option":      {"problem", "evaluator", "evaluator/internal/placeholder", "yamldoc"},
	"evaluator/internal/question":    {"evaluator"},
	"evaluator/internal/placeholder": {},
	"evaluator/internal/process":     {},
	"evaluator/internal/report":      {"problem", "evaluator", "visible"},
	"evaluator/evaluatortest":        {"evaluator"},
	"search/searchtest":              {"search", "surrogate"},
	"evaluator/command":              {"internal/oom", "internal/rescue", "problem", "evaluator", "evaluator/internal/option", "evaluator/internal/placeholder", "evaluator/internal/process", "evaluator/internal/report"},
	"evaluator/lmeval":               {"evaluator", "evaluator/command", "evaluator/internal/option", "evaluator/internal/placeholder"},
	"evaluator/worker":               {"internal/rescue", "problem", "evaluator", "evaluator/internal/option", "evaluator/internal/placeholder", "evaluator/internal/process", "evaluator/internal/question", "evaluator/internal/report"},
	"evaluator/worker/python":        {},
	"evaluator/worker/vllm":          {},
	"evaluator/slurm":                {"internal/rescue", "evaluator", "evaluator/command", "evaluator/internal/option", "evaluator/internal/placeholder", "evaluator/internal/report"},
	"evaluator/http":                 {"evaluator", "evaluator/internal/option", "evaluator/internal/question", "evaluator/internal/report"},
	"evaluator/digits":               {"internal/rescue", "problem", "evaluator", "evaluator/internal/option", "merge/safetensors"},

	"merge/codes":       {"problem"},
	"merge/method":      {"merge/kernel"},
	"merge/mergekit":    {"problem", "merge", "merge/codes", "merge/method", "merge/internal/glob", "yamldoc"},
	"merge/safetensors": {},
	"merge/kernel":      {},
	"merge/spectral":    {"internal/rescue"},
	"pareto/problems":   {"pareto"},
	"tui/chart":         {},
	"tui/figure":        {"problem", "tui/chart"},
	"docs/examples":     {"evaluator/digits"},
}

// TestArrows holds the map: who may import whom, for everything that ends up in the program.
func TestArrows(t *testing.T) {
	all := packages(t)
	for name := range may {
		if !slices.ContainsFunc(all, func(p listed) bool { return p.name == name }) {
			t.Errorf("%s is on the map and not in the tree", name)
		}
	}
	for _, p := range all {
		allowed, known := may[p.name]
		for _, imported := range allowed {
			if !slices.Contains(p.imports, imported) {
				t.Errorf("%s may import %s and does not; take that off the map", cmp.Or(p.name, "main"), imported)
			}
		}
		if !known && !strings.HasPrefix(p.name, "bench/") && p.name != "e2e" {
			if len(p.imports) > 0 {
				t.Errorf("%s is not on the map and imports %s", p.name, strings.Join(p.imports, ", "))
			}
			continue
		}
		for _, imported := range p.imports {
			if known && !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s; it may import only %v", p.name, imported, allowed)
			}
			if strings.HasPrefix(imported, "bench") || imported == "e2e" || strings.HasSuffix(imported, "test") {
				t.Errorf("%s imports %s, which is for tests", p.name, imported)
			}
		}
	}
}

// TestLeavesStandAlone makes sure that what others could import brings nothing of the rest along, however
// indirectly.
func TestLeavesStandAlone(t *testing.T) {
	deps := map[string][]string{}
	for _, p := range packages(t) {
		deps[p.name] = p.deps
	}
	for leaf, with := range map[string][]string{
		"surrogate": {"problem", "parallel", "internal/rescue"}, "surrogate/items": {"problem"}, "pareto": {"problem", "parallel", "internal/rescue"}, "merge": {"merge/...", "yamldoc", "visible", "problem", "internal/stage", "internal/rescue"}, "merge/method": {"merge/kernel"}, "merge/safetensors": {}, "merge/kernel": {}, "internal/stage": {"internal/rescue"}, "internal/sshsig": {"problem"}, "tui/chart": {}, "yamldoc": {"visible", "problem"}, "problem": {}, "visible": {}, "internal/rescue": {}, "evaluator": {"problem", "visible", "internal/rescue"},
	} {
		found, ok := deps[leaf]
		if !ok {
			t.Errorf("there is no package %s any more", leaf)
		}
		for _, d := range found {
			if !slices.ContainsFunc(with, func(rule string) bool { return covers(rule, d) }) {
				t.Errorf("%s depends on %s", leaf, d)
			}
		}
	}
}

func covers(rule, name string) bool {
	if dir, ok := strings.CutSuffix(rule, "/..."); ok {
		return name == dir || strings.HasPrefix(name, dir+"/")
	}
	return rule == name
}

type listed struct {
	name          string // without the module; "" for the program itself
	imports, deps []string
}

// packages lists the module's packages as go list sees them, tests not counted.
func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Deps", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p struct {
			ImportPath    string
			Imports, Deps []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		name, _ := ours(p.ImportPath)
		l := listed{name: name}
		for _, i := range p.Imports {
			if n, ok := ours(i); ok {
				l.imports = append(l.imports, n)
			}
		}
		for _, i := range p.Deps {
			if n, ok := ours(i); ok {
				l.deps = append(l.deps, n)
			}
		}
		all = append(all, l)
	}
	return all
}

func ours(path string) (string, bool) {
	if path == "parfait" {
		return "", true
	}
	return strings.CutPrefix(path, "parfait/")
}
