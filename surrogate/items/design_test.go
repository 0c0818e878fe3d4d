package items

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Probabilities add up to k, are none above 1 nor below the least share, and grow with the doubt.
func TestProbabilities(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		std := rapid.SliceOfN(rapid.Float64Range(0, 3), 1, 60).Draw(t, "std")
		k := rapid.IntRange(1, len(std)).Draw(t, "k")
		p, err := Probabilities(std, k)
		if err != nil {
			t.Fatal(err)
		}
		sum, least := 0.0, leastShare*float64(k)/float64(len(std))
		for i, v := range p {
			sum += v
			if v > 1 || v < least*(1-1e-9) {
				t.Fatalf("probability %g of item %d, expected %g to 1", v, i, least)
			}
			for j, w := range p {
				if std[i] > std[j] && v < w*(1-1e-9) {
					t.Fatalf("item %d is more in doubt than %d, and less likely: %g and %g", i, j, v, w)
				}
			}
		}
		if math.Abs(sum-float64(k)) > 1e-9*float64(k) {
			t.Fatalf("probabilities add up to %g, expected %d", sum, k)
		}
		in, err := Draw(p, rapid.Uint64().Draw(t, "seed"))
		if err != nil {
			t.Fatal(err)
		}
		if len(in) != k || !slices.IsSorted(in) || len(slices.Compact(slices.Clone(in))) != k {
			t.Fatalf("drawn: %v, expected %d items in order", in, k)
		}
	})
}

// Each item is drawn as often as its probability says, and two of like probability together about as often as they would be
// if samples were as random as they can be.
func TestDrawKeepsProbabilities(t *testing.T) {
	p, err := Probabilities([]float64{0, 0.1, 0.2, 0.2, 0.3, 0.4, 0.5, 0.5, 9, -1, 0.4, 0.3}, 5)
	if err != nil {
		t.Fatal(err)
	}
	if p[8] != 1 || p[9] != 0 {
		t.Fatalf("probabilities are %v: expected 1 of item 8 and 0 of item 9", p)
	}
	const draws = 40000
	counts, pair := make([]float64, len(p)), 0.0
	for seed := range uint64(draws) {
		in, err := Draw(p, seed)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range in {
			counts[i]++
		}
		if slices.Contains(in, 6) && slices.Contains(in, 7) {
			pair++
		}
	}
	for i, c := range counts {
		if got := c / draws; math.Abs(got-p[i]) > 4.5*math.Sqrt(p[i]*(1-p[i])/draws) {
			t.Errorf("item %d is in %.4f of the samples, its probability is %.4f", i, got, p[i])
		}
	}
	if got, most := pair/draws, p[6]*p[7]; got > most || got < 0.6*most {
		t.Errorf("items 6 and 7 are together in %.4f of the samples; expected somewhat less than %.4f", got, most)
	}
	first, _ := Draw(p, 1)
	again, _ := Draw(p, 1)
	if !slices.Equal(first, again) {
		t.Errorf("one seed drew %v and %v", first, again)
	}
}

func TestBadDesigns(t *testing.T) {
	for name, c := range map[string]struct {
		std  []float64
		k    int
		code Code
	}{
		"more than there are": {[]float64{1, 1}, 3, Budget},
		"none":                {[]float64{1, 1}, 0, Budget},
		"a NaN":               {[]float64{1, math.NaN()}, 1, NotANum},
		"all asked before":    {[]float64{-1, -1}, 1, Budget},
	} {
		if _, err := Probabilities(c.std, c.k); !errors.Is(err, c.code) {
			t.Errorf("%s: %v, expected %s", name, err, c.code)
		}
	}
	for name, c := range map[string]struct {
		p    []float64
		code Code
	}{
		"no whole number": {[]float64{0.5, 0.6}, Budget},
		"above 1":         {[]float64{1.5, 0.5}, NotANum},
		"nothing":         {nil, Budget},
	} {
		if _, err := Draw(c.p, 1); !errors.Is(err, c.code) {
			t.Errorf("%s: %v, expected %s", name, err, c.code)
		}
	}
}

// The allocation is the best of all there are.
func TestAllocateIsTheOptimum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		std, weight := make([][]float64, 3), make([]float64, 3)
		for i := range std {
			weight[i] = 0.1 + r.Float64()
			for range 4 + r.IntN(8) {
				std[i] = append(std[i], r.Float64())
			}
		}
		error2 := func(k []int) float64 {
			sum := 0.0
			for i, of := range std {
				s := mean(of) * weight[i]
				sum += s * s / float64(k[i])
			}
			return sum
		}
		got, err := Allocate(10, std, weight, 2)
		if err != nil {
			t.Fatal(err)
		}
		if got[0]+got[1]+got[2] != 10 {
			t.Fatalf("%v items are given, expected 10", got)
		}
		best := math.Inf(1)
		for a := 2; a <= min(6, len(std[0])); a++ {
			for b := 2; b <= min(8-a, len(std[1])); b++ {
				if c := 10 - a - b; c <= len(std[2]) {
					best = min(best, error2([]int{a, b, c}))
				}
			}
		}
		if e := error2(got); e > best*(1+1e-9) {
			t.Errorf("%v has the squared error %g, the best %g", got, e, best)
		}
	}
}

func TestBadAllocations(t *testing.T) {
	two := [][]float64{{1, 1, -1}, {1, 1}}
	if got, err := Allocate(4, two, nil, 9); err != nil || !slices.Equal(got, []int{2, 2}) {
		t.Errorf("all there is: %v, %v; expected 2 and 2", got, err)
	}
	for name, c := range map[string]struct {
		total  int
		weight []float64
		least  int
		code   Code
	}{
		"more than there are":    {5, nil, 1, Budget},
		"less than the least":    {1, nil, 1, Budget},
		"weights of other tasks": {3, []float64{1}, 1, Shape},
		"a negative weight":      {3, []float64{1, -1}, 1, NotANum},
	} {
		if _, err := Allocate(c.total, two, c.weight, c.least); !errors.Is(err, c.code) {
			t.Errorf("%s: %v, expected %s", name, err, c.code)
		}
	}
}
