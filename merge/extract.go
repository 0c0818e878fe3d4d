package merge

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"parfait/merge/codes"
	"parfait/merge/method"
	"parfait/merge/spectral"
)

// The sum of task vectors of full checkpoints is written as the nearest LoRA adapter of Spec.MaxRank (LoRD, PEFT's
// extraction): for each matrix Δ the singular vectors of its largest singular values, by subspace iteration (Halko,
// Martinsson and Tropp, 2011, algorithm 4.4) with a few columns more than asked for. Δ is read row by row and never kept:
// a module of out × in takes O((out + in)·rank) of memory, and O(out·in·rank) operations in each of six readings, in float64.

const (
	spareColumns = 16 // beside those that are kept
	iterations   = 5  // of Δᵀ·Δ
)

// makeExtracted makes the plan one of an adapter that full checkpoints come to.
func (p *Plan) makeExtracted(found *problems) {
	turned := p.conv1D()
	for _, t := range p.tensors {
		if t.role != roleMerge {
			continue
		}
		if len(t.Shape) != 2 || !strings.HasSuffix(t.Name, ".weight") || vocabularyName.MatchString(t.Name) || t.Len == 0 {
			p.left = append(p.left, t)
			continue
		}
		m := product{module: strings.TrimSuffix(t.Name, ".weight"), group: t.group, of: t, out: t.Shape[0], in: t.Shape[1]}
		if m.turned = turned; turned {
			m.out, m.in = m.in, m.out
		}
		m.sum = min(m.out, m.in)
		m.rank = min(int64(p.r.spec.MaxRank), m.sum)
		p.products = append(p.products, m)
	}
	p.tensors = nil
	if len(p.products) == 0 && len(found.list) == 0 {
		found.add(codes.Adapter, p.models[0].name, "it has no matrix that LoRA could change", "modules with weights of two dimensions", "leave form out")
	}
}

// conv1D says whether the model keeps its matrices as (in, out), as GPT-2 does.
func (p *Plan) conv1D() bool {
	c := p.layoutInput().config
	return c != nil && slices.Contains([]any{"gpt2", "openai-gpt", "decision_transformer", "imagegpt"}, c.top["model_type"])
}

// eachDelta calls f for runs of rows of Σ cᵢδᵢ. What f is given is not its to keep.
func (w *worker) eachDelta(ctx context.Context, t *tensor, s method.Setting, f func(first int, rows *mat.Dense)) error {
	cols := int(t.Row())
	n := max(1, method.ChunkElements/cols)
	sum, one, base := make([]float64, n*cols), make([]float64, n*cols), make([]float64, n*cols)
	for first := 0; int64(first*cols) < t.Len; first += n {
		if err := ctx.Err(); err != nil {
			return err
		}
		k := min(n*cols, int(t.Len)-first*cols)
		start := int64(first * cols)
		if err := readRun(w, base[:k], t.base, start, "base"); err != nil {
			return err
		}
		clear(sum)
		for i, o := range t.models {
			weight := s.Effective(i)
			if weight == 0 {
				continue
			}
			if err := readRun(w, one[:k], o, start, w.job.plan.r.spec.Models[i].Name); err != nil {
				return err
			}
			for e := range k {
				sum[e] += weight * (one[e] - base[e])
			}
		}
		f(first, mat.NewDense(k/cols, cols, sum[:k]))
	}
	return nil
}

// extract writes the nearest matrices of a module for every output.
func (w *worker) extract(ctx context.Context, m product) ([]cut, error) {
	cuts := make([]cut, len(w.job.outs))
	for k, out := range w.job.outs {
		s := w.job.groups[m.group].settings[k]
		left, right, c, err := w.decompose(ctx, m.of, s, int(m.rank))
		if err != nil {
			return nil, err
		}
		if !finite(left) || !finite(right) {
			return nil, Problem{Code: codes.NotFinite, Where: out.Target + ": " + m.module, What: "the task vector has no singular values that are numbers", Expected: "finite numbers", Fix: "lower the coefficients"}
		}
		if m.turned {
			left, right = right, left
		}
		cuts[k] = c
		if err := w.job.putFactors(k, m, left, right); err != nil {
			return nil, err
		}
	}
	return cuts, nil
}

// decompose finds left (rows × rank) and right (columns × rank) with left·rightᵀ near Σ cᵢδᵢ, and what they leave out.
func (w *worker) decompose(ctx context.Context, t *tensor, s method.Setting, rank int) (left, right *mat.Dense, c cut, err error) {
	rows, cols := int(t.Shape[0]), int(t.Shape[1])
	k := min(rank+spareColumns, rows, cols)
	random := rand.New(rand.NewPCG(uint64(t.Index), 0))
	v := mat.NewDense(cols, k, nil)
	v.Apply(func(int, int, float64) float64 { return random.NormFloat64() }, v)
	v = orthonormal(v)
	var image, part, again mat.Dense
	for range iterations {
		z := mat.NewDense(cols, k, nil)
		err := w.eachDelta(ctx, t, s, func(_ int, d *mat.Dense) {
			part.Reset()
			part.Mul(d, v)
			again.Reset()
			again.Mul(d.T(), &part)
			z.Add(z, &again)
		})
		if err != nil {
			return nil, nil, c, err
		}
		v = orthonormal(z)
	}
	image = *mat.NewDense(rows, k, nil)
	err = w.eachDelta(ctx, t, s, func(first int, d *mat.Dense) {
		n, _ := d.Dims()
		image.Slice(first, first+n, 0, k).(*mat.Dense).Mul(d, v)
		for _, x := range d.RawMatrix().Data {
			c.all += x * x
		}
	})
	if err != nil {
		return nil, nil, c, err
	}
	q, r := spectral.Thin(&image)
	var svd mat.SVD
	if !finite(r) || !svd.Factorize(r, mat.SVDThin) {
		return mat.NewDense(1, 1, []float64{math.NaN()}), v, c, nil
	}
	var u, turn, vectors mat.Dense
	svd.UTo(&u)
	svd.VTo(&turn)
	vectors.Mul(v, &turn)
	values := svd.Values(nil)
	c.first, c.lost = values[0], c.all
	for _, x := range values[:rank] {
		c.lost -= x * x
	}
	c.lost = max(0, c.lost)
	if rank < len(values) {
		c.largest = values[rank]
	}
	return lift(q, &u, values, rank), lift(nil, &vectors, values, rank), c, nil
}

// orthonormal are orthonormal columns that span those of m, which has no more columns than rows. Columns of zeros stay.
func orthonormal(m *mat.Dense) *mat.Dense {
	q, r := spectral.Thin(m)
	if q != nil {
		return q
	}
	n, _ := r.Dims() // as many columns as rows: they span everything
	q = mat.NewDense(n, n, nil)
	for i := range n {
		q.Set(i, i, 1)
	}
	return q
}

// leftOut says how much of the task vectors lies in tensors that an adapter has no place for.
func (j *job) leftOut(ctx context.Context) error {
	var inside, outside float64
	for _, cuts := range j.cuts {
		if cuts != nil {
			inside += cuts[0].all
		}
	}
	var names []string
	w := <-j.free
	defer func() { j.free <- w }()
	for _, t := range j.plan.left {
		sum := 0.0
		err := w.eachDelta(ctx, t, j.groups[t.group].settings[0], func(_ int, d *mat.Dense) {
			for _, x := range d.RawMatrix().Data {
				sum += x * x
			}
		})
		if err != nil {
			return err
		}
		if sum > 0 {
			outside += sum
			names = append(names, t.Name)
		}
	}
	if inside+outside == 0 {
		j.notes = append(j.notes, "there is no change: the result is the base, and the adapter does nothing")
	}
	if outside > 0 {
		j.notes = append(j.notes, fmt.Sprintf("%.3g %% of the change (Frobenius norm) is in %s, which an adapter of matrices has no place for: it is left out",
			100*math.Sqrt(outside/(inside+outside)), some(names)))
	}
	return nil
}

// extractedConfig is the adapter_config.json of an adapter that was made of full checkpoints.
func (p *Plan) extractedConfig() map[string]any {
	base, revision, pinned := strings.Cut(whereIs(p.base.path), "@")
	config := map[string]any{
		"peft_type": "LORA", "base_model_name_or_path": base, "bias": "none", "lora_dropout": 0.0,
		"fan_in_fan_out": p.conv1D(), "use_dora": false, "task_type": nil,
	}
	if pinned && hubName(p.base.path) != "" {
		config["revision"] = revision
	} else {
		config["base_model_name_or_path"] = absolute(p.base.path) // which may have an @
	}
	for word, task := range map[string]string{"ForCausalLM": "CAUSAL_LM", "LMHead": "CAUSAL_LM", "ForSequenceClassification": "SEQ_CLS", "ForTokenClassification": "TOKEN_CLS", "ForConditionalGeneration": "SEQ_2_SEQ_LM"} {
		if strings.Contains(p.base.config.classes(), word) {
			config["task_type"] = task
		}
	}
	return config
}

// readAdapterJSON is the configuration of an adapter, with which the output's begins.
func readAdapterJSON(path string) (map[string]any, error) {
	data, err := readSidecar(path)
	if err != nil {
		return nil, sidecarProblem(path, err)
	}
	config := map[string]any{}
	if err := json.Unmarshal(data, &config); err != nil {
		return nil, Problem{Code: codes.Adapter, Where: path, What: "it is not the JSON of an adapter: " + err.Error(), Expected: "a configuration as PEFT writes it"}
	}
	return config, nil
}
