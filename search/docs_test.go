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
they stopped. Of more than 500 finished trials the measured front and an even spread of the others are fitted, so that
to think takes no longer after 5,000 trials than after 500.

` + "```yaml" + `
search: {strategy: adaptive, budget: 60, batch: 4, seed: 1}   # options of the strategy stand beside
` + "```" + `

The one-shot design supports a quadratic: the base, the uniform average, all models at one half, each model alone, then the
points that make a quadratic surest over the region, each at most once. On a simplex the centre and the vertices take their
place. What all these leave where it is moves next: a parameter without a natural zero, which is mid-range there, to both of
its ends, and layer groups against one another, each group of another model. The start of strategies with surrogates looks at
what it gets: after the base and the average come a model alone and one of those points, or one of the region, by turns, until
models alone were measured. Where
most of what these score is no more than the floor of a task (a model that has learnt one thing and nothing else), points spread
over the region and over the whole box follow, else the other models alone. The seed says which model is the first.

## Floors

` + "`at_least`" + ` and ` + "`at_most`" + ` bound the front, whatever the role of their task: it is that of the merges that keep them all.
Adaptive and ehvi measure on it, as predicted, where a measurement tells most of whether a floor is kept too; what ehvi
expects of a merge counts by the probability that it keeps them (Schonlau, Welch and Jones 1998). Where nothing is predicted
to keep them they measure what comes nearest. The front that is shown truly keeps each floor with a probability of .95: of merges
just at the edge half would break it. The flag --confidence of front, pick, export and the explorer asks for another. Nested, greedy and evolution put merges that keep floors before those that do not (Deb 2000).

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
