package merge

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"sync"
	"sync/atomic"

	"github.com/zeebo/xxh3"

	"parfait/internal/rescue"
	"parfait/merge/method"
	"parfait/merge/safetensors"
)

// digestName describes the hashes in a receipt.
const digestName = "xxh3: XXH3-128 of the file's bytes; for safetensors files XXH3-128 of the XXH3-128 of " +
	"the header (with its 8 bytes of length) followed by those of every run of 131072 elements of each " +
	"tensor in the order of the file, so that a file can be hashed in any order"

// digests are a file's.
type digests struct{ hash, sha string } // sha "" where nobody asked for it

// fileDigest joins the digests of a safetensors file's parts.
func fileDigest(header []byte, tensors []safetensors.Tensor, sums func(i int) []xxh3.Uint128) string {
	h := xxh3.New()
	write := func(sum xxh3.Uint128) {
		b := sum.Bytes()
		_, _ = h.Write(b[:])
	}
	write(xxh3.Hash128(header))
	for i := range tensors {
		for _, sum := range sums(i) {
			write(sum)
		}
	}
	return digestText(h.Sum128())
}

func digestText(sum xxh3.Uint128) string {
	b := sum.Bytes()
	return "xxh3:" + hex.EncodeToString(b[:])
}

// plainDigest is the digest of a file that is no safetensors file, and its SHA-256 where that is wanted.
func plainDigest(ctx context.Context, path string, sha bool) (digests, error) {
	f, err := openRegular(path)
	if err != nil {
		return digests{}, err
	}
	defer f.Close() //nolint:errcheck // read only
	fast, slow := xxh3.New(), sha256.New()
	to := io.Writer(fast)
	if sha {
		to = io.MultiWriter(fast, slow)
	}
	if _, err := io.Copy(to, untilDone(ctx, f)); err != nil {
		return digests{}, err
	}
	out := digests{hash: digestText(fast.Sum128())}
	if sha {
		out.sha = hex.EncodeToString(slow.Sum(nil))
	}
	return out, nil
}

// runs is the number of digests of a tensor.
func runs(t safetensors.Tensor) int64 { return ceil(t.Elements(), method.ChunkElements) }

// run gives the bytes of a tensor's i-th run.
func run(t safetensors.Tensor, i int64) (offset, size int64) {
	most := int64(method.ChunkElements) * t.DType.Bits() / 8
	return t.Offset + i*most, min(most, t.Size-i*most)
}

// partDigests are digests of a safetensors file's tensors, gathered in any order by many workers.
type partDigests struct {
	tensors []safetensors.Tensor
	seen    atomic.Bool // some of the file was read or written

	mu   sync.Mutex
	sums [][]xxh3.Uint128
	have [][]bool
}

func newPartDigests(tensors []safetensors.Tensor) *partDigests {
	d := &partDigests{tensors: tensors, sums: make([][]xxh3.Uint128, len(tensors)), have: make([][]bool, len(tensors))}
	for i, t := range tensors {
		d.sums[i], d.have[i] = make([]xxh3.Uint128, runs(t)), make([]bool, runs(t))
	}
	return d
}

// add takes bytes that were read or written, and their digest if they are exactly one run. Several
// workers may read the same run of an adapter.
func (d *partDigests) add(tensor int, start int64, raw []byte) {
	d.seen.Store(true)
	i := start / method.ChunkElements
	if _, size := run(d.tensors[tensor], i); start%method.ChunkElements != 0 || size != int64(len(raw)) {
		return
	}
	sum := xxh3.Hash128(raw)
	d.mu.Lock()
	d.sums[tensor][i], d.have[tensor][i] = sum, true
	d.mu.Unlock()
}

// read is complete, with SHA-256 where that is wanted.
func (d *partDigests) read(ctx context.Context, r io.ReaderAt, workers int, sha bool, add func(int64)) (digests, error) {
	if sha {
		return d.whole(ctx, r, add)
	}
	hash, err := d.complete(ctx, r, workers, add)
	return digests{hash: hash}, err
}

// whole reads a file from its beginning to its end, once, for both digests.
func (d *partDigests) whole(ctx context.Context, r io.ReaderAt, add func(int64)) (digests, error) {
	header, err := readHeader(r)
	if err != nil {
		return digests{}, err
	}
	// SHA-256 takes a file in order, so that one processor does it while another reads ahead.
	ahead, free := make(chan []byte, 4), make(chan []byte, 4)
	for range cap(free) {
		free <- make([]byte, 8*method.ChunkElements)
	}
	var failed error
	rescue.Go(func() {
		defer close(ahead)
		failed = d.readInOrder(ctx, r, free, ahead)
	})
	h := sha256.New()
	_, _ = h.Write(header)
	for b := range ahead {
		_, _ = h.Write(b)
		if add != nil {
			add(int64(len(b)))
		}
		free <- b[:cap(b)]
	}
	if failed != nil {
		return digests{}, failed
	}
	return digests{fileDigest(header, d.tensors, func(i int) []xxh3.Uint128 { return d.sums[i] }), hex.EncodeToString(h.Sum(nil))}, nil
}

// readInOrder sends every run of a file in its order; a checked file has nothing between them.
func (d *partDigests) readInOrder(ctx context.Context, r io.ReaderAt, free <-chan []byte, to chan<- []byte) error {
	for i, t := range d.tensors {
		for k := range d.sums[i] {
			if err := ctx.Err(); err != nil {
				return err
			}
			offset, size := run(t, int64(k))
			buf := (<-free)[:size]
			if _, err := r.ReadAt(buf, offset); err != nil {
				return err
			}
			d.sums[i][k] = xxh3.Hash128(buf)
			to <- buf
		}
	}
	return nil
}

// complete reads what is missing and returns the file's digest.
func (d *partDigests) complete(ctx context.Context, r io.ReaderAt, workers int, add func(int64)) (string, error) {
	header, err := readHeader(r)
	if err != nil {
		return "", err
	}
	type part struct {
		tensor int
		run    int64
	}
	var todo []part
	for i, have := range d.have {
		for k, h := range have {
			if !h {
				todo = append(todo, part{i, int64(k)})
			}
		}
	}
	var next atomic.Int64
	var mu sync.Mutex
	var failed error
	var wg rescue.Group
	for range min(workers, len(todo)) {
		wg.Go(func() {
			buf := make([]byte, 8*method.ChunkElements)
			for ctx.Err() == nil {
				n := next.Add(1) - 1
				if n >= int64(len(todo)) {
					return
				}
				p := todo[n]
				offset, size := run(d.tensors[p.tensor], p.run)
				if _, err := r.ReadAt(buf[:size], offset); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
				d.sums[p.tensor][p.run] = xxh3.Hash128(buf[:size])
				if add != nil {
					add(size)
				}
			}
		})
	}
	wg.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	if failed != nil {
		return "", failed
	}
	return fileDigest(header, d.tensors, func(i int) []xxh3.Uint128 { return d.sums[i] }), nil
}

// readHeader reads a checked file's header with its length.
func readHeader(r io.ReaderAt) ([]byte, error) {
	var length [8]byte
	if _, err := r.ReadAt(length[:], 0); err != nil {
		return nil, err
	}
	header := make([]byte, 8+binary.LittleEndian.Uint64(length[:]))
	_, err := r.ReadAt(header, 0)
	return header, err
}
