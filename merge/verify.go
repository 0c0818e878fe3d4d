package merge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"parfait/internal/stage"
	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// VerifyOptions say how far to go.
type VerifyOptions struct {
	Recompute bool  // merge again from the inputs and compare every byte
	SHA256    *bool // compare SHA-256 too, where the receipt has it; nil: where FastSHA256
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
	Checked    []Check   `json:"checked"`    // and found right
	Unchecked  []Gap     `json:"unchecked"`
	Problems   []Problem `json:"problems,omitempty"`
	Receipt    Receipt   `json:"-"`
	Text       []byte    `json:"-"` // of the receipt, as it was read
}

// Check is one thing that was compared.
type Check struct {
	What    string `json:"what"`
	Against string `json:"against"`
	By      string `json:"by"` // SHA-256, XXH3-128, every byte
}

// Gap is what a verification says nothing about.
type Gap struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// Found notes problems, or that there are none.
func (v *Verification) Found(c Check, problems ...Problem) {
	if v.Problems = append(v.Problems, problems...); len(problems) == 0 {
		v.Checked = append(v.Checked, c)
	}
}

// Leaves notes what was not checked.
func (v *Verification) Leaves(what, why string) { v.Unchecked = append(v.Unchecked, Gap{what, why}) }

// Verify compares an export with its receipt, and where asked with its inputs. The error says why the
// check could not be made; what the check found is in Problems. Whether the receipt itself is what was once
// written is known to whoever keeps its hash or its signature: here it is compared with its own hash only.
func Verify(ctx context.Context, dir string, o VerifyOptions, progress func(Progress)) (Verification, error) {
	v := Verification{Dir: dir, Checked: []Check{}, Unchecked: []Gap{}}
	var err error
	if v.Receipt, v.Text, err = readReceipt(dir); err != nil {
		return v, err
	}
	if o.Workers <= 0 {
		o.Workers = defaultWorkers()
	}
	if err := v.files(ctx, o, progress); err != nil {
		return v, err
	}
	if err := v.documents(ctx); err != nil {
		return v, err
	}
	if err := v.strangers(); err != nil {
		return v, err
	}
	v.self()
	if o.Recompute {
		if err := v.recompute(ctx, v.Receipt, o, progress); err != nil {
			return v, err
		}
	}
	return v, nil
}

// files compares what was written with the receipt.
func (v *Verification) files(ctx context.Context, o VerifyOptions, progress func(Progress)) error {
	sha, atOnce := wanted(o.SHA256), 1
	if sha {
		atOnce = o.Workers // SHA-256 is one processor's a file
	}
	outputs := v.Receipt.Outputs
	problems := make([]*Problem, len(outputs))
	m := startMeter("check", v.Receipt.Bytes(), progress)
	err := each(atOnce, len(outputs), func(i int) (err error) {
		f := outputs[i]
		if !sha {
			f.SHA = ""
		}
		problems[i], err = verifyFile(ctx, v.Dir, f, o.Workers, m)
		return err
	})
	m.end(err == nil)
	if err != nil {
		return err
	}
	var found []Problem
	unsure := 0
	for i, f := range outputs {
		if problems[i] != nil {
			found = append(found, *problems[i])
		}
		if f.SHA == "" {
			unsure++
		}
		v.Files++
		v.Bytes += f.Size
	}
	by := "SHA-256 and XXH3-128"
	switch what := "whether a file was changed on purpose"; {
	case unsure > 0:
		by = "XXH3-128"
		v.Leaves(what, fmt.Sprintf("the receipt has no SHA-256 of %d of %d files, and XXH3 shows decay and torn copies, not what people do", unsure, len(outputs)))
	case !sha:
		by = "XXH3-128"
		v.Leaves(what, "SHA-256 was not asked for (--sha256), and XXH3 shows decay and torn copies, not what people do")
	}
	v.Found(Check{"weights, recipe, configuration, tokenizer", ReceiptFile, by}, found...)
	return nil
}

// documents compares what is written anew with each receipt.
func (v *Verification) documents(ctx context.Context) error {
	for _, d := range v.Receipt.Documents {
		path, c := filepath.Join(v.Dir, d.Name), Check{d.Name, ReceiptFile, "SHA-256"}
		if !filepath.IsLocal(d.Name) {
			v.Found(c, outside(path))
			continue
		}
		sum, err := plainDigest(ctx, path, true)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && sum.sha == d.SHA:
			v.Found(c)
			v.Files++
			v.Bytes += d.Size
		case err == nil && d.Before != "" && sum.sha == d.Before:
			c.Against = "what " + ReceiptFile + " says was there before"
			v.Found(c)
			v.Leaves("what "+d.Name+" lacks", "it is from before the last measurement: the program ended between writing the receipt and writing it; the figures stand in "+ReceiptFile)
		default:
			what := "its SHA-256 is " + sum.sha
			if err != nil {
				what = reason(err)
			}
			v.Found(c, Problem{Code: codes.Corrupt, Where: path, What: what, Expected: "what the export wrote, with the SHA-256 " + d.SHA, Fix: "copy it again from where it is good; words of your own belong in another file"})
		}
	}
	return nil
}

// self compares the receipt with its hash over itself.
func (v *Verification) self() {
	has, right := checkSelf(v.Text)
	switch path := filepath.Join(v.Dir, ReceiptFile); {
	case right:
		v.Found(Check{ReceiptFile, "its hash over itself", "SHA-256"})
	case has:
		v.Found(Check{}, Problem{Code: codes.Corrupt, Where: path, What: "it was changed since it was written", Expected: "the bytes that its self_hash was made of", Fix: "copy it again from where it is good"})
	default:
		v.Leaves(ReceiptFile+" and the model card", "an earlier version of the program wrote the receipt, without a hash over itself and of the card")
	}
}

// outside says that a receipt's file is not in the export.
func outside(path string) Problem {
	return Problem{Code: codes.Receipt, Where: path, What: "the receipt names a file outside its folder", Expected: "files of the export", Fix: "do not trust this receipt"}
}

// verifyFile compares one file with its line in the receipt.
func verifyFile(ctx context.Context, dir string, f FileInfo, workers int, m *meter) (*Problem, error) {
	path := filepath.Join(dir, f.Name)
	if !filepath.IsLocal(f.Name) {
		p := outside(path)
		return &p, nil
	}
	corrupt := func(what string) (*Problem, error) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return &Problem{Code: codes.Corrupt, Where: path, What: what, Expected: fmt.Sprintf("%d bytes with the hash %s", f.Size, f.Hash), Fix: "export again, or copy it again from where it is good"}, nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return corrupt(reason(err))
	case info.Size() != f.Size:
		return corrupt(fmt.Sprintf("it has %d bytes", info.Size()))
	}
	sum, err := fileDigests(ctx, dir, f.Name, workers, f.SHA != "", m)
	switch {
	case err != nil:
		return corrupt(reason(err))
	case sum.hash != f.Hash:
		return corrupt("its hash is " + sum.hash)
	case sum.sha != f.SHA:
		return corrupt("its SHA-256 is " + sum.sha + ", where the receipt has " + f.SHA)
	}
	return nil, nil
}

// fileDigests are the digests of a file that is a checkpoint's, weights or not.
// Weights in folders beside the model's own were copied as they are.
func fileDigests(ctx context.Context, dir, name string, workers int, sha bool, m *meter) (digests, error) {
	path := filepath.Join(dir, name)
	if filepath.Ext(name) != ".safetensors" || filepath.Dir(name) != "." {
		return plainDigest(ctx, path, sha)
	}
	file, err := safetensors.Open(path)
	if err != nil {
		return digests{}, err
	}
	sum, err := newPartDigests(file.Tensors()).read(ctx, file, workers, sha, m.add)
	return sum, errors.Join(err, file.Close())
}

// recompute merges again and compares instead of writing.
func (v *Verification) recompute(ctx context.Context, receipt Receipt, o VerifyOptions, progress func(Progress)) error {
	recipe, err := ParseRecipe(filepath.Join(v.Dir, RecipeFile), []byte(receipt.Recipe))
	if err != nil {
		return err
	}
	again := *recipe
	if o.Spec != nil {
		again = again.Mapped(o.Spec)
	}
	p, err := again.Plan(ctx, filepath.Clean(v.Dir)+"-again", o.Workers, progress)
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
		v.Found(Check{}, found)
		return nil
	}
	v.Recomputed = true
	v.Found(Check{"weights", "a merge from the inputs, done again", "every byte"})
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
	if err := out.beginFiles(shards, false); err != nil {
		return err
	}
	if err := j.prepareMatrices(ctx, progress); err != nil {
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
