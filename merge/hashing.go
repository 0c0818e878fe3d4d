package merge

import (
	"context"
	"path/filepath"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// hashing gathers digests of inputs and outputs while a job runs, so that nothing is read for it alone.
type hashing struct {
	inputs  map[*safetensors.File]*fileParts
	outputs [][]*fileParts // output, file
}

// fileParts are the digests of one file, found by tensor's name.
type fileParts struct {
	*partDigests
	index map[string]int
}

func newFileParts(tensors []safetensors.Tensor) *fileParts {
	f := &fileParts{newPartDigests(tensors), make(map[string]int, len(tensors))}
	for i, t := range tensors {
		f.index[t.Name] = i
	}
	return f
}

// hashAll makes a job hash what it reads and writes. It is called when the outputs have begun.
func (j *job) hashAll() {
	h := &hashing{inputs: map[*safetensors.File]*fileParts{}}
	for _, in := range j.plan.inputs() {
		for _, f := range in.set.Files() {
			h.inputs[f] = newFileParts(f.Tensors())
		}
	}
	for _, out := range j.outs {
		var files []*fileParts
		for _, f := range out.files {
			files = append(files, newFileParts(f.layout.Tensors()))
		}
		h.outputs = append(h.outputs, files)
	}
	j.hash = h
}

// inputs are the base and the models.
func (p *Plan) inputs() []*input {
	var out []*input
	if p.base != nil {
		out = append(out, p.base)
	}
	return append(append(out, p.models...), p.aux...)
}

func (h *hashing) read(o operand, start int64, raw []byte) {
	if h != nil {
		f := h.inputs[o.file]
		f.add(f.index[o.tensor.Name], start, raw)
	}
}

func (h *hashing) wrote(output, file int, tensor string, start int64, raw []byte) {
	if h != nil {
		f := h.outputs[output][file]
		f.add(f.index[tensor], start, raw)
	}
}

// InputFiles is one input of a merge in a receipt.
type InputFiles struct {
	Name  string     `json:"name"`
	Path  string     `json:"path"`
	Read  bool       `json:"read"` // false: its weight was zero everywhere, and nothing of it was read
	Files []FileInfo `json:"files"`
}

// receiptInputs completes the digests of the inputs that were read.
func (j *job) receiptInputs(ctx context.Context) ([]InputFiles, error) {
	var out []InputFiles
	for _, in := range j.plan.inputs() {
		files := InputFiles{Name: in.name, Path: j.plan.workshop.name(whereIs(in.path))}
		for _, f := range in.set.Files() {
			files.Read = files.Read || j.hash.inputs[f].seen.Load()
		}
		for _, f := range in.set.Files() {
			info := FileInfo{Name: filepath.Base(f.Path()), Size: f.Size()}
			if files.Read {
				sum, err := j.hash.inputs[f].complete(ctx, f, j.workers, nil)
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				if err != nil {
					return nil, Problem{Code: codes.Read, Where: f.Path(), What: err.Error(), Expected: "a file that can be read to its end", Fix: "take a good copy"}
				}
				info.Hash = sum
			}
			files.Files = append(files.Files, info)
		}
		out = append(out, files)
	}
	return out, nil
}
