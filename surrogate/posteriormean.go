package surrogate

import "math"

// posteriorMean is the mean of a process, Σ α_i k(u, u_i), laid out for speed: a front takes tens of
// thousands of means with their gradients. The constant and the linear trend are summed beforehand; what is
// left is one pass over the samples, contiguous, in units of the length scales.
type posteriorMean struct {
	d      int
	level  float64   // 4 Σα
	trend  []float64 // d: σ_l² Σ α_i (u_i − ½)
	rate   []float64 // d: 1/ℓ
	at     []float64 // n × d: u_i/ℓ
	weight []float64 // n: σ_f² α_i
}

func newPosteriorMean(k *kernel, us [][]float64, alpha []float64) *posteriorMean {
	p := &posteriorMean{d: len(k.inverse), trend: make([]float64, len(k.inverse)), rate: make([]float64, len(k.inverse))}
	for j, v := range k.inverse {
		p.rate[j] = math.Sqrt(v)
	}
	for i, u := range us {
		p.level += constantVariance * alpha[i]
		p.weight = append(p.weight, k.deviation*alpha[i])
		for j, v := range u {
			p.trend[j] += k.linear * alpha[i] * (v - 0.5)
			p.at = append(p.at, v*p.rate[j])
		}
	}
	return p
}

// mean returns the mean at u, and stores its gradient where grad is not nil.
func (p *posteriorMean) mean(grad, u []float64) float64 {
	sum := p.level
	var room [64]float64 // on the stack: two vectors of up to 32 coefficients
	here, turn := room[:32], room[32:]
	if p.d > 32 {
		here, turn = make([]float64, p.d), make([]float64, p.d)
	}
	here, turn = here[:p.d], turn[:p.d]
	for j, v := range u {
		sum += p.trend[j] * (v - 0.5)
		here[j] = v * p.rate[j]
	}
	for i, w := range p.weight {
		at := p.at[i*p.d : (i+1)*p.d]
		value, slope := matern(squaredDistance(here, at))
		sum += w * value
		if grad != nil {
			slope *= w
			for j, v := range here {
				turn[j] += slope * (v - at[j])
			}
		}
	}
	for j := range grad {
		grad[j] = p.trend[j] - turn[j]*p.rate[j]
	}
	return sum
}
