package digits

import (
	"math"
	"slices"
)

const (
	hidden  = 128
	classes = 10
)

// network is the perceptron 64-128-10 with ReLU. in is fc1.weight transposed, a row a pixel, so that the
// inner loops run over the hidden units and pixels without ink cost nothing.
type network struct {
	in      [pixels][hidden]float32
	inBias  [hidden]float32
	out     [classes][hidden]float32
	outBias [classes]float32
}

// tensors are the names and shapes of a model's file, in the order of network.flat.
var tensors = []struct {
	name  string
	shape []int64
}{
	{"fc1.weight", []int64{hidden, pixels}},
	{"fc1.bias", []int64{hidden}},
	{"fc2.weight", []int64{classes, hidden}},
	{"fc2.bias", []int64{classes}},
}

// parameters is the number of weights and biases.
const parameters = hidden*pixels + hidden + classes*hidden + classes

// flat returns all parameters in the order of tensors.
func (n *network) flat() []float32 {
	v := make([]float32, 0, parameters)
	for j := range hidden {
		for i := range pixels {
			v = append(v, n.in[i][j])
		}
	}
	v = append(v, n.inBias[:]...)
	for o := range classes {
		v = append(v, n.out[o][:]...)
	}
	return append(v, n.outBias[:]...)
}

// fromFlat is the inverse of flat. It keeps nothing of v.
func (n *network) fromFlat(v []float32) {
	for j := range hidden {
		for i := range pixels {
			n.in[i][j] = v[j*pixels+i]
		}
	}
	v = v[hidden*pixels:]
	copy(n.inBias[:], v)
	v = v[hidden:]
	for o := range classes {
		copy(n.out[o][:], v[o*hidden:])
	}
	copy(n.outBias[:], v[classes*hidden:])
}

// forward computes the activations of the hidden layer, after ReLU, and the logits.
//
// The race detector is kept out of this and the other inner loops: they touch what their goroutine owns,
// and instrumented they take thirty times as long.
//
//go:norace
func (n *network) forward(im *image, h *[hidden]float32, logits *[classes]float32) {
	var ink [pixels]int
	inked := 0
	for i, x := range im {
		if x != 0 {
			ink[inked] = i
			inked++
		}
	}
	*h = n.inBias
	i := 0
	for ; i+4 <= inked; i += 4 { // four pixels at a time, added in the same order as one by one
		a, b, c, d := ink[i], ink[i+1], ink[i+2], ink[i+3]
		wa, wb, wc, wd := &n.in[a], &n.in[b], &n.in[c], &n.in[d]
		xa, xb, xc, xd := im[a], im[b], im[c], im[d]
		for j := range h {
			h[j] = h[j] + float32(xa*wa[j]) + float32(xb*wb[j]) + float32(xc*wc[j]) + float32(xd*wd[j])
		}
	}
	for ; i < inked; i++ {
		x, w := im[ink[i]], &n.in[ink[i]]
		for j := range h {
			h[j] += float32(x * w[j])
		}
	}
	for j, v := range h {
		if !(v > 0) {
			h[j] = 0
		}
	}
	for o := range logits {
		var s [4]float32
		w := &n.out[o]
		for j := 0; j < hidden; j += 4 {
			s[0] += float32(w[j] * h[j])
			s[1] += float32(w[j+1] * h[j+1])
			s[2] += float32(w[j+2] * h[j+2])
			s[3] += float32(w[j+3] * h[j+3])
		}
		logits[o] = n.outBias[o] + ((s[0] + s[1]) + (s[2] + s[3]))
	}
}

// sure is the least probability of an answer that counts where numbers are read.
const sure = 0.7

// readNumbers says which numbers of two digits, an image of s and the next (of the last the first), are read rightly: both
// digits are, and the network is sure of them.
func (n *network) readNumbers(s set) []bool {
	var (
		h      [hidden]float32
		logits [classes]float32
		read   = make([]bool, len(s.images))
	)
	for i := range s.images {
		n.forward(&s.images[i], &h, &logits)
		top, sum := slices.Max(logits[:]), 0.0
		for _, v := range logits {
			sum += exp(float64(v) - float64(top))
		}
		read[i] = logits[s.labels[i]] == top && sum <= 1/sure
	}
	right := make([]bool, len(read))
	for i, ok := range read {
		right[i] = ok && read[(i+1)%len(read)]
	}
	return right
}

// read says of which images of s the largest logit is their label's; of equal ones the first counts.
func (n *network) read(s set) []bool {
	var (
		h      [hidden]float32
		logits [classes]float32
		right  = make([]bool, len(s.images))
	)
	for i := range s.images {
		n.forward(&s.images[i], &h, &logits)
		best := 0
		for o, v := range logits {
			if v > logits[best] {
				best = o
			}
		}
		right[i] = best == int(s.labels[i])
	}
	return right
}

// correct counts the images of s that are read rightly.
func (n *network) correct(s set) int { return count(n.read(s)) }

func count(right []bool) (n int) {
	for _, ok := range right {
		if ok {
			n++
		}
	}
	return n
}

// bf16 rounds to the nearest bfloat16, ties to even. v must be finite.
func bf16(v float32) float32 {
	b := math.Float32bits(v)
	b += 0x7fff + b>>16&1
	return math.Float32frombits(b &^ 0xffff)
}
