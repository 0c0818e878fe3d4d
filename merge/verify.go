package merge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parfait/internal/stage"
	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// VerifyOptions say how far to go.
type VerifyOptions struct {
	Recompute bool // merge again from the inputs and compare every byte
	SHA256    bool // compare SHA-256 too, where the receipt has it
	// Spec says what to recompute from, given what the receipt says: where its models are now; nil for the same.
	Spec    func(Spec) Spec
	Workers int
}

// Verification is what a check found; a checkpoint is good if there are no Problems.
type Verification struct {
	Dir        string    `json:"dir"`
	Files      int       `json:"files"` // compared with the receipt
	Bytes      int64     `json:"bytes"`
	Recomputed bool      `json:"recomputed"` // and found equal
	Problems   []Problem `json:"problems,omitempty"`
	Receipt    Receipt   `json:"-"`
}

// Verify compares an export with its receipt, and where asked with its inputs. The error says why the
// check could not be made; what the check found is in Problems.
func Verify(ctx context.Context, dir string, o VerifyOptions, progress func(Progress)) (Verification, error) {
	v := Verification{Dir: dir}
	receipt, err := ReadReceipt(dir)
	if err != nil {
		return v, err
	}
	v.Receipt = receipt
	if o.Workers <= 0 {
		o.Workers = defaultWorkers()
	}
	m := startMeter("check", receipt.Bytes(), progress)
	for _, f := range receipt.Outputs {
		problem, err := verifyFile(ctx, dir, f, o, m)
		if err != nil {
			m.end(false)
			return v, err
		}
		if problem != nil {
			v.Problems = append(v.Problems, *problem)
		}
		v.Files++
		v.Bytes += f.Size
	}
	m.end(true)
	strangers, err := unknownWeights(dir, receipt)
	if err != nil {
		return v, err
	}
	v.Problems = append(v.Problems, strangers...)
	if o.Recompute {
		if err := v.recompute(ctx, receipt, o, progress); err != nil {
			return v, err
		}
	}
	return v, nil
}

// unknownWeights are files beside those of the receipt that a program may load in their place.
func unknownWeights(dir string, receipt Receipt) ([]Problem, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, Problem{Code: codes.Open, Where: dir, What: reason(err), Expected: "a folder that can be read", Fix: "check its permissions"}
	}
	known := map[string]bool{}
	for _, f := range receipt.Outputs {
		known[f.Name] = true
	}
	var out []Problem
	for _, e := range entries {
		weights := strings.HasSuffix(e.Name(), ".index.json") || slices.Contains(weightSuffixes, strings.ToLower(filepath.Ext(e.Name())))
		if weights && !known[e.Name()] {
			out = append(out, Problem{Code: codes.Corrupt, Where: filepath.Join(dir, e.Name()), What: "the receipt does not know this file", Expected: "only the weights of the export: programs may load others in their place", Fix: "move it elsewhere"})
		}
	}
	return out, nil
}

// verifyFile compares one file with its line in the receipt.
func verifyFile(ctx context.Context, dir string, f FileInfo, o VerifyOptions, m *meter) (*Problem, error) {
	path := filepath.Join(dir, f.Name)
	if !filepath.IsLocal(f.Name) {
		return &Problem{Code: codes.Receipt, Where: path, What: "the receipt names a file outside its folder", Expected: "files of the export", Fix: "do not trust this receipt"}, nil
	}
	corrupt := func(what string) (*Problem, error) {
		return &Problem{Code: codes.Corrupt, Where: path, What: what, Expected: fmt.Sprintf("%d bytes with the hash %s", f.Size, f.Hash), Fix: "export again, or copy it again from where it is good"}, nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return corrupt(reason(err))
	case info.Size() != f.Size:
		return corrupt(fmt.Sprintf("it has %d bytes", info.Size()))
	}
	var sum string
	if filepath.Ext(f.Name) == ".safetensors" {
		file, err := safetensors.Open(path)
		if err != nil {
			return corrupt(err.Error())
		}
		sum, err = newPartDigests(file.Tensors()).complete(ctx, file, o.Workers, m.add)
		_ = file.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return corrupt(err.Error())
		}
	} else {
		if sum, err = plainDigest(path); err != nil {
			return corrupt(reason(err))
		}
	}
	if sum != f.Hash {
		return corrupt("its hash is " + sum)
	}
	if o.SHA256 && f.SHA != "" {
		slow, err := sha256File(ctx, path)
		if err != nil {
			return nil, err
		}
		if slow != f.SHA {
			return corrupt("its SHA-256 is " + slow)
		}
	}
	return nil, nil
}

// recompute merges again and compares instead of writing.
func (v *Verification) recompute(ctx context.Context, receipt Receipt, o VerifyOptions, progress func(Progress)) error {
	recipe, err := ParseRecipe(filepath.Join(v.Dir, RecipeFile), []byte(receipt.Recipe))
	if err != nil {
		return err
	}
	spec := recipe.Spec()
	if o.Spec != nil {
		spec = o.Spec(spec)
	}
	p, err := NewPlan(ctx, spec)
	if err != nil {
		return err
	}
	defer p.Close() //nolint:errcheck // read only
	if problem := p.recompare(ctx, recipe.At(), v.Dir, receipt.ShardSize, o.Workers, progress); problem != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var found Problem
		if !errors.As(problem, &found) {
			return problem
		}
		v.Problems = append(v.Problems, found)
		return nil
	}
	v.Recomputed = true
	return nil
}

// recompare runs the merge against the files that stand in dir.
func (p *Plan) recompare(ctx context.Context, at map[string]float64, dir string, shardSize int64, workers int, progress func(Progress)) error {
	shards, err := p.shards(shardSize)
	if err != nil {
		return err
	}
	out := &output{Output: Output{At: at, Target: dir}}
	j, err := newJob(p, []*output{out}, workers)
	if err != nil {
		return err
	}
	defer func() { _ = out.finish(ctx, false) }()
	out.stage = stage.Existing(comparison{}, dir)
	if err := out.beginFiles(shards); err != nil {
		return err
	}
	j.meter = startMeter("recompute", j.bytes(), progress)
	err = j.run(ctx)
	j.meter.end(err == nil)
	return err
}

// comparison is a disk that compares what is written with what stands there already.
type comparison struct{}

func (comparison) Mkdir(string) error          { return nil }
func (comparison) Rename(string, string) error { return nil }
func (comparison) SyncDir(string) error        { return nil }
func (comparison) RemoveAll(string) error      { return nil }
func (comparison) Create(path string) (stage.File, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	return comparedFile{f}, nil
}

type comparedFile struct{ *os.File }

func (f comparedFile) Allocate(size int64) error {
	info, err := f.Stat()
	if err == nil && info.Size() != size {
		err = differs(f.Name(), fmt.Sprintf("it has %d bytes, the recipe gives %d", info.Size(), size))
	}
	return err
}

func (f comparedFile) WriteAt(b []byte, off int64) (int, error) {
	have := make([]byte, len(b))
	if _, err := f.ReadAt(have, off); err != nil {
		return 0, differs(f.Name(), err.Error())
	}
	if bytes.Equal(b, have) {
		return len(b), nil
	}
	for i := range b {
		if b[i] != have[i] {
			return i, differs(f.Name(), fmt.Sprintf("byte %d is %#02x, the recipe gives %#02x", off+int64(i), have[i], b[i]))
		}
	}
	return len(b), nil
}

func (comparedFile) Sync() error { return nil }

func differs(path, what string) error {
	return Problem{Code: codes.Mismatch, Where: path, What: what, Expected: "the bytes that the recipe gives", Fix: "the export was changed, or its inputs were: compare their hashes with the receipt"}
}
