package merge

import (
	"context"
	"errors"
	"time"

	"parfait/internal/stage"
	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// ExportOptions say how to export; the zero value is right for most.
type ExportOptions struct {
	ShardSize int64 // bytes of tensors a file; 0: 5 GB
	Workers   int
	SHA256    *bool  // add SHA-256 of every file to the receipt; nil: where FastSHA256
	Comment   string // lines at the top of recipe.yaml
	Owner     string // as in WriteOptions

	disk stage.Disk
}

// Names of the files that an export adds to a checkpoint.
const (
	RecipeFile    = "recipe.yaml"
	ReceiptFile   = "receipt.json"
	SignatureFile = ReceiptFile + ".sig" // where somebody has signed it
)

// Export writes one checkpoint so that it can be relied on: staged beside the target, on the disk,
// read back and compared with what was computed, and renamed in one step, with its recipe and receipt.
// Whatever goes wrong, there is either the whole folder or no trace of it. It is Stage, Add and Commit.
func (p *Plan) Export(ctx context.Context, at map[string]float64, target string, o ExportOptions, progress func(Progress)) (Receipt, error) {
	s, err := p.Stage(ctx, at, target, o, progress)
	if err != nil {
		return Receipt{}, err
	}
	data, err := s.Receipt().JSON()
	if err == nil {
		err = s.Add(ReceiptFile, data)
	}
	if err != nil {
		return Receipt{}, errors.Join(err, s.Discard())
	}
	return s.Receipt(), s.Commit(ctx)
}

// Staged is a checkpoint that is written, on the disk and checked, in a folder that has not appeared yet.
// Add files to it, among them its receipt, and end it with Commit or Discard.
type Staged struct {
	job     *job
	receipt Receipt
}

// Stage writes a checkpoint into a folder beside its target and reads it back. With an error nothing is left.
func (p *Plan) Stage(ctx context.Context, at map[string]float64, target string, o ExportOptions, progress func(Progress)) (*Staged, error) {
	w := WriteOptions{Durable: true, Workers: o.Workers, ShardSize: o.ShardSize, Owner: o.Owner, disk: o.disk, hash: true}
	j, err := p.stage(ctx, []Output{{At: at, Target: target}}, w, progress)
	if err != nil {
		return nil, err
	}
	s := &Staged{job: j}
	if s.receipt, err = j.seal(ctx, 0, o, progress); err != nil {
		return nil, errors.Join(err, j.abandon())
	}
	return s, nil
}

// Receipt says where the checkpoint comes from and what is in its files. Files that were added are not in it.
func (s *Staged) Receipt() Receipt { return s.receipt }

// Add puts a small file beside the weights.
func (s *Staged) Add(name string, data []byte) error { return s.job.outs[0].addFile(name, data, true) }

// Commit makes the folder appear under its name, in one step. With an error nothing is left.
func (s *Staged) Commit(ctx context.Context) error { return s.job.commit(ctx, true) }

// Discard leaves nothing.
func (s *Staged) Discard() error { return s.job.abandon() }

// seal writes the recipe of an output, checks its staged folder and says what is in it.
func (j *job) seal(ctx context.Context, k int, o ExportOptions, progress func(Progress)) (r Receipt, err error) {
	out := j.outs[k]
	at := out.At
	recipe := j.plan.Recipe(at)
	if err := out.addFile(RecipeFile, recipe.WithComment(o.Comment).YAML(), true); err != nil {
		return Receipt{}, err
	}
	r = Receipt{
		Version: receiptVersion, Tool: "parfait", ToolVersion: toolVersion(), Created: time.Now().UTC().Truncate(time.Second),
		Method: j.plan.r.spec.Method, At: at, Recipe: string(recipe.YAML()), DType: j.plan.dtypeWritten(),
		ShardSize: j.shardSize, Digest: digestName, Warnings: j.plan.warnings, Tensors: j.plan.counts(),
		Sparsity: j.sparsity(k), Cut: j.cut(k), Notes: j.notes,
	}
	if r.Inputs, err = j.receiptInputs(ctx); err != nil {
		return Receipt{}, err
	}
	if j.plan.workshop != nil {
		r.Steps = j.plan.workshop.made
	}
	if wanted(o.SHA256) {
		if err := r.addSHA256(ctx, j, progress); err != nil {
			return Receipt{}, err
		}
	}
	if r.Outputs, err = j.readBack(ctx, k, wanted(o.SHA256), progress); err != nil {
		return Receipt{}, err
	}
	if err := j.plan.unchanged(); err != nil {
		return Receipt{}, err
	}
	return r, nil
}

// readBack reads every staged file from the disk and compares it with what was computed.
func (j *job) readBack(ctx context.Context, k int, sha bool, progress func(Progress)) ([]FileInfo, error) {
	out := j.outs[k]
	var total int64
	for _, f := range out.files {
		total += f.layout.Size()
	}
	infos := make([]FileInfo, len(out.files)+len(out.extra))
	m := startMeter("check", total, progress)
	atOnce := 1
	if sha {
		atOnce = j.workers // SHA-256 is one processor's a file
	}
	err := each(atOnce, len(infos), func(i int) (err error) {
		if i < len(out.files) {
			infos[i], err = j.readBackWeights(ctx, out.files[i], j.hash.outputs[k][i], sha, m)
		} else {
			infos[i], err = readBackPlain(ctx, out, out.extra[i-len(out.files)], sha)
		}
		return err
	})
	m.end(err == nil)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return infos, err
}

func (j *job) readBackWeights(ctx context.Context, f weightFile, written *fileParts, sha bool, m *meter) (FileInfo, error) {
	file, err := safetensors.Open(f.path)
	if err != nil {
		return FileInfo{}, unreadable(f.path, err.Error())
	}
	back := newPartDigests(file.Tensors())
	var sum digests
	disk, err := stage.OpenUncached(f.path)
	if err == nil {
		sum, err = back.read(ctx, disk, j.workers, sha, m.add)
		err = errors.Join(err, disk.Close())
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return FileInfo{}, unreadable(f.path, err.Error())
	}
	if t, ok := written.differs(back); ok {
		return FileInfo{}, readBackDiffers(f.path + ": " + t)
	}
	return FileInfo{Name: f.name, Size: f.layout.Size(), Hash: sum.hash, SHA: sum.sha}, nil
}

func readBackPlain(ctx context.Context, out *output, f FileInfo, sha bool) (FileInfo, error) {
	sum, err := plainDigest(ctx, out.stage.Path(f.Name), sha)
	if err != nil {
		return FileInfo{}, unreadable(f.Name, reason(err))
	}
	if sum.hash != f.Hash {
		return FileInfo{}, readBackDiffers(f.Name)
	}
	f.SHA = sum.sha
	return f, nil
}

func readBackDiffers(where string) error {
	return Problem{Code: codes.Mismatch, Where: where, What: "the disk gives back other bytes than were written", Expected: "the same bytes", Fix: "do not trust this disk; nothing was left behind"}
}

// unreadable says that the disk does not give back what was written to it.
func unreadable(path, why string) Problem {
	return Problem{Code: codes.Mismatch, Where: path, What: "what was written cannot be read back: " + why, Expected: "the file that was written", Fix: "check the disk; nothing was left behind"}
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
