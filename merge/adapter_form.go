package merge

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"parfait/merge/codes"
	"parfait/merge/method"
	"parfait/merge/safetensors"
)

// The sum of LoRA adapters is a LoRA adapter: with A the rows of all Aᵢ and B the columns of all
// λcᵢsᵢBᵢ, B·A = Σ λcᵢsᵢBᵢAᵢ. Its rank is the sum of theirs, its own scale is 1. Above Spec.MaxRank it is truncated.

// product is one module of an adapter that is written.
type product struct {
	module    string
	embedding bool
	rank      int64 // as it is written
	sum       int64 // of the models' ranks
	in, out   int64
	parts     []*lora // a model, nil where it does not change the module
	of        *tensor // instead of parts: the matrix of full checkpoints
	turned    bool    // it is stored as (in, out)
	group     int
}

// names of the product's two tensors.
func (m product) names() (a, b string) {
	if m.embedding {
		return "base_model.model." + m.module + ".lora_embedding_A", "base_model.model." + m.module + ".lora_embedding_B"
	}
	return "base_model.model." + m.module + ".lora_A.weight", "base_model.model." + m.module + ".lora_B.weight"
}

// makeAdapter turns the plan into one that writes an adapter: tensors that no model changes go, and
// those that models change by products only become products.
func (p *Plan) makeAdapter(found *problems) {
	var kept []*tensor
	unfit := map[int]bool{}
	for _, t := range p.tensors {
		if t.role != roleMerge {
			continue
		}
		m := product{module: strings.TrimSuffix(t.Name, ".weight"), group: t.group, parts: make([]*lora, len(p.models))}
		full := false
		for i, o := range t.models {
			full = full || o.present()
			if m.parts[i] = o.lora; o.lora != nil && !o.lora.a.present() && !unfit[i] {
				unfit[i] = true
				found.add(codes.Adapter, p.models[i].name, "it changes parameters that are no module's weight (target_parameters), such as "+t.Name, "modules, each with two matrices of its own", "leave form out")
			}
			if o.lora != nil && o.lora.a.present() {
				m.sum += o.lora.rank
				m.embedding = o.lora.embedding
				m.out, m.in = o.lora.rows, o.lora.cols
				if o.lora.turned {
					m.out, m.in = m.in, m.out
				}
			}
		}
		switch {
		case full:
			t.as = "base_model.model." + t.Name
			t.Index = len(kept)
			kept = append(kept, t)
		case m.sum > 0 && p.r.spec.Prepare.Name == PrepareKnots:
			m.rank = m.knotsRank()
			p.products = append(p.products, m)
		case m.sum > 0:
			if m.rank = m.sum; p.r.spec.MaxRank > 0 && m.sum > int64(p.r.spec.MaxRank) {
				m.rank = min(int64(p.r.spec.MaxRank), m.in, m.out)
			}
			p.products = append(p.products, m)
		}
	}
	p.tensors = kept
	for _, m := range p.models {
		if m.adapter.fanInOut != p.models[0].adapter.fanInOut {
			found.add(codes.Adapter, m.name, "fan_in_fan_out is not as in "+p.models[0].name, "adapters of one kind of model", "leave form out")
		}
	}
	if len(p.products) == 0 && len(found.list) == 0 {
		found.add(codes.Adapter, p.models[0].name, "no module is changed by a product", "LoRA matrices", "leave form out")
	}
}

// factorType is the dtype of an adapter's matrices: float32 where nothing else was asked for, since
// the coefficients are in them.
func (p *Plan) factorType() safetensors.DType {
	if t := p.outDType(safetensors.F32); t.Computable() {
		return t
	}
	return safetensors.F32
}

// factorTensors are the tensors of the products.
func (p *Plan) factorTensors() []safetensors.Tensor {
	var out []safetensors.Tensor
	for _, m := range p.products {
		a, b := m.names()
		out = append(out,
			safetensors.Tensor{Name: a, DType: p.factorType(), Shape: []int64{m.rank, m.in}},
			safetensors.Tensor{Name: b, DType: p.factorType(), Shape: []int64{m.out, m.rank}})
	}
	return out
}

// writeProducts computes and writes the matrices of every output, a module each worker.
func (j *job) writeProducts(ctx context.Context) error {
	j.cuts = make([][]cut, len(j.plan.products))
	err := each(j.workers, len(j.plan.products), func(n int) (err error) {
		w := <-j.free
		defer func() { j.free <- w }()
		if m := j.plan.products[n]; m.of != nil {
			j.cuts[n], err = w.extract(ctx, m)
			return err
		} else if j.plan.r.spec.Prepare.Name == PrepareKnots {
			return w.align(ctx, m)
		} else if m.rank < m.sum {
			j.cuts[n], err = w.truncate(ctx, m)
			return err
		}
		return w.join(ctx, j.plan.products[n])
	})
	if err != nil || j.plan.left == nil {
		return err
	}
	return j.leftOut(ctx)
}

// join writes a module's matrices as they are put together, a run of elements at a time.
func (w *worker) join(ctx context.Context, m product) error {
	a, b := m.names()
	run := make([]float32, method.ChunkElements)
	for k := range w.job.outs {
		s := w.job.groups[m.group].settings[k]
		for _, half := range []struct {
			name string
			n    int64
			fill func(product, method.Setting, []float32, int64) error
		}{{a, m.rank * m.in, w.joinRight}, {b, m.out * m.rank, w.joinLeft}} {
			for start := int64(0); start < half.n; start += method.ChunkElements {
				if err := ctx.Err(); err != nil {
					return err
				}
				part := run[:min(method.ChunkElements, half.n-start)]
				if err := half.fill(m, s, part, start); err != nil {
					return err
				}
				if err := w.job.putRun(k, half.name, part, start); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// joinRight fills dst with the elements of A (rank × in) from start on. The rows of a model without a
// weight are zero.
func (w *worker) joinRight(m product, s method.Setting, dst []float32, start int64) error {
	clear(dst)
	end := start + int64(len(dst))
	at := int64(0) // where the model's rows begin
	for i, l := range m.parts {
		if l == nil {
			continue
		}
		lo, hi := max(start, at), min(end, at+l.rank*m.in)
		if lo < hi && s.Effective(i) != 0 {
			if err := readRun(w, dst[lo-start:hi-start], l.a, lo-at, w.job.plan.r.spec.Models[i].Name); err != nil {
				return err
			}
		}
		at += l.rank * m.in
	}
	return nil
}

// joinLeft fills dst with the elements of B (out × rank) from start on, weights and scales in them. The
// columns of a model without a weight are zero.
func (w *worker) joinLeft(m product, s method.Setting, dst []float32, start int64) error {
	clear(dst)
	first, last := start/m.rank, (start+int64(len(dst))-1)/m.rank
	var rows []float32
	at := int64(0) // the model's first column
	for i, l := range m.parts {
		if l == nil {
			continue
		}
		if weight := s.Effective(i); weight != 0 {
			rows = buffer(&rows, int((last-first+1)*l.rank))
			if err := readRun(w, rows, l.b, first*l.rank, w.job.plan.r.spec.Models[i].Name); err != nil {
				return err
			}
			for e, v := range rows {
				row, column := int64(e)/l.rank, int64(e)%l.rank
				if to := (first+row)*m.rank + at + column - start; to >= 0 && to < int64(len(dst)) {
					dst[to] = float32(float64(weight*l.scale) * float64(v))
				}
			}
		}
		at += l.rank
	}
	return nil
}

// putRun encodes and writes some elements of an output's tensor, from start on.
func (j *job) putRun(k int, name string, data []float32, start int64) error {
	out := j.outs[k]
	place := out.places[name]
	f := out.files[place.file]
	d := j.plan.factorType()
	raw := make([]byte, int64(len(data))*d.Bits()/8)
	if !encode(vector(raw, d), data) {
		return Problem{Code: codes.NotFinite, Where: out.Target + ": " + name, What: "a coefficient times an entry is not finite as " + d.String(), Expected: "finite numbers", Fix: "lower the coefficients, or write f32"}
	}
	if _, err := f.file.WriteAt(raw, place.offset+start*d.Bits()/8); err != nil {
		return writeProblem(f.path, err)
	}
	j.meter.add(int64(len(raw)))
	j.hash.wrote(k, place.file, name, start, raw)
	return nil
}

// adapterConfig is the adapter_config.json of the adapter that is written: that of the first model, where it is one,
// with the new ranks. Every module is named in full, so that no other one is touched.
func (p *Plan) adapterConfig() (sidecar, error) {
	config, extracted := p.extractedConfig(), p.models[0].adapter == nil
	if !extracted {
		var err error
		if config, err = readAdapterJSON(filepath.Join(p.models[0].dir, adapterConfigFile)); err != nil {
			return sidecar{}, err
		}
	}
	most := int64(0)
	for _, m := range p.products {
		most = max(most, m.rank)
	}
	ranks, modules, saved := map[string]any{}, []string{}, []string{}
	for _, m := range p.products {
		modules = append(modules, m.module)
		if m.rank != most {
			ranks[m.module] = m.rank
		}
	}
	for _, t := range p.tensors {
		saved = append(saved, t.Name[:max(strings.LastIndexByte(t.Name, '.'), 0)])
	}
	slices.Sort(modules)
	slices.Sort(saved)
	for _, key := range []string{"layers_to_transform", "layers_pattern", "exclude_modules", "revision"} {
		if _, ok := config[key]; ok && !(extracted && key == "revision") {
			config[key] = nil
		}
	}
	config["r"], config["lora_alpha"], config["use_rslora"] = most, most, false
	config["rank_pattern"], config["alpha_pattern"] = ranks, ranks
	config["target_modules"], config["modules_to_save"] = modules, slices.Compact(saved)
	if len(saved) == 0 {
		config["modules_to_save"] = nil
	}
	config["inference_mode"], config["init_lora_weights"] = true, true
	out, err := json.MarshalIndent(config, "", "  ")
	return sidecar{name: adapterConfigFile, data: append(out, '\n')}, err
}
