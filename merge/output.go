package merge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/zeebo/xxh3"

	"parfait/internal/rescue"
	"parfait/internal/stage"
	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// Output is one checkpoint to be written.
type Output struct {
	At     map[string]float64 // a value for every required coefficient, and for others if wanted
	Target string             // the folder to make; it must not exist, its parent must
}

// Written is a checkpoint that stands under its name.
type Written struct {
	Target string
	Bytes  int64 // of all files
	Files  []FileInfo
	Notes  []string  // what the method has to say
	Zeros  *Sparsity // where masks are kept
	Cut    *Cut      // where an adapter was brought to Spec.MaxRank
}

// FileInfo is one file of a checkpoint or of an input.
type FileInfo struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
	Hash string `json:"hash,omitempty"` // see Digest
	SHA  string `json:"sha256,omitempty"`
}

// output is one checkpoint while it is written.
type output struct {
	Output
	stage  *stage.Folder
	token  string // of whoever writes it
	files  []weightFile
	places map[string]place
	extra  []FileInfo
}

// weightFile is one safetensors file of an output.
type weightFile struct {
	name   string
	path   string
	layout *safetensors.Layout
	file   stage.File
}

// place is where a tensor's bytes begin.
type place struct {
	file   int
	offset int64
}

// shards lays the output's tensors out in files, the same for every output of a plan.
func (p *Plan) shards(most int64) ([]safetensors.Shard, error) {
	list := make([]safetensors.Tensor, len(p.tensors))
	for i, t := range p.tensors {
		list[i] = safetensors.Tensor{Name: t.outName(), DType: t.out, Shape: t.Shape}
	}
	if p.r.spec.Form == FormAdapter {
		return []safetensors.Shard{{Name: adapterWeights, Tensors: append(list, p.factorTensors()...)}}, nil
	}
	return safetensors.Split(list, most)
}

// begin makes the staging folder and the weight files, headers written and space taken.
func (o *output) begin(d stage.Disk, shards []safetensors.Shard, durable bool) error {
	var err error
	if o.stage, err = stage.New(d, o.Target, o.token); err != nil {
		return writeProblem(o.Target, err)
	}
	if err := o.beginFiles(shards, durable); err != nil {
		return err
	}
	return o.addIndex(shards, durable)
}

// addIndex writes the index, where there is more than one weight file.
func (o *output) addIndex(shards []safetensors.Shard, durable bool) error {
	if len(shards) == 1 {
		return nil
	}
	index, err := safetensors.Index(shards)
	if err != nil {
		return formatProblems(o.Target, err)
	}
	return o.addFile(safetensors.IndexName, index, durable)
}

// beginFiles makes the weight files; durable ones will be synced.
func (o *output) beginFiles(shards []safetensors.Shard, durable bool) error {
	o.places = map[string]place{}
	for i, s := range shards {
		layout, err := safetensors.NewLayout(s.Tensors, safetensors.FormatPT())
		if err != nil {
			return formatProblems(o.Target, err)
		}
		path := o.stage.Path(s.Name)
		f, err := o.stage.Create(s.Name)
		if err != nil {
			return writeProblem(path, err)
		}
		if durable {
			f = stage.Ahead(f)
		}
		o.files = append(o.files, weightFile{s.Name, path, layout, f})
		if err := f.Allocate(layout.Size()); err != nil {
			return writeProblem(path, err)
		}
		if _, err := f.WriteAt(layout.Header(), 0); err != nil {
			return writeProblem(path, err)
		}
		for _, t := range layout.Tensors() {
			o.places[t.Name] = place{i, t.Offset}
		}
	}
	return nil
}

// addFile writes a small file into the staging folder.
func (o *output) addFile(name string, data []byte, durable bool) error {
	return o.addFrom(name, bytes.NewReader(data), durable)
}

// addFrom is addFile for what a reader gives.
func (o *output) addFrom(name string, from io.Reader, durable bool) error {
	h := xxh3.New()
	size, err := o.stage.Write(name, io.TeeReader(from, h), durable)
	var unread *stage.ReadError
	switch path := o.stage.Path(name); {
	case errors.As(err, &unread):
		return Problem{Code: codes.Read, Where: path, What: "what is to be copied there cannot be read: " + reason(unread.Err), Expected: "a file that can be read to its end", Fix: "take a good copy"}
	case err != nil:
		return writeProblem(path, err)
	}
	o.extra = append(o.extra, FileInfo{Name: name, Size: size, Hash: digestText(h.Sum128())})
	return nil
}

// finish closes the weight files, on the disk if durable. A cancelled context does not wait for the
// disk.
func (o *output) finish(ctx context.Context, durable bool) error {
	var errs []error
	for i := range o.files {
		f := &o.files[i]
		if f.file == nil {
			continue
		}
		if durable {
			if err := syncUnless(ctx, f.file); err != nil {
				errs = append(errs, writeProblem(f.path, err))
			}
		}
		if err := f.file.Close(); err != nil {
			errs = append(errs, writeProblem(f.path, err))
		}
		f.file = nil
	}
	return errors.Join(errs...)
}

// syncUnless waits for a file to be on the disk, or for the context to end: gigabytes take a while.
func syncUnless(ctx context.Context, f stage.File) error {
	done := make(chan error, 1)
	rescue.Go(func() { done <- f.Sync() })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// abandon closes and removes everything.
func (o *output) abandon() error {
	if o.stage == nil {
		return nil
	}
	for i := range o.files {
		if f := &o.files[i]; f.file != nil {
			_ = f.file.Close()
			f.file = nil
		}
	}
	if err := o.stage.Discard(); err != nil {
		return writeProblem(o.Target, err)
	}
	return nil
}

// written describes the finished checkpoint.
func (o *output) written() Written {
	w := Written{Target: o.Target}
	for _, f := range o.files {
		w.Files = append(w.Files, FileInfo{Name: f.name, Size: f.layout.Size()})
	}
	w.Files = append(w.Files, o.extra...)
	for _, f := range w.Files {
		w.Bytes += f.Size
	}
	return w
}

// writeProblem says what a failed write means to a person.
func writeProblem(path string, err error) error {
	var known Problem
	var staged *stage.Error
	if errors.As(err, &staged) {
		path = staged.Path
	}
	var errno syscall.Errno
	_ = errors.As(err, &errno)
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return Problem{Code: codes.Space, Where: path, What: "it cannot be written: " + reason(err), Err: nilIf(errno), Fix: "make room or write somewhere else (`df -h` and `df -i` show what is free, `quota -s` what you may use); nothing was left behind"}
	case errors.Is(err, syscall.EFBIG):
		return Problem{Code: codes.Write, Where: path, What: "it would be larger than a file may be: " + reason(err), Err: nilIf(errno), Fix: "raise the limit with `ulimit -f unlimited` in the same shell; nothing was left behind"}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return Problem{Code: codes.Permission, Where: path, What: "it may not be written: " + reason(err), Err: nilIf(errno), Expected: "a folder that may be written", Fix: "choose another folder or change its permissions"}
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.ENOTEMPTY):
		return Problem{Code: codes.Exists, Where: path, What: "it exists already", Expected: "a new folder: nothing is ever overwritten", Fix: "choose another name or move the old one away"}
	}
	return Problem{Code: codes.Write, Where: path, What: "it cannot be written: " + reason(err), Err: nilIf(errno), Fix: "check the disk; nothing was left behind"}
}

// nilIf is the error of the system, nil where there is none.
func nilIf(e syscall.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}

// parent is the folder that the target is made in.
func parent(target string) string { return filepath.Dir(filepath.Clean(target)) }
