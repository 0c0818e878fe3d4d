package digits

import (
	"parfait/merge/safetensors"
)

// fisher returns the diagonal Fisher information of the network on the images of s, in the order of
// flat: the mean over the images of the expectation, over the answers as the network believes in them, of
// (∂ log p / ∂θ)². With p the probabilities of the answers c that is, in closed form,
//
//	h_j² · p_c(1−p_c)             for the weight from hidden unit j to answer c, without h_j for its bias,
//	x_i² · Var_c(w_cj)            for the weight from pixel i to unit j where h_j > 0, without x_i for its bias.
func (n *network) fisher(s set) []float32 {
	var (
		h      [hidden]float32
		logits [classes]float32
		p      [classes]float64
	)
	in := make([]float64, hidden*pixels)
	inBias := make([]float64, hidden)
	out := make([]float64, classes*hidden)
	outBias := make([]float64, classes)
	for i := range s.images {
		im := &s.images[i]
		n.forward(im, &h, &logits)
		for c := range p {
			p[c] = probability(&logits, c)
			outBias[c] += float64(p[c] * (1 - p[c]))
		}
		for j := range hidden {
			if h[j] == 0 {
				continue
			}
			mean, square := 0.0, 0.0
			for c := range classes {
				w, v := float64(n.out[c][j]), float64(h[j])
				mean += float64(p[c] * w)
				square += float64(float64(p[c]*w) * w)
				out[c*hidden+j] += float64(float64(v*v) * float64(p[c]*(1-p[c])))
			}
			spread := max(square-float64(mean*mean), 0)
			inBias[j] += spread
			for k, x := range im {
				in[j*pixels+k] += float64(float64(float64(x)*float64(x)) * spread)
			}
		}
	}
	var all []float32
	for _, part := range [][]float64{in, inBias, out, outBias} {
		for _, v := range part {
			all = append(all, float32(v/float64(len(s.images))))
		}
	}
	return all
}

// writeFisher writes what fisher returned as F32, under the names of a model's tensors.
func writeFisher(path string, v []float32) error {
	return writeTensors(path, safetensors.F32, safetensors.AppendF32, v)
}
