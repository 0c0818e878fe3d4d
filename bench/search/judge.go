package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"parfait/evaluator"
)

const (
	frontSize = 100 // points that a front is judged by
	shownSize = 300 // predicted points that the program shows, of which they are chosen
)

//go:embed testdata
var archive embed.FS

// attainable is what is archived: the true (test) objectives, negated accuracies, of everything that was
// found on the way, non-dominated, and the largest hypervolume that frontSize points chosen on validation
// reach, from the reference.
type attainable struct {
	Experts   int                `json:"experts,omitempty"`
	Reference []float64          `json:"reference"`
	Best      float64            `json:"hypervolume"`
	By        map[string]float64 `json:"by"` // what each way of choosing reached
	Points    [][]float64        `json:"points"`
}

// judge measures true hypervolume by counting probes, evenly drawn in the box between the ideal of the
// archived points and the reference: an unbiased estimate, the same probes for all, good to about half a
// percent; exact algorithms take minutes with eight objectives.
type judge struct {
	ref, ideal []float64
	box        float64 // volume
	probes     [][]float64
	tries      int
	best       float64
}

const (
	probesWanted = 20000
	probesTried  = 2000000
)

func newJudge(t *truth) (*judge, error) {
	b, err := archive.ReadFile(t.archived("attainable"))
	if err != nil {
		return nil, fmt.Errorf("what %d experts can attain is not archived: run with --attain first (%w)", t.n, err)
	}
	var a attainable
	if err := json.Unmarshal(b, &a); err != nil {
		return nil, fmt.Errorf("%s: %w", t.archived("attainable"), err)
	}
	return a.judge(t, rim)
}

// judge judges from a reference, which must still be where it was.
func (a attainable) judge(t *truth, name string) (*judge, error) {
	if ref := t.reference(name, evaluator.Test); !slices.EqualFunc(ref, a.Reference, func(x, y float64) bool { return math.Abs(x-y) < 1e-9 }) {
		return nil, fmt.Errorf("the archive of %d experts counts from %v, but the landscape now has the %s at %v: run with --attain again", t.n, a.Reference, name, ref)
	}
	j := probe(a.Points, a.Reference)
	j.best = a.Best
	return j, nil
}

// probe draws probes that some of the points dominate.
func probe(points [][]float64, ref []float64) *judge {
	return probed(points, ref, probesWanted, probesTried)
}

func probed(points [][]float64, ref []float64, wanted, tries int) *judge {
	j := &judge{ref: ref, ideal: slices.Clone(ref), box: 1}
	for _, f := range points {
		for k, v := range f {
			j.ideal[k] = min(j.ideal[k], v)
		}
	}
	for k, v := range ref {
		j.box *= v - j.ideal[k]
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for len(j.probes) < wanted && j.tries < tries {
		j.tries++
		y := make([]float64, len(ref))
		for k := range y {
			y[k] = j.ideal[k] + rng.Float64()*(ref[k]-j.ideal[k])
		}
		if slices.ContainsFunc(points, func(f []float64) bool { return covers(f, y) }) {
			j.probes = append(j.probes, y)
		}
	}
	return j
}

func covers(f, y []float64) bool {
	for k, v := range f {
		if v > y[k] {
			return false
		}
	}
	return true
}

// hypervolume of a set of true objectives.
func (j *judge) hypervolume(fs [][]float64) float64 {
	n := 0
	for _, y := range j.probes {
		if slices.ContainsFunc(fs, func(f []float64) bool { return covers(f, y) }) {
			n++
		}
	}
	return j.box * float64(n) / float64(j.tries)
}

// share of what can be attained.
func (j *judge) share(fs [][]float64) float64 { return j.hypervolume(fs) / j.best }

// accuracies are the reference as people read it.
func (j *judge) accuracies() []float64 {
	out := make([]float64, len(j.ref))
	for k, v := range j.ref {
		out[k] = -v
	}
	return out
}

// choose returns the indices of at most n rows, each the one that dominates most probes beside those
// before it.
func (j *judge) choose(fs [][]float64, n int) []int {
	covered := make([][]int32, len(fs))
	for i, f := range fs {
		for p, y := range j.probes {
			if covers(f, y) {
				covered[i] = append(covered[i], int32(p))
			}
		}
	}
	done := make([]bool, len(j.probes))
	var out []int
	for len(out) < n {
		best, top := -1, 0
		for i, c := range covered {
			if len(c) <= top { // it never adds more than it covers
				continue
			}
			fresh := c[:0]
			for _, p := range c {
				if !done[p] {
					fresh = append(fresh, p)
				}
			}
			covered[i] = fresh
			if len(fresh) > top {
				best, top = i, len(fresh)
			}
		}
		if best < 0 {
			break
		}
		out = append(out, best)
		for _, p := range covered[best] {
			done[p] = true
		}
		covered[best] = nil
	}
	return out
}
