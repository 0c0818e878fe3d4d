package merge

import (
	"fmt"
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
	adapterPickle     = "adapter_model.bin"
)

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
	blocks      []*lora // instead of all that: one for each of a tensor's matrices, which lie one after the other
}

// factor is a stored matrix, or some of its rows and columns, and whether it is used transposed.
type factor struct {
	operand
	transposed bool
	rows, cols span // of what is stored
}

// span is n indices from one on, each step apart.
type span struct{ from, step, n int64 }

// whole is a factor of all that is stored.
func whole(o operand, transposed bool) factor {
	return factor{o, transposed, span{0, 1, o.tensor.Shape[0]}, span{0, 1, o.tensor.Shape[1]}}
}

var (
	loraKey = regexp.MustCompile(`^(.*)\.lora_(A|B)(?:\.[^.]+)?\.weight$`)
	// wrapperName is what PEFT, torch.compile and DistributedDataParallel put before a model's own names.
	wrapperName = regexp.MustCompile(`^(?:module\.|_orig_mod\.)*(?:base_model\.model\.)?`)
	embKey      = regexp.MustCompile(`^(.*)\.lora_embedding_(A|B)(?:\.[^.]+)?$`)
)

// parts are an adapter's tensors by the name of the base's tensor that they change.
type parts struct {
	a, b      operand
	embedding bool
	full      operand // modules_to_save: the whole tensor
	module    string
	piece     *piece // of a parameter's product; nil for a module's
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
	nested         int // wrappers around the one that has it
}

// changes are the adapter's tensors.
func (in *input) changes() []change {
	var out []change
	for _, f := range in.set.Files() {
		for _, t := range f.Tensors() {
			c := change{o: operand{file: f, tensor: t}, suffix: ".weight"}
			key := wrapperName.ReplaceAllString(t.Name, "")
			switch m, e := loraKey.FindStringSubmatch(key), embKey.FindStringSubmatch(key); {
			case m != nil:
				c.module, c.half = m[1], m[2]
				for rest, ok := strings.CutSuffix(c.module, ".base_layer"); ok; rest, ok = strings.CutSuffix(c.module, ".base_layer") {
					c.module = rest
					c.nested++
				}
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
	byName := map[string]*parts{}
	list := in.parameterParts(p, in.changes(), byName, found)
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
	var lacking []string
	for _, c := range list {
		name, ok := p.baseName(c.module + c.suffix)
		if file := files[c.module+c.suffix]; !ok && file != "" {
			name, ok = file, true
		}
		if !ok {
			lacking = append(lacking, c.module)
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
	slices.Sort(lacking)
	switch lacking = slices.Compact(lacking); len(lacking) {
	case 0:
	case 1:
		in.lacks(found, ": "+lacking[0], "the adapter changes a module that the base lacks")
	default:
		in.lacks(found, "", fmt.Sprintf("the adapter changes %d modules that the base lacks: %s", len(lacking), strings.Join(lacking, ", ")))
	}
	return byName
}

// lacks adds the problem of modules that the base has not.
func (in *input) lacks(found *problems, where, what string) {
	found.add(codes.Adapter, in.name+where, what, "modules of the base",
		"check that the adapter was trained on this base"+ofBase(in.adapter.base)+"; if it was, its names are those of the program that trained it, or the base was saved without its head: "+in.adapter.unload())
}

// product checks the two matrices of a module against the base's tensor.
func (in *input) product(p *parts, t safetensors.Tensor) (*lora, *Problem) {
	where := in.name + ": " + p.module
	bad := func(what, expected string) (*lora, *Problem) {
		return nil, &Problem{Code: codes.Adapter, Where: where, What: what, Expected: expected, Fix: in.adapter.unload()}
	}
	if !p.a.present() || !p.b.present() {
		return bad("one of the two matrices of the module is missing", "lora_A and lora_B")
	}
	a, b := p.a.tensor, p.b.tensor
	if p.piece != nil && len(a.Shape) == 2 && len(b.Shape) == 2 && a.DType.Computable() && b.DType.Computable() {
		l, what := in.pieceProduct(p, t)
		if what != "" {
			return bad(what, "matrices as PEFT writes them for target_parameters")
		}
		return l, nil
	}
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
		l.left, l.right = whole(p.b, false), whole(p.a, false)
	default: // stored (in, out), or an embedding
		l.left, l.right, l.turned = whole(p.a, true), whole(p.b, true), true
	}
	return l, nil
}

// baseName finds the base's tensor that an adapter's key means.
func (p *Plan) baseName(name string) (string, bool) {
	base := p.layoutInput()
	return nearName(name, func(name string) bool { return base.has(name) || p.tieOf(name) != nil }, base.set.Names())
}

func ofBase(name string) string {
	if name == "" {
		return ""
	}
	return ": it says " + name
}
