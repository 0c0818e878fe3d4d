package merge

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"parfait/merge/safetensors"
	"parfait/visible"
)

// ExportOptions say how to export; the zero value is right for most.
type ExportOptions struct {
	ShardSize int64 // bytes of tensors a file; 0: 5 GB
	Workers   int
	SHA256    bool   // add SHA-256 of every file to the receipt: slow, for publishing
	Comment   string // lines at the top of recipe.yaml
	// Files gives more files for the folder when everything else in it has been written and checked;
	// the folder appears with them. One called receipt.json takes the place of the receipt and must
	// keep its fields.
	Files func(Receipt) (map[string][]byte, error)

	disk disk
}

// Names of the files that an export adds to a checkpoint.
const (
	RecipeFile  = "recipe.yaml"
	ReceiptFile = "receipt.json"
)

// Export writes one checkpoint so that it can be relied on: staged beside the target, on the disk,
// read back and compared with what was computed, and renamed in one step. Whatever goes wrong, there
// is either the whole folder or no trace of it.
func (p *Plan) Export(ctx context.Context, at map[string]float64, target string, o ExportOptions, progress func(Progress)) (Receipt, error) {
	var receipt Receipt
	w := WriteOptions{Durable: true, Workers: o.Workers, ShardSize: o.ShardSize, disk: o.disk, hash: true}
	w.before = func(ctx context.Context, j *job) (err error) {
		receipt, err = j.seal(ctx, o, at, progress)
		return err
	}
	_, err := p.Write(ctx, []Output{{At: at, Target: target}}, w, progress)
	return receipt, err
}

// seal checks the staged folder, writes recipe and receipt, and adds the caller's files.
func (j *job) seal(ctx context.Context, o ExportOptions, at map[string]float64, progress func(Progress)) (Receipt, error) {
	out := j.outs[0]
	recipe := j.plan.Recipe(at)
	if err := out.addFile(RecipeFile, recipe.WithComment(o.Comment).YAML(), true); err != nil {
		return Receipt{}, err
	}
	r := Receipt{
		Version: ReceiptVersion, Tool: "parfait", ToolVersion: toolVersion(), Created: time.Now().UTC().Truncate(time.Second),
		Method: j.plan.r.spec.Method, At: at, Recipe: string(recipe.YAML()), DType: j.plan.dtypeWritten(),
		ShardSize: j.shardSize, Digest: DigestName, Warnings: j.plan.warnings, Tensors: j.plan.counts(),
		Sparsity: j.sparsity(0), Notes: j.notes,
	}
	var err error
	if r.Outputs, err = j.readBack(ctx, out, progress); err != nil {
		return Receipt{}, err
	}
	if r.Inputs, err = j.receiptInputs(ctx); err != nil {
		return Receipt{}, err
	}
	if o.SHA256 {
		if err := r.addSHA256(ctx, j, out); err != nil {
			return Receipt{}, err
		}
	}
	for _, in := range j.plan.inputs() {
		if err := in.unchanged(); err != nil {
			return Receipt{}, err
		}
	}
	files := map[string][]byte{}
	if o.Files != nil {
		if files, err = o.Files(r); err != nil {
			return Receipt{}, fmt.Errorf("export %s: %w", out.Target, err)
		}
	}
	if files[ReceiptFile] == nil {
		data, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return Receipt{}, fmt.Errorf("receipt of %s: %w", out.Target, err)
		}
		if err := out.addFile(ReceiptFile, []byte(visible.Text(string(data))+"\n"), true); err != nil {
			return Receipt{}, err
		}
	}
	for _, name := range sortedKeys(files) {
		if err := out.addFile(name, files[name], true); err != nil {
			return Receipt{}, err
		}
	}
	return r, nil
}

// readBack reads every staged file from the disk and compares it with what was computed.
func (j *job) readBack(ctx context.Context, out *output, progress func(Progress)) ([]FileInfo, error) {
	var total int64
	for _, f := range out.files {
		total += f.layout.Size()
	}
	m := startMeter("check", total, progress)
	infos, err := j.readBackFiles(ctx, out, m)
	m.end(err == nil)
	return infos, err
}

func (j *job) readBackFiles(ctx context.Context, out *output, m *meter) ([]FileInfo, error) {
	var infos []FileInfo
	for i, f := range out.files {
		file, err := safetensors.Open(f.path)
		if err != nil {
			return nil, Problem{CodeMismatch, f.path, "what was written cannot be read back: " + err.Error(), "the file that was written", "check the disk; nothing was left behind"}
		}
		dropCache(f.path)
		written := j.hash.outputs[0][i]
		back := newPartDigests(file.Tensors())
		sum, err := back.complete(ctx, file, j.workers, m.add)
		if closeErr := file.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, Problem{CodeMismatch, f.path, "what was written cannot be read back: " + err.Error(), "the file that was written", "check the disk; nothing was left behind"}
		}
		if t, ok := written.differs(back); ok {
			return nil, Problem{CodeMismatch, f.path + ": " + t, "the disk gives back other bytes than were written", "the same bytes", "do not trust this disk; nothing was left behind"}
		}
		infos = append(infos, FileInfo{Name: f.name, Size: f.layout.Size(), Hash: sum})
	}
	for _, f := range out.extra {
		sum, err := plainDigest(out.stage.path(f.Name))
		if err != nil {
			return nil, Problem{CodeMismatch, f.Name, "what was written cannot be read back: " + reason(err), "the file that was written", "check the disk; nothing was left behind"}
		}
		if sum != f.Hash {
			return nil, Problem{CodeMismatch, f.Name, "the disk gives back other bytes than were written", "the same bytes", "do not trust this disk; nothing was left behind"}
		}
		infos = append(infos, f)
	}
	return infos, nil
}

// differs names the first tensor whose digests are not the same.
func (d *fileParts) differs(back *partDigests) (string, bool) {
	for i, t := range back.tensors {
		k, ok := d.index[t.Name]
		if !ok {
			return t.Name, true
		}
		for n := range back.sums[i] {
			if d.have[k][n] && d.sums[k][n] != back.sums[i][n] {
				return t.Name, true
			}
		}
	}
	return "", len(back.tensors) != len(d.tensors)
}
