package surrogate

import "math"

// expOfNegative is e^x for x ≤ 0, to a relative error of about 1e-14, at half the price of math.Exp: fitting
// and searching fronts are made of it. Split as x = k·ln 2 + r with |r| ≤ ½ ln 2 (Cody and Waite 1980), the
// rest is Taylor's. Explicit conversions keep the result the same where products could be fused.
func expOfNegative(x float64) float64 {
	if x < -700 {
		return 0
	}
	const (
		ln2Hi = 6.93147180369123816490e-01
		ln2Lo = 1.90821492927058770002e-10
	)
	k := int(float64(x*math.Log2E) - 0.5)
	f := float64(k)
	r := (x - float64(f*ln2Hi)) - float64(f*ln2Lo)
	// Two halves of the polynomial of degree 11, so that the processor can do both at once.
	s := float64(r * r)
	s2 := float64(s * s)
	a := (1 + r) + float64(s*(1.0/2+float64(r*(1.0/6))))
	b := (1.0/24 + float64(r*(1.0/120))) + float64(s*(1.0/720+float64(r*(1.0/5040))))
	c := (1.0/40320 + float64(r*(1.0/362880))) + float64(s*(1.0/3628800+float64(r*(1.0/39916800))))
	return (a + float64(s2*(b+float64(s2*c)))) * math.Float64frombits(uint64(1023+k)<<52)
}
