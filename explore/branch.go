package explore

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"parfait/problem"
	"parfait/search"
	"parfait/study"
)

// BranchRow is a branch of a nested merge as a line of a list, in which a merge stands above its parts.
type BranchRow struct {
	*search.Branch
	Stem  string  // what leads to it: "│  └─ "
	Scale float64 // what the merge above scales it by; NaN where there is none, or it is not decided
	Title string  // the model, or "round 2"
	State string  // what is known of it, in words
	Open  bool    // it is being measured
	Trial int     // index in Snapshot.Trials of a finished trial exactly there, −1 none
}

// Branches lists a merge tree. It takes time proportional to branches × trials.
func Branches(snap *study.Snapshot, roots []*search.Branch) []BranchRow {
	var out []BranchRow
	for _, root := range roots {
		out = branchRows(out, snap, root, "", "", math.NaN(), len(roots) > 1)
	}
	return out
}

func branchRows(out []BranchRow, snap *study.Snapshot, b *search.Branch, stem, below string, scale float64, waits bool) []BranchRow {
	r := BranchRow{Branch: b, Stem: stem, Scale: scale, Title: b.Name, Trial: -1}
	if b.X != nil {
		r.Trial = slices.IndexFunc(snap.Trials, func(t study.Trial) bool { return t.State.Final() && samePoint(t.X, b.X) })
	}
	if len(b.Parts) > 0 {
		r.Title = fmt.Sprintf("round %d", b.Round)
		r.Open = b.X == nil
	}
	r.State = branchState(b, r.Trial >= 0, waits)
	out = append(out, r)
	for i, p := range b.Parts {
		at := math.NaN()
		if b.X != nil {
			at = b.At[i]
		}
		if i+1 < len(b.Parts) {
			out = branchRows(out, snap, p, below+"├─ ", below+"│  ", at, false)
		} else {
			out = branchRows(out, snap, p, below+"└─ ", below+"   ", at, false)
		}
	}
	return out
}

// branchState says what is known of a branch. One that waits has nothing to be merged with yet.
func branchState(b *search.Branch, measured, waits bool) string {
	var s string
	switch {
	case len(b.Parts) > 0 && b.X == nil:
		s = fmt.Sprintf("%d of %d measured", b.Measured, b.Wanted)
	case len(b.Parts) > 0 && measured:
		s = fmt.Sprintf("decided from %d, and measured", b.Wanted)
	case len(b.Parts) > 0:
		s = fmt.Sprintf("decided from %d", b.Wanted)
	case !measured:
		return "to be measured alone"
	}
	if len(b.Parts) == 0 {
		s = "best at no task"
		if len(b.Tasks) > 0 {
			s = "best at " + problem.And(b.Tasks)
		}
	}
	if waits && b.X != nil {
		s += "; waits for its partner"
	}
	return s
}

// NextBranch says in words what a nested merge does next, or what came of it.
func NextBranch(snap *study.Snapshot, roots []*search.Branch) string {
	rows := Branches(snap, roots)
	if len(roots) == 1 && roots[0].X != nil {
		if rows[0].Trial >= 0 {
			return "The nested merge is " + roots[0].Recipe() + "."
		}
		return "Next: the nested merge itself is measured, " + roots[0].Recipe() + "."
	}
	var alone, pairs []string
	for _, r := range rows {
		switch {
		case len(r.Parts) == 0 && r.Trial < 0:
			alone = append(alone, r.Name)
		case r.Open:
			pairs = append(pairs, fmt.Sprintf("%d more of %s", r.Wanted-r.Measured, r.Name))
		}
	}
	switch {
	case len(alone) > 0:
		return "Next: " + problem.And(alone) + " alone, so that the models can be paired."
	case len(pairs) > 0:
		return fmt.Sprintf("Next, in round %d: %s.", roots[0].Round, strings.Join(pairs, "; "))
	}
	return "Next: the winners are paired."
}
