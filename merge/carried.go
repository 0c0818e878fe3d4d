package merge

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"parfait/internal/stage"
	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// carriedShare is the share of a model's bytes, one in so many, that tensors of which nothing can be
// computed may have where their values differ: above it the merge is hardly one of these models.
const carriedShare = 10

// compareCarried reads the tensors on which nothing is computed (integers, 8-bit floats) and says where
// a model has other values than the layout, whose values the output gets.
func (p *Plan) compareCarried(ctx context.Context, found *problems) {
	first := p.layoutInput()
	for i, m := range p.models {
		if m == first || m.adapter != nil {
			continue
		}
		var differ int64
		var names []string
		dtypes := map[string]bool{}
		for _, t := range p.tensors {
			if ctx.Err() != nil {
				return
			}
			o := t.models[i]
			if t.role != roleCarried || !o.present() {
				continue
			}
			same, err := sameValues(t.layout, o)
			if err != nil {
				found.take(codes.Read, m.name, err)
				return
			}
			if !same {
				differ += t.bytes()
				names = append(names, t.Name)
				dtypes[t.layout.tensor.DType.String()] = true
				dtypes[o.tensor.DType.String()] = true
			}
		}
		if len(names) == 0 {
			continue
		}
		names = patternsOf(names, first.set.Names())
		what := fmt.Sprintf("tensors of the dtypes %s have other values than in %s: %s", some(sortedKeys(dtypes)), first.name, some(names))
		if differ*carriedShare > p.Bytes() {
			found.add(codes.Integers, m.name, what+fmt.Sprintf(", %s of %s", stage.Bytes(differ), stage.Bytes(p.Bytes())), "weights in BF16, F16, F32 or F64: nothing is computed on these",
				"convert the models to bf16 first; or, if these are no weights, take them from "+first.name+" with skip: ["+quoted(names)+"]")
			continue
		}
		found.warn(codes.Integers, m.name, what, "equal ones: nothing is computed on these", "the output gets those of "+first.name)
	}
}

// sameValues says whether two operands are the same bytes of the same kind.
func sameValues(a, b operand) (bool, error) {
	if a.tensor.DType != b.tensor.DType || !slices.Equal(a.tensor.Shape, b.tensor.Shape) {
		return false, nil
	}
	x, y := make([]byte, min(a.tensor.Size, 1<<20)), make([]byte, min(a.tensor.Size, 1<<20))
	for at := int64(0); at < a.tensor.Size; at += int64(len(x)) {
		n := min(int64(len(x)), a.tensor.Size-at)
		for _, o := range []struct {
			file *safetensors.File
			into []byte
			from int64
		}{{a.file, x[:n], a.tensor.Offset}, {b.file, y[:n], b.tensor.Offset}} {
			if _, err := o.file.ReadAt(o.into, o.from+at); err != nil {
				return false, Problem{Code: codes.Read, Where: o.file.Path(), What: err.Error(), Expected: "a file that can be read to its end", Fix: "the file was cut short or the disk fails: take a good copy"}
			}
		}
		if !bytes.Equal(x[:n], y[:n]) {
			return false, nil
		}
	}
	return true, nil
}
