//go:build !purego

package kernel

import "unsafe"

// packing has, for each set of 8 lanes, its lanes in order.
var packing = func() (order [256][8]uint32) {
	for set := range order {
		n := 0
		for lane := range uint32(8) {
			if set>>lane&1 == 1 {
				order[set][n] = lane
				n++
			}
		}
	}
	return order
}()

func pick(dst []uint32, x []float32, low, high uint32) (picked int, above int64) {
	if !fast {
		return pickGeneric(dst, x, low, high)
	}
	n := len(x) &^ 7
	for lo := 0; lo < n; lo += callElements {
		p, a := pickAVX2(&dst[picked], &x[lo], low-1, high-1, &packing[0][0], min(callElements, n-lo))
		picked += p
		above += int64(a)
	}
	p, a := pickGeneric(dst[picked:], x[n:], low, high)
	return picked + p, above + a
}

func trim(x []float32, least uint32) (equal int64) {
	n := 0
	if fast {
		n = len(x) &^ 7
		for lo := 0; lo < n; lo += callElements {
			equal += int64(trimAVX2(&x[lo], least, min(callElements, n-lo)))
		}
	}
	return equal + trimGeneric(x[n:], least)
}

func elect(dst []float32, xs [][]float32, weights, parts []float32) {
	n := 0
	if fast {
		n = len(dst) &^ 15
	}
	if n > 0 {
		var tables [2][]float32
		from := make([]*float32, len(xs))
		for i, x := range xs {
			from[i] = unsafe.SliceData(x)
			w := weights[i]
			tables[0] = append(tables[0], w, w, w, w, w, w, w, w)
			if parts != nil {
				p := parts[i]
				tables[1] = append(tables[1], p, p, p, p, p, p, p, p)
			}
		}
		// Each element is two passes over the models: fewer elements a call where there are many.
		step := max(16, callElements/len(xs)&^15)
		for lo := 0; lo < n; lo += step {
			m := min(step, n-lo)
			if parts == nil {
				electAVX2(&dst[0], &from[0], &tables[0][0], len(xs), 4*lo, m)
			} else {
				electMeanAVX2(&dst[0], &from[0], &tables[0][0], &tables[1][0], len(xs), 4*lo, m)
			}
		}
	}
	electGeneric(dst, xs, weights, parts, n)
}
