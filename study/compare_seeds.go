package study

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Group are studies that ask for the same but for the seed.
type Group struct {
	Name    string // what it asks for differently from the other groups, or the name of its only study
	Studies []int
}

// SeedTest holds two groups against each other over their seeds, whose luck decides where nothing else does. It is the
// rank test of Mann and Whitney (1947), counted out, with the share of pairs of runs in which the first is better (Vargha
// and Delaney 2000, who call it A₁₂).
type SeedTest struct {
	A, B  int     // indices in Comparison.Groups
	Share float64 // of all pairs of runs, in which that of A has the larger hypervolume
	P     float64 // probability that ranks lie at least so far apart, either way, where the groups are alike; of several tests corrected by Holm
}

// FewestSeeds is how many runs a side it takes for a P below .05 of two groups.
const FewestSeeds = 4

// Sure says whether the luck of the search does not explain the difference.
func (t SeedTest) Sure() bool { return t.P < falseClaim }

// group finds the groups and holds every two of which one has several runs against each other.
func (c *Comparison) group() {
	var keys []string
	for i, s := range c.Studies {
		spec := *s.Snapshot.Spec
		models := slices.Clone(spec.Models)
		for k := range models {
			models[k].Path = s.Snapshot.Weights[models[k].Name] // wherever it lies
		}
		key := fmt.Sprint(spec.Method, models, spec.Groups, spec.Profile, spec.Tie, spec.Search.Strategy, spec.Search.Options, spec.Search.Budget, spec.Surrogate)
		at := slices.Index(keys, key)
		if at < 0 {
			at, keys, c.Groups = len(keys), append(keys, key), append(c.Groups, Group{})
		}
		c.Groups[at].Studies = append(c.Groups[at].Studies, i)
	}
	for g := range c.Groups {
		c.Groups[g].Name = c.groupName(g)
	}
	for a := range c.Groups {
		for b := range a {
			if len(c.Groups[a].Studies)+len(c.Groups[b].Studies) > 2 {
				c.Seeds = append(c.Seeds, c.seedTest(b, a))
			}
		}
	}
	p := make([]float64, len(c.Seeds))
	for i, t := range c.Seeds {
		p[i] = t.P
	}
	for i, v := range Holm(p) {
		c.Seeds[i].P = v
	}
}

// groupName is what a group asks for differently from others: method, strategy.
func (c *Comparison) groupName(g int) string {
	first := func(g int) *Spec { return c.Studies[c.Groups[g].Studies[0]].Snapshot.Spec }
	var parts []string
	for _, of := range []func(*Spec) string{
		func(s *Spec) string { return s.Method.Name }, func(s *Spec) string { return s.Search.Strategy }, func(s *Spec) string { return fmt.Sprintf("%d trials", s.Search.Budget) },
	} {
		for other := range c.Groups {
			if of(first(other)) != of(first(g)) {
				parts = append(parts, of(first(g)))
				break
			}
		}
	}
	name := strings.Join(parts, ", ")
	clash := slices.ContainsFunc(c.Groups[:g], func(o Group) bool { return o.Name == name })
	if name == "" || clash || len(c.Groups[g].Studies) == 1 {
		return c.Studies[c.Groups[g].Studies[0]].Name
	}
	return name
}

func (c *Comparison) seedTest(a, b int) SeedTest {
	t := SeedTest{A: a, B: b}
	m, n := len(c.Groups[a].Studies), len(c.Groups[b].Studies)
	wins := 0.0
	for _, i := range c.Groups[a].Studies {
		for _, j := range c.Groups[b].Studies {
			switch x, y := c.Fronts.Value[i], c.Fronts.Value[j]; {
			case x > y:
				wins++
			case x == y:
				wins += 0.5
			}
		}
	}
	t.Share = wins / float64(m*n)
	counts := rankCounts(m, n)
	total, tail := 0.0, 0.0
	for u, k := range counts {
		total += k
		if far := max(wins, float64(m*n)-wins); float64(u) >= far {
			tail += k
		}
	}
	t.P = min(1, 2*tail/total)
	return t
}

// rankCounts are the numbers of orders of m and n runs in which u pairs are won by one of the m, for every u.
func rankCounts(m, n int) []float64 {
	counts := make([]float64, m*n+1) // the Gaussian binomial coefficient, by its factors
	counts[0] = 1
	for i := 1; i <= m; i++ {
		for u := m * n; u >= n+i; u-- {
			counts[u] -= counts[u-n-i]
		}
		for u := i; u <= m*n; u++ {
			counts[u] += counts[u-i]
		}
	}
	return counts
}

// Holm corrects the probabilities of several tests for how many they are: what is below a level then is an error in no
// more than that share of all cases (Holm 1979). O(n log n).
func Holm(p []float64) []float64 {
	order, out := make([]int, len(p)), make([]float64, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	least := 0.0
	for rank, i := range order {
		least = max(least, min(1, p[i]*float64(len(order)-rank)))
		out[i] = least
	}
	return out
}
