package study

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parfait/evaluator"
)

var update = flag.Bool("update", false, "write the tables of options in docs/evaluators.md instead of comparing them")

const evaluatorDocs = "../docs/evaluators.md"

// TestEveryKindHasWhatItNeeds names what a kind of evaluator lacks: a section in docs/evaluators.md with its options,
// an example and its codes of failure, and a test that holds it to the contract.
func TestEveryKindHasWhatItNeeds(t *testing.T) {
	b, err := os.ReadFile(evaluatorDocs)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	for _, name := range evaluatorKinds() {
		if name == "fake" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			k := kinds[name]
			if section := sectionOf(doc, name); section == "" {
				t.Errorf("docs/evaluators.md has no section \"## %s\": say there what it measures and how it is asked", name)
			} else {
				doc = checkOptions(t, doc, name, k.options)
				checkExamples(t, section, name)
				checkCodes(t, section, k.home)
			}
			if !inFiles(t, k.home, "_test.go", regexp.MustCompile(`evaluatortest\.Run\(`)).found {
				t.Errorf("no test in %s holds it to the contract: call evaluatortest.Run there", k.home)
			}
			if rigs[name] == nil {
				t.Errorf("study/evaluators_test.go has no rig for it: say there how a study with it is made, so that its runners are killed at every step")
			}
		})
	}
	if *update {
		write(t, evaluatorDocs, doc)
	}
}

// sectionOf returns what stands under "## name", "" where nothing does.
func sectionOf(doc, name string) string {
	_, section, found := strings.Cut(doc, "\n## "+name+"\n")
	if !found {
		return ""
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return section
}

// checkOptions holds the table of a kind's options to what it reads; it returns the document as it should be.
func checkOptions(t *testing.T, doc, name string, options []evaluator.Option) string {
	t.Helper()
	var table strings.Builder
	table.WriteString("| option | meaning | without it |\n|---|---|---|\n")
	for _, o := range options {
		if o.Key == "" || o.Means == "" || o.Without == "" {
			t.Errorf("the option %+v says nothing of its key, what it means, or what holds without it", o)
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", o.Key, o.Means, o.Without)
	}
	begin, end := "<!-- options: "+name+" -->\n", "<!-- end of options -->\n"
	before, rest, found := strings.Cut(doc, begin)
	was, after, ended := strings.Cut(rest, end)
	switch {
	case !found || !ended:
		t.Errorf("docs/evaluators.md has no place for the options: put these two lines under \"## %s\":\n%s%s", name, begin, end)
		return doc
	case was != table.String() && !*update:
		t.Errorf("docs/evaluators.md does not tell of the options as they are: go test ./study -run EveryKind -update")
	}
	return before + begin + table.String() + end + after
}

// checkExamples reads the examples in YAML: at least one is of the kind, and each can be used as it is.
func checkExamples(t *testing.T, section, name string) {
	t.Helper()
	examples := 0
	for _, m := range regexp.MustCompile("(?s)```yaml\n(evaluators:.*?)```").FindAllStringSubmatch(section, -1) {
		tasks := ""
		for _, e := range regexp.MustCompile(`(?m)^  (\w+):`).FindAllStringSubmatch(m[1], -1) {
			tasks += "  - {name: of_" + e[1] + ", evaluator: " + e[1] + "}\n"
		}
		spec, err := ParseSpec("docs", []byte("version: 1\nbase: b\nmodels: [{name: a, path: a}]\ntasks:\n"+tasks+m[1]))
		if err != nil {
			t.Errorf("an example cannot be used: %v\n%s", err, m[1])
			continue
		}
		for _, e := range spec.Evaluators {
			if e.Kind == name {
				examples++
			}
		}
	}
	if examples == 0 {
		t.Errorf("docs/evaluators.md has no example under \"## %s\": a block ```yaml that begins with evaluators:", name)
	}
}

// checkCodes looks for the codes of failure that only this kind has.
func checkCodes(t *testing.T, section, home string) {
	t.Helper()
	for _, code := range inFiles(t, home, ".go", regexp.MustCompile(`evaluator\.Code += "(\w+)"`)).groups {
		if !strings.Contains(section, "`"+code+"`") {
			t.Errorf("docs/evaluators.md does not say when a trial fails as `%s`", code)
		}
	}
}

// matches are those of an expression in the files of a package.
type matches struct {
	found  bool
	groups []string
}

func inFiles(t *testing.T, home, ending string, expr *regexp.Regexp) (out matches) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", strings.TrimPrefix(home, "parfait/"), "*"+ending))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range expr.FindAllStringSubmatch(string(b), -1) {
			out.found, out.groups = true, append(out.groups, m[1:]...)
		}
	}
	return out
}
