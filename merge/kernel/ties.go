package kernel

import (
	"fmt"
	"math"
)

// Trim sets to +0 every number whose magnitude has bits below threshold (as a float32 has them, see
// Histogram), and, of those equal to it, all after the first ties. It returns how many of those equal
// were kept.
func Trim(x []float32, threshold uint32, ties int64) (kept int64) {
	for lo := 0; lo < len(x); lo += tileElements {
		part := x[lo:min(len(x), lo+tileElements)]
		if kept == ties { // there are none to keep
			trim(part, threshold+1)
			continue
		}
		equal := trim(part, threshold)
		for i := len(part) - 1; kept+equal > ties; i-- {
			if math.Float32bits(part[i])&magnitude == threshold {
				part[i] = 0
				equal--
			}
		}
		kept += equal
	}
	return kept
}

// trimGeneric sets to +0 what has magnitude bits below least and counts those with exactly these bits.
func trimGeneric(x []float32, least uint32) (equal int64) {
	for i, v := range x {
		switch u := math.Float32bits(v) & magnitude; {
		case u < least:
			x[i] = 0
		case u == least:
			equal++
		}
	}
	return equal
}

// CountEqual is how many of x have a magnitude with the given bits.
func CountEqual(x []float32, bits uint32) (n int64) {
	for _, v := range x {
		if math.Float32bits(v)&magnitude == bits {
			n++
		}
	}
	return n
}

// Elect sets dst to the sums of TIES merging (Yadav, Tam, Choshen, Raffel and Bansal, TIES-Merging:
// resolving interference when merging models, NeurIPS 2023): of the products wᵢ·xᵢ, those with xᵢ ≠ 0
// that have the sign of the sum of all, + where it is 0. With parts, the sum is divided by the sum of
// partsᵢ over the same i, by 1 where that is below 1e-8 in magnitude; parts may be nil.
//
// All is in float32: every product, sum and quotient rounded, in the order of the models. xs[i] is not
// read where weights[i] is 0, and may be nil there.
func Elect(dst []float32, xs [][]float32, weights, parts []float32) {
	if len(weights) != len(xs) || parts != nil && len(parts) != len(xs) {
		panic(fmt.Sprintf("kernel: %d weights and %d parts for %d models", len(weights), len(parts), len(xs)))
	}
	var used [][]float32
	var w, p []float32
	for i, x := range xs {
		if weights[i] == 0 {
			continue
		}
		used, w = append(used, x[:len(dst)]), append(w, weights[i])
		if parts != nil {
			p = append(p, parts[i])
		}
	}
	if len(used) == 0 {
		clear(dst)
		return
	}
	elect(dst, used, w, p)
}

// electGeneric computes elements from lo on.
func electGeneric(dst []float32, xs [][]float32, weights, parts []float32, lo int) {
	for j := lo; j < len(dst); j++ {
		var elected, sum, share float32
		for i, x := range xs {
			elected += float32(weights[i] * x[j])
		}
		for i, x := range xs {
			product := float32(weights[i] * x[j])
			if x[j] == 0 || math.Signbit(float64(product)) != (elected < 0) {
				continue
			}
			sum += product
			if parts != nil {
				share += parts[i]
			}
		}
		if parts != nil {
			if math.Abs(float64(share)) < float64(float32(1e-8)) {
				share = 1
			}
			sum /= share
		}
		dst[j] = sum
	}
}
