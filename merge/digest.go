package merge

import (
	"context"
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

// plainDigest is the digest of a file that is no safetensors file.
func plainDigest(path string) (string, error) {
	f, err := openRegular(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // read only
	h := xxh3.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return digestText(h.Sum128()), nil
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
