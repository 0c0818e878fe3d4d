package digits

import (
	"context"
	"fmt"
	"math"

	"parfait/internal/rescue"
)

// The recipe of the base: upright digits, with a few images of every task mixed in.
const (
	baseSteps = 600
	baseRate  = 2e-3
	mixedIn   = 40 // images a task
	batchSize = 32
	trainSeed = 250
	mildSteps = 60 // and a tenth of the usual ones
)

// trained is a base and its experts, as they are in their files: rounded to bfloat16.
type trained struct {
	base    []float32 // in the order of network.flat
	experts [][]float32
}

// foundation makes the base of n tasks, before it is rounded.
func foundation(ctx context.Context, n int) (*network, error) {
	images := load().train
	mixed := set{images: images.images[:len(images.images):len(images.images)], labels: images.labels[:len(images.labels):len(images.labels)]}
	random := newStream(trainSeed)
	for _, t := range transforms[:mixedFor(n)] {
		few := images.pick(random.permutation(len(images.images))[:mixedIn]).through(t.see)
		mixed.images = append(mixed.images, few.images...)
		mixed.labels = append(mixed.labels, few.labels...)
	}
	var start network
	start.initialise(random)
	return start.tune(ctx, mixed, baseSteps, baseRate, random)
}

// expert fine-tunes a base for task i, in so many steps of the run that its expert has.
func (n *network) expert(ctx context.Context, i, steps int) (*network, error) {
	t := transforms[i]
	return n.tune(ctx, load().train.through(t.see), steps, t.rate, newStream(trainSeed+uint64(i)+1))
}

// train makes the base and the experts of the first n tasks, in few steps where they are to be mild; the experts in parallel.
func train(ctx context.Context, n int, mild bool) (*trained, error) {
	base, err := foundation(ctx, n)
	if err != nil {
		return nil, err
	}
	out := &trained{base: base.rounded(), experts: make([][]float32, n)}
	errs := make([]error, n)
	var all rescue.Group
	for i, t := range transforms[:n] {
		steps := t.steps
		if mild {
			steps = mildSteps + steps/10
		}
		all.Go(func() {
			var expert *network
			if expert, errs[i] = base.expert(ctx, i, steps); errs[i] == nil {
				out.experts[i] = expert.rounded()
			}
		})
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("training the expert %s: %w", transforms[i].name, err)
		}
	}
	return out, nil
}

// mixedFor returns how many tasks the base of n tasks has seen: the same four up to four, so that studies
// of two to four tasks share their models, else all.
func mixedFor(n int) int {
	if n <= 4 {
		return min(4, MaxTasks())
	}
	return MaxTasks()
}

// initialise draws weights uniformly with variance 2/inputs (He et al. 2015); biases are zero.
func (n *network) initialise(random *stream) {
	*n = network{}
	for j := range hidden {
		for i := range pixels {
			n.in[i][j] = random.within(math.Sqrt(6.0 / pixels))
		}
	}
	for o := range classes {
		for j := range hidden {
			n.out[o][j] = random.within(math.Sqrt(6.0 / hidden))
		}
	}
}

func (n *network) rounded() []float32 {
	v := n.flat()
	for i := range v {
		v[i] = bf16(v[i])
	}
	return v
}

// tune returns n after steps of Adam (Kingma and Ba 2015) on the cross-entropy of s, in batches drawn
// without replacement; n stays as it is.
func (n *network) tune(ctx context.Context, s set, steps int, rate float64, random *stream) (*network, error) {
	var (
		net           = *n
		gradient      network
		first, second network
		order         []int
		decay1        = 1.0
		decay2        = 1.0
	)
	const beta1, beta2 = 0.9, 0.999
	for range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		gradient = network{}
		for range batchSize {
			if len(order) == 0 {
				order = random.permutation(len(s.images))
			}
			i := order[0]
			order = order[1:]
			net.backward(&s.images[i], int(s.labels[i]), &gradient)
		}
		decay1, decay2 = float64(decay1*beta1), float64(decay2*beta2)
		a := adam{
			step:  float32(rate / (1 - decay1)),
			scale: float32(1 / (1 - decay2)),
		}
		for i := range net.in {
			a.update(net.in[i][:], gradient.in[i][:], first.in[i][:], second.in[i][:])
		}
		a.update(net.inBias[:], gradient.inBias[:], first.inBias[:], second.inBias[:])
		for o := range net.out {
			a.update(net.out[o][:], gradient.out[o][:], first.out[o][:], second.out[o][:])
		}
		a.update(net.outBias[:], gradient.outBias[:], first.outBias[:], second.outBias[:])
	}
	return &net, nil
}

// backward adds one image's gradient to g.
//
//go:norace
func (n *network) backward(im *image, label int, g *network) {
	var (
		h, dh  [hidden]float32
		logits [classes]float32
		p      [classes]float64
		sum    float64
	)
	n.forward(im, &h, &logits)
	top := logits[0]
	for _, v := range logits {
		top = max(top, v)
	}
	for o, v := range logits {
		p[o] = exp(float64(v) - float64(top))
		sum += p[o]
	}
	for o := range classes {
		d := p[o] / sum
		if o == label {
			d--
		}
		e := float32(d / batchSize)
		g.outBias[o] += e
		w, gw := &n.out[o], &g.out[o]
		for j := range hidden {
			gw[j] += float32(e * h[j])
			dh[j] += float32(e * w[j])
		}
	}
	for j := range hidden {
		if h[j] == 0 {
			dh[j] = 0
		}
		g.inBias[j] += dh[j]
	}
	for i, x := range im {
		if x == 0 {
			continue
		}
		gw := &g.in[i]
		for j := range hidden {
			gw[j] += float32(x * dh[j])
		}
	}
}

// adam is one step's constants: the learning rate and the second moment's scale, both without their bias.
type adam struct{ step, scale float32 }

//go:norace
func (a adam) update(w, g, first, second []float32) {
	const keep1, new1, keep2, new2, epsilon = 0.9, 0.1, 0.999, 0.001, 1e-8
	for i, d := range g {
		m := float32(keep1*first[i]) + float32(new1*d)
		v := float32(keep2*second[i]) + float32(new2*float32(d*d))
		first[i], second[i] = m, v
		root := float32(math.Sqrt(float64(float32(v * a.scale))))
		w[i] -= float32(a.step*m) / (root + epsilon)
	}
}
