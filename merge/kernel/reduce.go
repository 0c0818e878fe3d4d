package kernel

// Sums over a chunk are made in 16 lanes of float64: element i goes into lane i mod 16, in order, and
// the lanes are added in pairs, halving their number. So a sum is the same bits on every machine; it
// does depend on where a chunk begins and ends, as every sum of rounded numbers does.

const sumLanes = 16

// Dot is Σ aᵢ·bᵢ in float64. Products are exact.
func Dot(a, b []float32) float64 {
	b = b[:len(a)]
	var lanes [sumLanes]float64
	n := dot(&lanes, a, b)
	dotGeneric(&lanes, a[n:], b[n:])
	return fold(&lanes)
}

// Sum is Σ aᵢ in float64.
func Sum(a []float32) float64 {
	var lanes [sumLanes]float64
	n := total(&lanes, a)
	totalGeneric(&lanes, a[n:])
	return fold(&lanes)
}

// Dot64 is Σ aᵢ·bᵢ, each product rounded.
func Dot64(a, b []float64) float64 {
	b = b[:len(a)]
	var lanes [sumLanes]float64
	for i, x := range a {
		lanes[i%sumLanes] += float64(x * b[i])
	}
	return fold(&lanes)
}

// Sum64 is Σ aᵢ.
func Sum64(a []float64) float64 {
	var lanes [sumLanes]float64
	for i, x := range a {
		lanes[i%sumLanes] += x
	}
	return fold(&lanes)
}

// dotGeneric adds to lanes from lane 0 on.
func dotGeneric(lanes *[sumLanes]float64, a, b []float32) {
	for i, x := range a {
		lanes[i%sumLanes] += float64(float64(x) * float64(b[i]))
	}
}

// totalGeneric adds to lanes from lane 0 on.
func totalGeneric(lanes *[sumLanes]float64, a []float32) {
	for i, x := range a {
		lanes[i%sumLanes] += float64(x)
	}
}

func fold(lanes *[sumLanes]float64) float64 {
	for n := sumLanes / 2; n > 0; n /= 2 {
		for i := range n {
			lanes[i] += lanes[i+n]
		}
	}
	return lanes[0]
}
