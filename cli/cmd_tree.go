package cli

import (
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"parfait/explore"
	"parfait/search"
	"parfait/study"
	"parfait/visible"
)

func (a *app) treeCommand() *cobra.Command {
	return a.onStudy(&cobra.Command{
		Use:   "tree",
		Short: "Show the merge tree of a nested study",
		Long: "For a study whose strategy is nested: which models and merges were paired, how many merges of each pair are measured, the winner of each pair with what it scales its parts by, and what is measured next. " +
			"The last merge is one flat recipe; no intermediate checkpoint exists.",
	}, load, func(cmd *cobra.Command, s *study.Study, snap *study.Snapshot) error {
		if name := snap.Spec.Search.Strategy; name != "nested" {
			return &fault{exit: ExitNoAnswer, what: snap.Name + ": the strategy " + name + " builds no tree", fix: "a study with `search: {strategy: nested}` does"}
		}
		roots, err := snap.Tree(cmd.Context())
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(a.out, treeJSON{snap.Dir, explore.NextBranch(snap, roots), branchesOf(snap, roots)})
		}
		return a.printTree(snap, roots)
	})
}

type treeJSON struct {
	Study string       `json:"study"`
	Next  string       `json:"next"` // in words
	Roots []branchJSON `json:"roots"`
}

type branchJSON struct {
	Name         string            `json:"name"`
	Round        int               `json:"round"` // 0 for a model
	Tasks        []string          `json:"tasks"` // that it answers for
	Measured     int               `json:"measured"`
	Wanted       int               `json:"wanted"`
	Decided      bool              `json:"decided"`
	Recipe       string            `json:"recipe,omitempty"`
	Coefficients map[string]number `json:"coefficients,omitempty"`
	Scales       []number          `json:"scales,omitempty"` // of the parts
	Parts        []branchJSON      `json:"parts"`
}

func branchesOf(snap *study.Snapshot, list []*search.Branch) []branchJSON {
	out := []branchJSON{}
	for _, b := range list {
		j := branchJSON{Name: b.Name, Round: b.Round, Tasks: append([]string{}, b.Tasks...), Measured: b.Measured, Wanted: b.Wanted, Decided: b.X != nil, Parts: branchesOf(snap, b.Parts)}
		if b.X != nil {
			j.Coefficients = coefficientsOf(snap.Space, b.X)
			if len(b.Parts) > 0 {
				j.Recipe, j.Scales = b.Recipe(), []number{number(b.At[0]), number(b.At[1])}
			}
		}
		out = append(out, j)
	}
	return out
}

func (a *app) printTree(snap *study.Snapshot, roots []*search.Branch) error {
	out := a.sheet(left("merge"), left("state"), left("made of").spared(1))
	for _, r := range explore.Branches(snap, roots) {
		name := r.Stem
		if !math.IsNaN(r.Scale) {
			name += explore.Decimal(r.Scale, 2) + " × "
		}
		recipe := ""
		if len(r.Parts) > 0 {
			recipe = r.Name
			if r.X != nil {
				recipe = r.Recipe()
			}
		}
		out.add(name+r.Title, r.State, recipe)
	}
	_, err := fmt.Fprintf(a.out, "%s: %s\n%s", visible.Line(snap.Name), explore.NextBranch(snap, roots), out)
	return err
}
