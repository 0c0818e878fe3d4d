package merge

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"parfait/merge/internal/glob"
)

// Suggestion are layer groups in which the models' task vectors are about as long, layer by layer, and the figures that it
// was made from.
type Suggestion struct {
	Models []string     `json:"models"`
	Layers []LayerNorms `json:"layers"`
	Groups []Group      `json:"groups"` // nil where the layers are alike, or where there are none
	Why    string       `json:"why"`
}

// LayerNorms says how far a layer is from the base.
type LayerNorms struct {
	Stack    string    `json:"stack"` // how its tensors' names begin, up to the number
	Layer    int       `json:"layer"`
	Relative []float64 `json:"relative"` // a model: ‖δ‖/‖θ₀‖
}

const (
	mostSuggested = 3    // groups of layers
	evenLayers    = 0.1  // the standard deviation of the layers' relative norms, in units of their mean, below which they are alike
	explained     = 0.05 // of the differences: where no more is left, another group would divide noise
	worthSplit    = 0.5  // what another group has to leave of the differences within groups, at most
)

// SuggestGroups divides the layers of the longest stack into runs: as many as each take away half of the squared
// differences that are left within them, until a twentieth is left, three at most (Fisher 1958, by dynamic programming). Other stacks are a group each, and what is in no
// layer is another.
func (i *Inspection) SuggestGroups() Suggestion {
	s := Suggestion{Models: i.Models}
	stacks := i.layers()
	if len(stacks) == 0 {
		s.Why = "no tensor's name has the number of a layer"
		return s
	}
	for _, st := range stacks {
		s.Layers = append(s.Layers, st...)
	}
	main := stacks[0]
	runs, left := segment(evened(main))
	spread := math.Sqrt(left[0] / float64(len(main)*len(i.Models)))
	if spread < evenLayers || len(runs) == 1 {
		s.Why = fmt.Sprintf("‖δ‖/‖θ₀‖ differs by %.0f %% from layer to layer, and no run of layers stands out: groups by depth have nothing to go by", 100*spread)
		return s
	}
	s.Why = fmt.Sprintf("%d runs of layers explain %.0f %% of how ‖δ‖/‖θ₀‖ differs from layer to layer, which is by %.0f %%", len(runs), 100*(1-left[len(runs)-1]/left[0]), 100*spread)
	names := [][]string{{"early", "late"}, {"early", "middle", "late"}}[len(runs)-2]
	add := func(name, match string) {
		for slices.Contains(i.Models, name) || slices.ContainsFunc(s.Groups, func(g Group) bool { return g.Name == name }) {
			name += "_"
		}
		s.Groups = append(s.Groups, Group{name, match})
	}
	for k, run := range runs {
		numbers := fmt.Sprintf("{%d..%d}", main[run[0]].Layer, main[run[1]].Layer)
		if run[0] == run[1] {
			numbers = fmt.Sprint(main[run[0]].Layer)
		}
		add(names[k], glob.Escape(main[0].Stack)+numbers+".*")
	}
	for _, st := range stacks[1:] {
		prefix := st[0].Stack
		add(NameOf(strings.TrimSuffix(prefix, ".")), glob.Escape(prefix)+"*")
	}
	add("rest", "*")
	return s
}

// layers are the figures of the layers, a stack each, the longest first.
func (i *Inspection) layers() (stacks [][]LayerNorms) {
	type sums struct {
		base   float64
		models []float64
	}
	found := map[string]map[int]*sums{}
	var order []string
	for _, t := range i.Tensors {
		prefix, n, _, ok := ofLayer(t.Name)
		if !ok {
			continue
		}
		if found[prefix] == nil {
			found[prefix] = map[int]*sums{}
			order = append(order, prefix)
		}
		if found[prefix][n] == nil {
			found[prefix][n] = &sums{models: make([]float64, len(i.Models))}
		}
		sum := found[prefix][n]
		sum.base += t.BaseNorm * t.BaseNorm
		for m, v := range t.Norms {
			sum.models[m] += v * v
		}
	}
	named := slices.ContainsFunc(order, layerStack.MatchString)
	for _, prefix := range order {
		if len(found[prefix]) < 2 || named && !layerStack.MatchString(prefix) {
			continue
		}
		var st []LayerNorms
		for _, n := range sortedInts(found[prefix]) {
			l := LayerNorms{Stack: prefix, Layer: n}
			for _, v := range found[prefix][n].models {
				l.Relative = append(l.Relative, share(math.Sqrt(v), math.Sqrt(found[prefix][n].base)))
			}
			st = append(st, l)
		}
		stacks = append(stacks, st)
	}
	slices.SortStableFunc(stacks, func(a, b []LayerNorms) int { return len(b) - len(a) })
	return stacks
}

func sortedInts[V any](m map[int]V) []int {
	var out []int
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// evened are the layers' figures, each model's in units of their mean, so that all models count alike.
func evened(layers []LayerNorms) [][]float64 {
	out := make([][]float64, len(layers))
	for m := range layers[0].Relative {
		mean := 0.0
		for _, l := range layers {
			mean += l.Relative[m] / float64(len(layers))
		}
		for i, l := range layers {
			out[i] = append(out[i], share(l.Relative[m], mean))
		}
	}
	return out
}

// segment divides rows into runs (first and last of each). left are the squared differences from the runs' means with one
// run, with two, and so on.
func segment(rows [][]float64) (runs [][2]int, left []float64) {
	n := len(rows)
	cost := func(lo, hi int) float64 { // of the rows from lo to hi as one run
		sum := 0.0
		for m := range rows[0] {
			mean := 0.0
			for i := lo; i <= hi; i++ {
				mean += rows[i][m] / float64(hi-lo+1)
			}
			for i := lo; i <= hi; i++ {
				sum += (rows[i][m] - mean) * (rows[i][m] - mean)
			}
		}
		return sum
	}
	most := min(mostSuggested, n)
	best, from := make([][]float64, most), make([][]int, most) // with k+1 runs, up to each row: the cost, and where the last run begins
	for k := range most {
		best[k], from[k] = make([]float64, n), make([]int, n)
		for hi := range n {
			best[k][hi] = math.Inf(1)
			if k == 0 {
				best[k][hi] = cost(0, hi)
				continue
			}
			for lo := k; lo <= hi; lo++ {
				if c := best[k-1][lo-1] + cost(lo, hi); c < best[k][hi] {
					best[k][hi], from[k][hi] = c, lo
				}
			}
		}
		left = append(left, best[k][n-1])
	}
	count := 1
	for count < most && left[count-1] > explained*left[0] && left[count] <= worthSplit*left[count-1] {
		count++
	}
	runs = make([][2]int, count)
	for k, hi := count-1, n-1; k >= 0; k-- {
		runs[k] = [2]int{from[k][hi], hi}
		hi = from[k][hi] - 1
	}
	return runs, left
}
