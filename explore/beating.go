package explore

import (
	"fmt"
	"strings"

	"parfait/study"
)

// own is the analysis with the front that has numbers, so that counts are the same whatever the front is traced under.
func own(a *study.Analysis) *study.Analysis {
	b := *a
	b.Front = a.Numbered()
	return &b
}

// beating are BeatingWords of the points that have numbers.
func beating(a *study.Analysis, r Rival) string { return BeatingWords(own(a), r) }

// BeatsBase is how many of the points that have numbers beat the base on every objective; false where that is not known.
// O(front · objectives).
func BeatsBase(a *study.Analysis) (n, of int, known bool) {
	base, err := RivalNamed(a, RivalBase, nil)
	if err != nil {
		return 0, 0, false
	}
	return base.Beating(own(a)), len(a.Numbered()), true
}

// Answers say how many of the points that have numbers beat what there was without a search: "83 of 300 points beat the base on
// every task, none the uniform average, 1 math alone"; "" where none of these is known. O(front · objectives).
func Answers(a *study.Analysis) string {
	var words []string
	for i, r := range Rivals(a, nil) {
		if i == 0 {
			words = append(words, beating(a, r))
			if len(constant(a)) == len(a.Objectives) {
				break // of all alike
			}
			continue
		}
		count := "none"
		if n := r.Beating(own(a)); n > 0 {
			count = fmt.Sprint(n)
		}
		words = append(words, count+" "+r.Title)
	}
	return strings.Join(words, ", ")
}
