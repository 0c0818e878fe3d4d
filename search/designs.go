package search

import (
	"context"
	"reflect"
	"slices"
	"sync"
)

// remembered is the design of the last question, as it grew. The next one mostly has the same points, but for the last
// and some more, and is grown from there by the very steps that it would take from the beginning: answers depend on the
// question alone, and one after thousands of points costs what is new does.
type remembered struct {
	mu    sync.Mutex
	seed  uint64
	grown []*optimal // of its first points: more and more of them; nobody changes them
}

var designs remembered

const (
	designEvery = 64 // points between two designs that are remembered
	designsKept = 8
)

// of is the design of the points, in their order. The error is that of ctx.
func (r *remembered) of(ctx context.Context, in *region, seed uint64, points [][]float64) (*optimal, error) {
	grown := r.within(in, seed, points)
	if len(grown) == 0 {
		grown = []*optimal{newOptimal(in, seed)}
	}
	o := grown[len(grown)-1].clone()
	for i, x := range points[len(o.taken):] {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if i > 0 && len(o.taken)%designEvery == 0 {
			grown = append(grown, o.clone())
		}
		o.add(x)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seed, r.grown = seed, grown[max(0, len(grown)-designsKept):]
	return o, nil
}

// within are the remembered designs of the first of the points.
func (r *remembered) within(in *region, seed uint64, points [][]float64) (out []*optimal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seed != seed {
		return nil
	}
	for _, o := range r.grown {
		n := len(o.taken)
		if n > len(points) || !reflect.DeepEqual(o.space, in.space) || !slices.EqualFunc(o.taken, points[:n], slices.Equal) {
			break
		}
		out = append(out, o)
	}
	return out
}
