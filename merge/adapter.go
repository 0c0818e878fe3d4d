package merge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// Files of a PEFT adapter's folder.
const (
	adapterConfigFile = "adapter_config.json"
	adapterWeights    = "adapter_model.safetensors"
)

// adapter is what adapter_config.json says of a LoRA adapter (Hu et al., arXiv 2106.09685), as PEFT
// writes it. Its task vector is δ = s·B·A with s = α/r, or α/√r with use_rslora.
type adapter struct {
	where    string
	alpha    float64
	rsLoRA   bool
	fanInOut bool // weights are stored (in, out)
	patterns []alphaPattern
	base     string // base_model_name_or_path
}

// alphaPattern is an α for the modules whose name ends so.
type alphaPattern struct {
	re    *regexp.Regexp
	alpha float64
}

// adapterJSON are the keys of adapter_config.json that decide what the weights mean.
type adapterJSON struct {
	PEFTType    string             `json:"peft_type"`
	Base        string             `json:"base_model_name_or_path"`
	Rank        int                `json:"r"`
	Alpha       *float64           `json:"lora_alpha"`
	RSLoRA      bool               `json:"use_rslora"`
	FanInOut    bool               `json:"fan_in_fan_out"`
	AlphaBy     map[string]float64 `json:"alpha_pattern"`
	Bias        string             `json:"bias"`
	DoRA        bool               `json:"use_dora"`
	QALoRA      bool               `json:"use_qalora"`
	LoRABias    bool               `json:"lora_bias"`
	Init        any                `json:"init_lora_weights"`
	Replication any                `json:"layer_replication"`
	Parameters  []any              `json:"target_parameters"`
	Invocation  []any              `json:"alora_invocation_tokens"`
	Megatron    any                `json:"megatron_config"`
	Tokens      any                `json:"trainable_token_indices"`
}

// readAdapterConfig reads a folder's adapter_config.json; nil where there is none.
func readAdapterConfig(where, dir string) (*adapter, error) {
	path := filepath.Join(dir, adapterConfigFile)
	data, err := readSidecar(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, safetensors.SingleName)); err == nil {
		return nil, nil // a full checkpoint that an adapter's configuration was left beside
	}
	var c adapterJSON
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, Problem{Code: codes.Adapter, Where: path, What: "it is not the JSON of an adapter: " + err.Error(), Expected: "a configuration as PEFT writes it"}
	}
	var found problems
	refuse := func(what, why string) {
		found.add(codes.Adapter, where, what, why, "merge the adapter into its base with PEFT (merge_and_unload) and give the result")
	}
	if c.PEFTType != "LORA" {
		refuse(fmt.Sprintf("the adapter is of the kind %q", c.PEFTType), `a LoRA adapter (peft_type "LORA")`)
		return nil, found.err()
	}
	for _, kind := range []struct {
		is   bool
		name string
	}{
		{c.DoRA, "use_dora (weight-decomposed LoRA)"},
		{c.QALoRA, "use_qalora"},
		{c.LoRABias, "lora_bias"},
		{c.Replication != nil, "layer_replication"},
		{len(c.Parameters) > 0, "target_parameters"},
		{len(c.Invocation) > 0, "alora_invocation_tokens (activated LoRA)"},
		{c.Megatron != nil, "megatron_config"},
		{c.Tokens != nil, "trainable_token_indices"},
		{c.Bias != "" && c.Bias != "none", "bias: " + c.Bias},
		{changesBase(c.Init), fmt.Sprintf("init_lora_weights: %v, which changes the base that the adapter belongs to", c.Init)},
	} {
		if kind.is {
			refuse("the adapter uses "+kind.name, "a plain LoRA adapter, whose task vector is a product of two matrices")
		}
	}
	if c.Alpha == nil {
		refuse("lora_alpha is missing", "the scale of the adapter")
		return nil, found.err()
	}
	a := &adapter{where: where, alpha: *c.Alpha, rsLoRA: c.RSLoRA, fanInOut: c.FanInOut, base: c.Base}
	for _, key := range sortedKeys(c.AlphaBy) {
		re, err := regexp.Compile(`^(.*\.)?(` + key + `)$`)
		if err != nil {
			refuse(fmt.Sprintf("the key %q of alpha_pattern cannot be read: %v", key, err), "a module's name or a regular expression")
			continue
		}
		a.patterns = append(a.patterns, alphaPattern{re, c.AlphaBy[key]})
	}
	return a, found.err()
}

// changesBase says whether training with this initialisation started from another base.
func changesBase(init any) bool {
	name, _ := init.(string)
	return slices.ContainsFunc([]string{"pissa", "olora", "corda", "loftq", "lora_ga"}, func(s string) bool {
		return strings.HasPrefix(strings.ToLower(name), s)
	})
}

// scale is what B·A is multiplied by in a module of rank r.
func (a *adapter) scale(module string, r int64) float64 {
	alpha := a.alpha
	for _, p := range a.patterns {
		if p.re.MatchString(module) {
			alpha = p.alpha
			break
		}
	}
	if a.rsLoRA {
		return alpha / math.Sqrt(float64(r))
	}
	return alpha / float64(r)
}

// lora is a task vector that is a product: δ = scale · left · right, left with a column and right with
// a row for each of the rank.
type lora struct {
	left, right factor
	a, b        operand // as stored: (rank, in) and (out, rank)
	rank        int64
	scale       float64
	rows, cols  int64
	turned      bool // the tensor is stored (in, out)
	embedding   bool
}

// factor is a stored matrix, and whether it is used transposed.
type factor struct {
	operand
	transposed bool
}

var (
	loraKey = regexp.MustCompile(`^(.*)\.lora_(A|B)(?:\.[^.]+)?\.weight$`)
	embKey  = regexp.MustCompile(`^(.*)\.lora_embedding_(A|B)(?:\.[^.]+)?$`)
)

// parts are an adapter's tensors by the name of the base's tensor that they change.
type parts struct {
	a, b      operand
	embedding bool
	full      operand // modules_to_save: the whole tensor
	module    string
}

// product says whether the module is changed by a product of two matrices.
func (p *parts) product() bool { return p != nil && (p.a.present() || p.b.present()) }

// matchAdapter finds for every tensor of the output what an adapter makes of it, and the ties whose two
// roles it changes apart. What cannot be placed is a problem.
func (p *Plan) matchAdapter(in *input, found *problems) (out map[string]operand, apart map[*tie]bool) {
	byName := in.parts(p, found)
	out, apart = map[string]operand{}, map[*tie]bool{}
	for _, t := range p.ties {
		if apart[t] = in.settleRoles(t, byName, found); p.r.spec.Form == FormAdapter && byName[t.source].product() && !byName[t.source].embedding {
			found.add(codes.Tied, in.name, "it has a LoRA on "+t.alias()+", which the base stores as "+t.source, "modules that the base stores", "leave form out")
		}
	}
	if len(in.set.Names()) == 0 {
		found.add(codes.Adapter, in.name, "the adapter has no tensors: it changes nothing", "the matrices of the modules that it was trained on", "take the checkpoint that its training wrote: this one was saved before there was anything, or by a program that lost it")
	}
	idle := 0
	for _, name := range sortedKeys(byName) {
		part, t := byName[name], p.find(name).tensor
		if !part.product() {
			out[name] = part.full
			continue
		}
		l, problem := in.product(part, t)
		if problem != nil {
			found.list = append(found.list, *problem)
			continue
		}
		out[name] = operand{lora: l}
		if l.scale == 0 {
			idle++
		}
	}
	if idle > 0 {
		found.warn(codes.Adapter, in.name, fmt.Sprintf("lora_alpha is 0 for %d of the %d modules that it changes: it changes nothing there", idle, len(byName)), "a scale other than 0", "put the lora_alpha that it was trained with into its "+adapterConfigFile)
	}
	for _, t := range p.ties {
		if _, own := out[t.alias()]; !own && !apart[t] {
			if o, changed := out[t.source]; changed {
				out[t.alias()] = o // where the output has a tensor for it
			}
		}
	}
	return out, apart
}

// change is a tensor of an adapter, and what of a module's tensor it is.
type change struct {
	o              operand
	module, suffix string
	half           string // "A", "B", or "" for a whole tensor
	embedding      bool
}

// changes are the adapter's tensors.
func (in *input) changes() []change {
	var out []change
	for _, f := range in.set.Files() {
		for _, t := range f.Tensors() {
			c := change{o: operand{file: f, tensor: t}, suffix: ".weight"}
			key := strings.TrimPrefix(t.Name, "base_model.model.")
			switch m, e := loraKey.FindStringSubmatch(key), embKey.FindStringSubmatch(key); {
			case m != nil:
				c.module, c.half = m[1], m[2]
			case e != nil:
				c.module, c.half, c.embedding = e[1], e[2], true
			default:
				key = strings.NewReplacer(".modules_to_save.default.", ".", ".modules_to_save.", ".", ".base_layer.", ".").Replace(key)
				dot := max(strings.LastIndexByte(key, '.'), 0)
				c.module, c.suffix = key[:dot], key[dot:]
			}
			out = append(out, c)
		}
	}
	return out
}

// parts sorts an adapter's tensors by the tensor of the base, or the alias of one, that they change.
func (in *input) parts(p *Plan, found *problems) map[string]*parts {
	list := in.changes()
	var unknown []string
	for _, c := range list {
		if _, ok := p.baseName(c.module + c.suffix); !ok {
			unknown = append(unknown, c.module+c.suffix)
		}
	}
	var files map[string]string // the names in files of those that are called otherwise in memory
	if unknown != nil {
		files = p.layoutInput().fileNames(unknown)
	}
	byName := map[string]*parts{}
	for _, c := range list {
		name, ok := p.baseName(c.module + c.suffix)
		if file := files[c.module+c.suffix]; !ok && file != "" {
			name, ok = file, true
		}
		if !ok {
			found.add(codes.Adapter, in.name+": "+c.module, "the adapter changes a module that the base lacks", "a module of the base",
				"check that the adapter was trained on this base"+ofBase(in.adapter.base)+"; if it was, its names are those of the program that trained it: merge it with PEFT (merge_and_unload) and give the result")
			continue
		}
		part := byName[name]
		if part == nil {
			part = &parts{module: c.module}
			byName[name] = part
		}
		switch c.half {
		case "A":
			part.a = c.o
		case "B":
			part.b = c.o
		default:
			part.full = c.o
		}
		part.embedding = part.embedding || c.embedding
	}
	return byName
}

// product checks the two matrices of a module against the base's tensor.
func (in *input) product(p *parts, t safetensors.Tensor) (*lora, *Problem) {
	where := in.name + ": " + p.module
	bad := func(what, expected string) (*lora, *Problem) {
		return nil, &Problem{Code: codes.Adapter, Where: where, What: what, Expected: expected, Fix: "merge the adapter into its base with PEFT (merge_and_unload) and give the result"}
	}
	if !p.a.present() || !p.b.present() {
		return bad("one of the two matrices of the module is missing", "lora_A and lora_B")
	}
	a, b := p.a.tensor, p.b.tensor
	if len(a.Shape) != 2 || len(b.Shape) != 2 || len(t.Shape) != 2 {
		return bad(fmt.Sprintf("matrices of the shapes %v and %v on a tensor of %v", a.Shape, b.Shape, t.Shape), "matrices: adapters on convolutions cannot be merged here")
	}
	if !a.DType.Computable() || !b.DType.Computable() {
		return bad(fmt.Sprintf("matrices of the dtypes %s and %s", a.DType, b.DType), "BF16, F16, F32 or F64")
	}
	r, in0, out0 := a.Shape[0], a.Shape[1], b.Shape[0]
	l := &lora{a: p.a, b: p.b, rank: r, rows: t.Shape[0], cols: t.Shape[1], scale: in.adapter.scale(p.module, r), embedding: p.embedding}
	straight, turned := t.Shape[0] == out0 && t.Shape[1] == in0, t.Shape[0] == in0 && t.Shape[1] == out0
	switch {
	case b.Shape[1] != r || r == 0 || !straight && !turned:
		return bad(fmt.Sprintf("lora_A of %v and lora_B of %v on a tensor of %v", a.Shape, b.Shape, t.Shape), "a product of the tensor's shape")
	case straight && (!turned || !p.embedding && !in.adapter.fanInOut):
		l.left, l.right = factor{p.b, false}, factor{p.a, false}
	default: // stored (in, out), or an embedding
		l.left, l.right, l.turned = factor{p.a, true}, factor{p.b, true}, true
	}
	return l, nil
}

// baseName finds the base's tensor that an adapter's key means: the adapter may know it under a longer
// or a shorter name, because one of the two was saved without the head.
func (p *Plan) baseName(name string) (string, bool) {
	base := p.layoutInput()
	known := func(name string) bool { return base.has(name) || p.tieOf(name) != nil }
	if known(name) {
		return name, true
	}
	if _, short, cut := strings.Cut(name, "."); cut && known(short) {
		return short, true
	}
	match := ""
	for _, n := range base.set.Names() {
		if strings.HasSuffix(n, "."+name) {
			if match != "" {
				return name, false
			}
			match = n
		}
	}
	if match == "" {
		return name, false
	}
	return match, true
}

func ofBase(name string) string {
	if name == "" {
		return ""
	}
	return ": it says " + name
}
