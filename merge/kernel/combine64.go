package kernel

// combine64 is combine for inputs that are all F64: the same sums in float64, weights not rounded, and
// one rounding at the end. Outputs may have any format.
func combine64(outs []Output, base *Vector, models []Vector, n int) bool {
	const tile = 512
	var theta, model, sum [tile]float64
	finite := true
	for lo := 0; lo < n; lo += tile {
		hi := min(n, lo+tile)
		if base != nil {
			Decode64(theta[:hi-lo], base.slice(lo, hi))
		}
		for _, o := range outs {
			weighted := false
			clear(sum[:])
			for i, w := range o.Weights {
				if w == 0 {
					continue
				}
				weighted = true
				Decode64(model[:hi-lo], models[i].slice(lo, hi))
				for j, x := range model[:hi-lo] {
					if base != nil {
						x -= theta[j]
					}
					sum[j] += float64(w * x)
				}
			}
			part := o.slice(lo, hi)
			switch {
			case !weighted && base != nil:
				finite = Convert(part, base.slice(lo, hi)) && finite
				continue
			case base != nil:
				for j := range sum[:hi-lo] {
					sum[j] = theta[j] + sum[j]
				}
			}
			finite = Encode64(part, sum[:hi-lo]) && finite
		}
	}
	return finite
}
