package merge

import (
	"fmt"
	"math/bits"
	"sync/atomic"

	"parfait/merge/codes"
	"parfait/merge/method"
)

// Sparsity says how many entries of merged tensors are zero, where masks are kept.
type Sparsity struct {
	Elements int64            `json:"elements"`
	Before   map[string]int64 `json:"zeros_before"` // by model
	After    int64            `json:"zeros_after"`
}

// maskCounts are the zeros seen by a job, by model and by output.
type maskCounts struct {
	before, after []atomic.Int64
}

// noteZeros sets bit e where element e of theta is zero.
func noteZeros[F method.Float](set []uint64, theta []F) {
	clear(set[:(len(theta)+63)/64])
	for e, v := range theta {
		if v == 0 {
			set[e/64] |= 1 << (e % 64)
		}
	}
}

// applyMasks puts zeros back into the outputs: where every model of an output is zero or, with
// intersect, where any is. With preserve all its models must be zero in the same places.
func (d *workspace[F]) applyMasks(w *worker, t *tensor, in method.Chunk[F]) error {
	j, group := w.job, w.job.uses(t)
	way, n := j.plan.r.spec.Masks, in.Len()
	for i, needed := range group.need {
		if needed {
			j.masked.before[i].Add(count(d.zeros[i], n))
		}
	}
	for k := range group.idle {
		out := d.outs[k][:n]
		if !group.idle[k] {
			var models []int
			for i, a := range j.plan.r.active(group.settings[k]) {
				if a {
					models = append(models, i)
				}
			}
			if way == MasksPreserve {
				if err := d.sameMasks(j, in, models); err != nil {
					return err
				}
			}
			for word := range (n + 63) / 64 {
				zero := joinMasks(d.zeros, models, word, way)
				for ; zero != 0; zero &= zero - 1 {
					out[word*64+bits.TrailingZeros64(zero)] = 0
				}
			}
		}
		j.masked.after[k].Add(zeros(out))
	}
	return nil
}

// joinMasks joins a word of the models' masks.
func joinMasks(zeros [][]uint64, models []int, word int, way Masks) uint64 {
	out := zeros[models[0]][word]
	for _, i := range models[1:] {
		if way == MasksIntersect {
			out |= zeros[i][word]
		} else {
			out &= zeros[i][word]
		}
	}
	return out
}

// sameMasks names the first entry that is zero in some models only.
func (d *workspace[F]) sameMasks(j *job, in method.Chunk[F], models []int) error {
	for word := range (in.Len() + 63) / 64 {
		for _, i := range models[1:] {
			differ := d.zeros[models[0]][word] ^ d.zeros[i][word]
			if differ == 0 {
				continue
			}
			e := word*64 + bits.TrailingZeros64(differ)
			zero, other := models[0], i
			if d.zeros[zero][word]>>(e%64)&1 == 0 {
				zero, other = other, zero
			}
			names := j.plan.r.spec.modelNames()
			return Problem{
				Code: codes.MasksDiffer, Where: fmt.Sprintf("%s[%d]", in.Tensor.Name, in.Start+int64(e)), What: fmt.Sprintf("it is zero in %s and not in %s", names[zero], names[other]),
				Expected: "models that were pruned with one mask", Fix: "write masks: intersect (zero where any is) or masks: union (zero where all are)",
			}
		}
	}
	return nil
}

func count(set []uint64, n int) int64 {
	total := 0
	for _, word := range set[:(n+63)/64] {
		total += bits.OnesCount64(word)
	}
	return int64(total)
}

// sparsity is what the job counted for an output.
func (j *job) sparsity(k int) *Sparsity {
	if j.plan.r.spec.Masks == MasksNone {
		return nil
	}
	s := &Sparsity{Before: map[string]int64{}, After: j.masked.after[k].Load()}
	for _, t := range j.plan.tensors {
		if t.role == roleMerge {
			s.Elements += t.Len
		}
	}
	for i, m := range j.plan.r.spec.Models {
		s.Before[m.Name] = j.masked.before[i].Load()
	}
	return s
}
