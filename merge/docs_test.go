package merge

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parfait/merge/method"
)

var update = flag.Bool("update", false, "write what is generated into docs/")

// TestMethodsDocument keeps the list of methods in docs/methods.md as the program has it.
func TestMethodsDocument(t *testing.T) {
	const begin, end = "<!-- made from the program by `go test ./merge -run MethodsDocument -update` -->\n", "<!-- end -->\n"
	path := filepath.Join("..", "docs", "methods.md")
	data, err := os.ReadFile(path)
	must(t, err)
	head, rest, ok := strings.Cut(string(data), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has lost the marks of its generated part", path)
	}
	want := head + begin + methodsMarkdown() + end + tail
	if *update {
		must(t, os.WriteFile(path, []byte(want), 0o644))
	} else if want != string(data) {
		t.Errorf("%s is not what the program has: run go test ./merge -run MethodsDocument -update", path)
	}
}

func methodsMarkdown() string {
	var b strings.Builder
	for _, m := range method.All() {
		fmt.Fprintf(&b, "\n### %s\n\n%s.", m.Name, strings.ToUpper(m.About[:1])+m.About[1:])
		if m.Paper != "" {
			fmt.Fprintf(&b, " %s.", m.Paper)
		}
		fmt.Fprintf(&b, "\n\n    %s\n\n", m.Formula)
		domains := map[method.Domain]string{method.Box: "box", method.Simplex: "simplex", method.Weightless: "no weights"}
		var list []string
		for _, d := range m.Domains {
			list = append(list, domains[d])
		}
		domain := strings.Join(list, "; ")
		if len(list) == 2 {
			domain = list[0] + "; with `normalize: " + map[bool]string{true: "false", false: "true"}[m.Domains[0] == method.Simplex] + "` " + list[1]
		}
		models := "any number of models"
		switch few, most := m.Models[0], m.Models[1]; {
		case few == most:
			models = fmt.Sprintf("exactly %d model(s)", few)
		case few > 1:
			models = fmt.Sprintf("at least %d models", few)
		}
		base := ""
		if m.NeedsBase {
			base = ", on a base"
		}
		fmt.Fprintf(&b, "Domain: %s. Takes %s%s.\n", domain, models, base)
		if len(m.Params) > 0 {
			b.WriteString("\n| parameter | | default | values |\n|---|---|---|---|\n")
			for _, p := range m.Params {
				value, legal := "has to be given", "a file for each model"
				if p.Default != nil {
					value = fmt.Sprint(p.Default)
				}
				switch p.Kind {
				case method.Number:
					legal = "a number " + p.Legal()
					if p.PerModel {
						legal += ", also by model"
					}
				case method.Flag:
					legal = "true, false"
				case method.Choice:
					legal = strings.Join(p.Choices, ", ")
				}
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", p.Name, p.About, value, legal)
			}
		}
		if len(m.Notes) > 0 {
			b.WriteString("\n")
			for _, n := range m.Notes {
				fmt.Fprintf(&b, "- %s\n", strings.ToUpper(n[:1])+n[1:])
			}
		}
	}
	b.WriteString("\n")
	return b.String()
}
