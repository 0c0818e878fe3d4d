package problem

import (
	"fmt"
	"strings"
)

// Nearest returns the known word with the smallest edit distance to word, or "" where none is close:
// more than a third of the letters differ.
func Nearest(word string, known []string) string {
	best, dist := "", 1+max(1, len(word)/3)
	for _, k := range known {
		if strings.EqualFold(k, word) {
			return k
		}
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < dist {
			best, dist = k, d
		}
	}
	return best
}

// Meant asks whether the nearest known word was meant; "" where none is close.
func Meant(word string, known []string) string {
	if near := Nearest(word, known); near != "" && near != word {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// Unknown is the problem of a word that stands where a known one of some kind was expected: unknown task "rotatd".
// It asks whether the nearest was meant, or names those that are known.
func Unknown(code Code, where, kind, word string, known []string) Problem {
	p := Problem{Code: code, Where: where, What: fmt.Sprintf("unknown %s %q", kind, word), Fix: Meant(word, known)}
	if p.Fix == "" && len(known) > 0 {
		p.Expected = OneOf(known)
	}
	return p
}

// maxNamed is how many words people read to find theirs.
const maxNamed = 24

// OneOf names what may stand somewhere.
func OneOf(known []string) string {
	if len(known) == 1 {
		return known[0]
	}
	named := known[:min(len(known), maxNamed)]
	text := "one of " + strings.Join(named, ", ")
	if more := len(known) - len(named); more > 0 {
		text += fmt.Sprintf(" and %d others", more)
	}
	return text
}

// distance is the edit distance with transpositions of neighbours (optimal string alignment), in
// O(len(a)·len(b)).
func distance(a, b string) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
