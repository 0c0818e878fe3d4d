package merge

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"

	"parfait/merge/codes"
)

// InspectOptions say how to look.
type InspectOptions struct{ Workers int }

// Inspection is what can be said of models without evaluating a merge of them. Models are in the order
// of the spec. Without a base, task vectors are the models themselves.
type Inspection struct {
	Models   []string     `json:"models"`
	Total    GroupStats   `json:"total"`
	Groups   []GroupStats `json:"groups"`
	Tensors  []GroupStats `json:"tensors"`
	Warnings []Problem    `json:"warnings,omitempty"`
}

// GroupStats are the figures of one tensor, of one layer group, or of the whole.
type GroupStats struct {
	Name      string      `json:"name"`
	Members   []string    `json:"members,omitempty"` // the tensors of a group
	Elements  int64       `json:"elements"`
	BaseNorm  float64     `json:"base_norm"`
	Norms     []float64   `json:"norms"`          // ‖δᵢ‖
	Relative  []float64   `json:"relative"`       // ‖δᵢ‖/‖θ₀‖; 0 where the base is 0
	Cosines   [][]float64 `json:"cosines"`        // of δᵢ and δⱼ; 0 where one is 0
	Conflicts float64     `json:"sign_conflicts"` // share of the entries where two δ have opposite signs
	Zeros     []float64   `json:"zeros"`          // share of the entries of θᵢ that are zero
	NonFinite []int64     `json:"non_finite"`     // NaN and infinities in the base, then in each model; left out of all else
	// VarianceRatio is r = Var(Σθᵢ/N) / mean Var θᵢ: near 1 for models of one basin, near 1/N for models
	// that have nothing to do with each other.
	VarianceRatio float64 `json:"variance_ratio"`
}

// Inspect reads every input once and says how the models lie relative to one another: per tensor, per layer
// group (those of the spec, or else layers by their number), and on the whole. Method and parameters of
// the spec do not matter. Results do not depend on the number of workers.
func Inspect(ctx context.Context, spec Spec, o InspectOptions, progress func(Progress)) (*Inspection, error) {
	spec.Method, spec.Params, spec.Masks, spec.Form, spec.VarianceCorrection = "task_arithmetic", nil, MasksNone, FormFull, false
	if !spec.hasBase() {
		spec.Method = "linear"
	}
	groups := spec.Groups
	spec.Groups, spec.Profile = nil, 0
	p, err := NewPlan(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer p.Close() //nolint:errcheck // read only
	at := map[string]float64{}
	for _, m := range spec.Models {
		at[m.Name] = 1
	}
	j, err := newJob(p, []*output{{Output: Output{At: at}}}, o.Workers)
	if err != nil {
		return nil, err
	}
	g := newGatherer(j)
	j.meter = startMeter("inspect", j.bytes()-p.Bytes(), progress)
	err = j.each(ctx, g.tensors, g.look)
	j.meter.end(err == nil)
	if err != nil {
		return nil, err
	}
	if err := p.unchanged(); err != nil {
		return nil, err
	}
	return g.inspection(groups, p.warnings)
}

// gatherer collects sums of tensors.
type gatherer struct {
	job     *job
	tensors []*tensor

	mu    sync.Mutex
	open  map[*tensor]*partialSums
	sums  map[*tensor]sums
	names []string
}

// partialSums is the chunks of a tensor that were looked at.
type partialSums struct {
	chunks []sums
	left   int64
}

func newGatherer(j *job) *gatherer {
	g := &gatherer{job: j, open: map[*tensor]*partialSums{}, sums: map[*tensor]sums{}, names: j.plan.r.spec.modelNames()}
	for _, t := range j.plan.tensors {
		if t.role == roleMerge {
			g.tensors = append(g.tensors, t)
		}
	}
	return g
}

// look sums one chunk.
func (g *gatherer) look(w *worker, t *tensor, c chunk) error {
	var s sums
	var err error
	if t.Wide {
		s, err = lookAt(w, w.workspace64(), t, c)
	} else {
		s, err = lookAt(w, w.workspace32(), t, c)
	}
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.open[t]
	if p == nil {
		p = &partialSums{left: g.job.chunks(t)}
		p.chunks = make([]sums, p.left)
		g.open[t] = p
	}
	p.chunks[c.index] = s
	if p.left--; p.left == 0 {
		g.sums[t] = addUp(p.chunks).centred()
		delete(g.open, t)
	}
	return nil
}

// addUp adds sums in their order.
func addUp(list []sums) sums {
	var all sums
	for _, s := range list {
		all = all.and(s)
	}
	return all
}

func (g *gatherer) inspection(groups []Group, warnings []Problem) (*Inspection, error) {
	of, order, err := groupTensors(groups, g.tensors)
	if err != nil {
		return nil, err
	}
	out := &Inspection{Models: g.names, Warnings: warnings}
	var all []sums
	for _, t := range g.tensors {
		all = append(all, g.sums[t])
		out.Tensors = append(out.Tensors, g.sums[t].stats(t.Name, len(g.names)))
	}
	for _, name := range order {
		var part []sums
		var members []string
		for _, t := range g.tensors {
			if of[t.Name] == name {
				part = append(part, g.sums[t])
				members = append(members, t.Name)
			}
		}
		stats := addUp(part).stats(name, len(g.names))
		stats.Members = members
		out.Groups = append(out.Groups, stats)
	}
	out.Total = addUp(all).stats("total", len(g.names))
	out.warn(g.job.plan.base != nil)
	return out, nil
}

// groupTensors puts every tensor into a group: the first that matches, or else its layer.
func groupTensors(groups []Group, ts []*tensor) (of map[string]string, order []string, err error) {
	of = map[string]string{}
	seen := map[string]bool{}
	r, p := resolve(Spec{Method: "linear", Models: []Source{{"x", "x"}}, Groups: groups})
	if err := p.err(); err != nil {
		return nil, nil, err
	}
	for _, t := range ts {
		name := layerOf(t.Name)
		if len(groups) > 0 {
			if name = "(none)"; r.group(t.Name) >= 0 {
				name = groups[r.group(t.Name)].Name
			}
		}
		of[t.Name] = name
		if !seen[name] {
			seen[name] = true
			order = append(order, name)
		}
	}
	return of, order, nil
}

// layerOf is a tensor's name up to its first number, or without its last part.
func layerOf(name string) string {
	parts := strings.Split(name, ".")
	for i, part := range parts {
		if digitRun(part) == len(part) && part != "" {
			return strings.Join(parts[:i+1], ".")
		}
	}
	return strings.Join(parts[:max(1, len(parts)-1)], ".")
}

// warn says where the models will hardly merge.
func (i *Inspection) warn(base bool) {
	n := float64(len(i.Models))
	if r, least := i.Total.VarianceRatio, (1+1/n)/2; n > 1 && r < least {
		i.Warnings = append(i.Warnings, Problem{
			Code: codes.Unrelated, Where: "models", What: fmt.Sprintf("the variance of their average is %.2f of their own", r),
			Expected: fmt.Sprintf("near 1 for models of one basin (%.2f would be unrelated ones)", 1/n),
			Fix:      "they were hardly fine-tuned from one base: expect a merge that is worse than each; check base and models",
		})
	}
	for k, name := range i.Models {
		if bad := i.Total.NonFinite[1+k]; bad > 0 {
			i.Warnings = append(i.Warnings, Problem{Code: codes.NotFinite, Where: name, What: fmt.Sprintf("%d entries are NaN or infinite", bad), Expected: "finite numbers", Fix: "take a good copy, or skip the tensors: a merge stops there"})
		}
		switch relative := i.Total.Relative[k]; {
		case !base:
		case relative == 0:
			i.Warnings = append(i.Warnings, Problem{Code: codes.Same, Where: name, What: "it is equal to the base", Expected: "a fine-tuned model", Fix: "check its path"})
		case relative > 1:
			i.Warnings = append(i.Warnings, Problem{Code: codes.Far, Where: name, What: fmt.Sprintf("its task vector is %.1f times as long as the base", relative), Expected: "a fine-tuned model, usually below 0.1", Fix: "it was hardly fine-tuned from this base"})
		}
	}
	if i.Total.NonFinite[0] > 0 {
		i.Warnings = append(i.Warnings, Problem{Code: codes.NotFinite, Where: "base", What: fmt.Sprintf("%d entries are NaN or infinite", i.Total.NonFinite[0]), Expected: "finite numbers", Fix: "take a good copy, or skip the tensors: a merge stops there"})
	}
}

// share is a/b, 0 where b is 0.
func share(a, b float64) float64 {
	if b == 0 || math.IsNaN(a/b) {
		return 0
	}
	return a / b
}
