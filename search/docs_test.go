package search

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/search.md instead of comparing it")

// TestDocsAreCurrent keeps docs/search.md what the program says of its strategies.
func TestDocsAreCurrent(t *testing.T) {
	file := filepath.Join("..", "docs", "search.md")
	want := reference()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not current: go test ./search -run DocsAreCurrent -update", file)
	}
}

// reference is docs/search.md.
func reference() string {
	var b strings.Builder
	b.WriteString(`# What is measured next

<!-- made from the code: go test ./search -run DocsAreCurrent -update -->

A strategy proposes batches of coefficient vectors. With ` + "`order: fixed`" + ` batch j is computed from the finished batches
up to j−2, with batch j−1 entered at its predictions, so that the number of workers changes the time and nothing
else; the same study with the same metrics asks for the same trials. With ` + "`order: free`" + ` it is asked whenever a slot is
free, with what has finished and what has not entered at its predictions. Every proposal says in words why
(` + "`parfait trials`" + ` shows it). Strategies with surrogates say of every batch what it is expected to add to the
measured hypervolume: in the header, in ` + "`parfait trials`" + ` and ` + "`parfait trust`" + ` (` + "`batches`" + ` and ` + "`newest_batch`" + `
with ` + "`--json`" + `). A strategy that needs what is still being measured waits, and says so there; all resume where
they stopped.

` + "```yaml" + `
search: {strategy: adaptive, budget: 60, batch: 4, seed: 1}   # options of the strategy stand beside
` + "```" + `

The start of most strategies supports a quadratic: the base, each model alone, halves and the uniform
average, then the points that make a quadratic surest over the region, each at most once. On a simplex the
vertices and the centre take their place; a parameter without a natural zero starts at mid-range.

`)
	for _, s := range Strategies() {
		fmt.Fprintf(&b, "## %s\n\n%s.\n", s.Name, strings.ToUpper(s.Line[:1])+s.Line[1:])
		if s.Paper != "" {
			fmt.Fprintf(&b, "\nAfter: %s.\n", s.Paper)
		}
		switch s.Models {
		case 0:
		case 1:
			b.WriteString("\nNeeds a model with a range.\n")
		default:
			fmt.Fprintf(&b, "\nNeeds %d models with ranges.\n", s.Models)
		}
		if s.Ends != "" {
			fmt.Fprintf(&b, "\nEnds before the budget is spent when %s.\n", s.Ends)
		}
		if len(s.Options) > 0 {
			b.WriteString("\n| option | default | what it is |\n|---|---|---|\n")
			for _, o := range s.Options {
				def := fmt.Sprintf("`%v`", o.Default)
				if o.Default == nil || o.Default == "" {
					def = "–"
				}
				fmt.Fprintf(&b, "| `%s` | %s | %s |\n", o.Name, def, o.Doc)
			}
		}
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}
