package merge

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"

	"github.com/zeebo/xxh3"

	"parfait/internal/stage"
	"parfait/merge/method"
	"parfait/merge/safetensors"
)

// Digests says what Write and Export would make at at: every file of weights, with its size and its hash as a receipt
// has it. Nothing is written; the inputs are read as in Write, and no more is held than there.
func (p *Plan) Digests(ctx context.Context, at map[string]float64, o WriteOptions) (_ []FileInfo, err error) {
	if o.ShardSize <= 0 {
		o.ShardSize = defaultShardSize
	}
	shards, err := p.shards(o.ShardSize)
	if err != nil {
		return nil, formatProblems(p.layoutInput().path, err)
	}
	disk := &digesting{files: map[string]*digestedFile{}}
	for _, s := range shards {
		layout, err := safetensors.NewLayout(s.Tensors, safetensors.FormatPT())
		if err != nil {
			return nil, formatProblems(p.layoutInput().path, err)
		}
		disk.files[s.Name] = &digestedFile{layout: layout, digests: newPartDigests(layout.Tensors()), open: map[runAt]*partial{}}
	}
	out := &output{Output: Output{At: at}, stage: stage.Existing(disk, "")}
	j, err := newJob(p, []*output{out}, o.Workers)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, out.finish(ctx, false)) }()
	if err := out.beginFiles(shards, false); err != nil {
		return nil, err
	}
	j.meter = startMeter("digest", j.bytes(), nil)
	err = j.run(ctx)
	j.meter.end(err == nil)
	if err != nil {
		return nil, err
	}
	if err := p.unchanged(); err != nil {
		return nil, err
	}
	var infos []FileInfo
	for _, s := range shards {
		f := disk.files[s.Name]
		hash := fileDigest(f.layout.Header(), f.digests.tensors, func(i int) []xxh3.Uint128 { return f.digests.sums[i] })
		infos = append(infos, FileInfo{Name: s.Name, Size: f.layout.Size(), Hash: hash})
	}
	return infos, nil
}

// digesting is a disk that keeps of what is written the digests alone.
type digesting struct{ files map[string]*digestedFile }

func (*digesting) Mkdir(string) error          { return nil }
func (*digesting) Rename(string, string) error { return nil }
func (*digesting) SyncDir(string) error        { return nil }
func (*digesting) RemoveAll(string) error      { return nil }
func (d *digesting) Create(path string) (stage.File, error) {
	return d.files[filepath.Base(path)], nil
}

// digestedFile is a file of weights of which the digests are kept. Runs that come in pieces, in any order, are held until
// they are whole.
type digestedFile struct {
	layout  *safetensors.Layout
	digests *partDigests

	mu   sync.Mutex
	open map[runAt]*partial
}

// runAt is a run of a tensor.
type runAt struct {
	tensor int
	run    int64
}

type partial struct {
	bytes []byte
	have  int64
}

func (f *digestedFile) WriteAt(b []byte, off int64) (int, error) {
	n := len(b)
	tensors := f.digests.tensors
	if off < int64(len(f.layout.Header())) {
		return n, nil // known
	}
	for len(b) > 0 {
		t, _ := slices.BinarySearchFunc(tensors, off, func(t safetensors.Tensor, off int64) int {
			if t.Offset+t.Size <= off {
				return -1
			}
			return int(max(0, min(1, t.Offset-off)))
		})
		most := int64(method.ChunkElements) * tensors[t].DType.Bits() / 8
		k := (off - tensors[t].Offset) / most
		begin, size := run(tensors[t], k)
		piece := b[:min(int64(len(b)), begin+size-off)]
		f.take(runAt{t, k}, off-begin, piece, size)
		b, off = b[len(piece):], off+int64(len(piece))
	}
	return n, nil
}

// take takes a piece of a run of so many bytes.
func (f *digestedFile) take(p runAt, at int64, piece []byte, size int64) {
	if int64(len(piece)) < size {
		f.mu.Lock()
		held := f.open[p]
		if held == nil {
			held = &partial{bytes: make([]byte, size)}
			f.open[p] = held
		}
		copy(held.bytes[at:], piece)
		held.have += int64(len(piece))
		whole := held.have == size
		if whole {
			delete(f.open, p)
		}
		f.mu.Unlock()
		if !whole {
			return
		}
		piece = held.bytes
	}
	f.digests.add(p.tensor, p.run*method.ChunkElements, piece)
}

func (*digestedFile) ReadAt([]byte, int64) (int, error) {
	return 0, errors.New("only the digests of what is written are kept")
}
func (*digestedFile) Allocate(int64) error { return nil }
func (*digestedFile) Sync() error          { return nil }
func (*digestedFile) Close() error         { return nil }
