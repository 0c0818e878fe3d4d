package merge

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// PEFT's target_parameters train products on parameters that are no module's weight: the experts of a mixture, which
// transformers keeps as one tensor of a matrix each. lora_A then has the rows of all experts, expert after expert, and
// lora_B a column for every rank and expert, the expert running fastest. Wrappers of several parameters of one module
// are nested, in the order in which the module has them, the last outside. Files may have the experts as that one tensor, or
// each by itself, its gate apart from its up projection.

// piece is what of a parameter's product a tensor of the base gets.
type piece struct {
	parameter      string
	expert         int64 // -1: the tensor has them all
	experts        int64
	part, parts    int64 // of the matrix, whose parts are put together along its output
	inFirst, known bool  // the files have a matrix as (in, out); known says whether that could be told
	asPEFT         bool  // what PEFT takes for the input is it
}

// expertParts are the names that an expert's own matrices have in files, by the parameter that they become.
var expertParts = map[string][][]string{
	"gate_up_proj": {{"gate_proj", "w1", "fc1"}, {"up_proj", "w3", "fc3"}},
	"up_proj":      {{"up_proj"}},
	"down_proj":    {{"down_proj", "w2", "fc2"}},
}

// parametersOf are the parameters of a module that the adapter trains, the one whose wrapper is inside first.
func (a *adapter) parametersOf(module string) []string {
	var out []string
	for _, target := range a.parameters {
		dot := strings.LastIndexByte(target, '.')
		if owner := target[:max(dot, 0)]; owner == "" || module == owner || strings.HasSuffix(module, "."+owner) {
			out = append(out, target[dot+1:])
		}
	}
	slices.SortFunc(out, func(x, y string) int { // gate_up_proj, gate_up_proj_bias, down_proj, down_proj_bias
		down := func(s string) int { return strings.Count(s, "down") }
		return cmp.Or(down(x)-down(y), strings.Compare(x, y))
	})
	return slices.Compact(out)
}

// parameterParts sorts those of an adapter's tensors that belong to target_parameters, and returns the others.
func (in *input) parameterParts(p *Plan, list []change, byName map[string]*parts, found *problems) (rest []change) {
	lacking := map[string]bool{}
	for _, c := range list {
		names := in.adapter.parametersOf(c.module)
		if c.half == "" || c.embedding || c.nested >= len(names) {
			rest = append(rest, c)
			continue
		}
		parameter := c.module + "." + names[len(names)-1-c.nested]
		pieces := p.pieces(parameter)
		if pieces == nil && !lacking[parameter] {
			lacking[parameter] = true
			found.add(codes.Adapter, in.name+": "+parameter, "the adapter changes a parameter that the base lacks", "a tensor of the base, or one of each expert's",
				"check that the adapter was trained on this base"+ofBase(in.adapter.base)+"; if it was: "+in.adapter.unload())
		}
		for name, piece := range pieces {
			if byName[name] == nil {
				byName[name] = &parts{module: parameter, piece: piece}
			}
			if c.half == "A" {
				byName[name].a = c.o
			} else {
				byName[name].b = c.o
			}
		}
	}
	return rest
}

// pieces are the tensors of the base that a parameter is in, by their names; nil where there are none.
func (p *Plan) pieces(parameter string) map[string]*piece {
	base := p.layoutInput()
	if name, ok := p.parameterFile(parameter); ok {
		t := p.find(name).tensor
		whole := &piece{parameter: parameter, expert: -1, experts: 1, parts: 1}
		if len(t.Shape) == 3 {
			whole.experts = t.Shape[0]
			whole.inFirst, whole.known = p.inFirst(parameter)
			if whole.asPEFT = true; whole.inFirst {
				said := false
				whole.asPEFT, said = inFirstFamilies[base.config.kind()]
				whole.known = whole.known && said
			}
		}
		return map[string]*piece{name: whole}
	}
	module, last, _ := cutLast(parameter)
	owner, _, ok := cutLast(strings.TrimSuffix(module, ".experts"))
	if !ok || expertParts[last] == nil || !strings.HasSuffix(module, ".experts") {
		return nil
	}
	of := regexp.MustCompile(`(?:^|\.)` + regexp.QuoteMeta(owner) + `\.\w+\.experts\.(\d+)\.(\w+)\.weight$`)
	out, experts := map[string]*piece{}, map[string]bool{}
	for _, name := range base.set.Names() {
		m := of.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		for part, names := range expertParts[last] {
			if n, err := strconv.ParseInt(m[1], 10, 32); err == nil && slices.Contains(names, m[2]) {
				out[name] = &piece{parameter: parameter, expert: n, part: int64(part), parts: int64(len(expertParts[last])), known: true, asPEFT: true}
				experts[m[1]] = true
			}
		}
	}
	for _, piece := range out {
		piece.experts = int64(len(experts))
	}
	if len(out) != len(experts)*len(expertParts[last]) || len(out) == 0 {
		return nil
	}
	return out
}

// parameterFile is the name that a parameter has in the base's files.
func (p *Plan) parameterFile(parameter string) (string, bool) {
	if name, ok := p.baseName(parameter); ok {
		return name, true
	}
	name := p.layoutInput().fileNames([]string{parameter})[parameter]
	return name, name != ""
}

// cutLast splits a name at its last dot.
func cutLast(name string) (before, after string, found bool) {
	dot := strings.LastIndexByte(name, '.')
	return name[:max(dot, 0)], name[dot+1:], dot >= 0
}

// inFirst says whether the file has the matrices of experts as (in, out), which the tensor of gate and up projections
// tells: its output is twice as wide as that of one.
func (p *Plan) inFirst(parameter string) (inFirst, known bool) {
	module, _, _ := cutLast(parameter)
	gate, ok := p.parameterFile(module + ".gate_up_proj")
	down, both := p.parameterFile(module + ".down_proj")
	if !ok || !both {
		return false, false
	}
	g, d := p.find(gate).tensor.Shape, p.find(down).tensor.Shape
	if len(g) != 3 || len(d) != 3 {
		return false, false
	}
	g, d = g[1:], d[1:]
	straight, turned := g[0] == 2*d[1] && g[1] == d[0], g[1] == 2*d[0] && g[0] == d[1]
	return turned, straight != turned
}

// inFirstFamilies are model_types whose files have experts as (in, out), and of which it is known what PEFT takes for the input
// where that is a question: what their classes in transformers 5.24 say (is_transposed), or that they are turned when they are
// loaded. Llama 4's do not say it.
var inFirstFamilies = map[string]bool{"gpt_oss": true, "openai_privacy_filter": true, "aria": true, "aria_text": true, "qwen3_vl_moe": true, "qwen3_vl_moe_text": true, "llama4": false, "llama4_text": false}

// widthIsIn says whether lora_A has the width of the parameter's input, of square matrices whose shapes do not tell.
// PEFT has changed that twice: before 0.19 the width is that of the first dimension of a matrix, in 0.19 that of the output
// and from then on that of the input, or what it takes for them.
func (a *adapter) widthIsIn(inFirst, asPEFT bool) bool {
	var major, minor int
	n, _ := fmt.Sscanf(a.version, "%d.%d", &major, &minor)
	switch old := n < 2 || major == 0 && minor < 19; {
	case old:
		return inFirst
	case major == 0 && minor < 20:
		return !asPEFT
	}
	return asPEFT
}

// pieceProduct is the product on a tensor that has a parameter, or a piece of one. what says why there is none.
func (in *input) pieceProduct(p *parts, t safetensors.Tensor) (l *lora, what string) {
	shape, experts := t.Shape, p.piece.experts
	if len(shape) == 3 {
		shape = shape[1:]
	}
	a, b := p.a.tensor.Shape, p.b.tensor.Shape
	rank := a[0] / experts
	if len(shape) != 2 || rank == 0 || a[0] != rank*experts || b[1] != a[0] {
		return nil, fmt.Sprintf("lora_A of %v and lora_B of %v on the %d experts of a tensor of %v", a, b, experts, t.Shape)
	}
	rows, cols := shape[0], shape[1]
	straight := b[0] == p.piece.parts*rows && a[1] == cols
	turned := a[1] == p.piece.parts*rows && b[0] == cols
	switch {
	case straight && turned && p.piece.parts == 1 && experts > 1:
		if !p.piece.known {
			return nil, fmt.Sprintf("square matrices of %v, and nothing tells their inputs from their outputs", shape)
		}
		turned = in.adapter.widthIsIn(p.piece.inFirst, p.piece.asPEFT) == p.piece.inFirst
	case straight:
		turned = false
	case !turned:
		return nil, fmt.Sprintf("lora_A of %v and lora_B of %v on a tensor of %v", a, b, t.Shape)
	}
	block := func(expert int64) *lora {
		mine := span{p.piece.part * rows, 1, rows}
		up := factor{operand: p.b, rows: span{0, 1, b[0]}, cols: span{expert, experts, rank}}
		down := factor{operand: p.a, rows: span{expert * rank, 1, rank}, cols: span{0, 1, a[1]}}
		l := &lora{rank: rank, rows: rows, cols: cols, scale: in.adapter.scale(p.piece.parameter, rank), turned: turned}
		if turned {
			down.cols, down.transposed, up.transposed = mine, true, true
			l.left, l.right = down, up
		} else {
			up.rows = mine
			l.left, l.right = up, down
		}
		return l
	}
	if p.piece.expert >= 0 {
		return block(p.piece.expert), ""
	}
	if len(t.Shape) == 2 {
		return block(0), ""
	}
	l = &lora{scale: in.adapter.scale(p.piece.parameter, rank)}
	for e := range experts {
		l.blocks = append(l.blocks, block(e))
	}
	return l, ""
}
