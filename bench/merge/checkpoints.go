package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"

	"parfait/merge/safetensors"
)

// layers gives the tensors of a checkpoint of about so many MiB of bf16: big matrices and small norms,
// as in a language model.
func layers(mib int64) []safetensors.Tensor {
	var out []safetensors.Tensor
	add := func(name string, shape ...int64) {
		out = append(out, safetensors.Tensor{Name: name, DType: safetensors.BF16, Shape: shape})
	}
	for i, left := 0, mib<<20; left > 0; i++ {
		rows := min(4096, left/(2*4096))
		if rows == 0 {
			break
		}
		add(fmt.Sprintf("model.layers.%d.mlp.weight", i), rows, 4096)
		add(fmt.Sprintf("model.layers.%d.norm.weight", i), 4096)
		left -= rows * 2 * 4096
	}
	return out
}

// makeModel writes a checkpoint. Model 0 is a base; the others differ from it in the last four bits of
// every number, as fine-tuned models do.
func makeModel(dir string, tensors []safetensors.Tensor, model uint64) error {
	layout, err := safetensors.NewLayout(tensors, safetensors.FormatPT())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, safetensors.SingleName))
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // closed again below
	if _, err := f.Write(layout.Header()); err != nil {
		return err
	}
	const block = 4 << 20
	start, size := int64(len(layout.Header())), layout.Size()
	var wg sync.WaitGroup
	var mu sync.Mutex
	next, failed := start, error(nil)
	for range 2 {
		wg.Go(func() {
			buf := make([]byte, block)
			for {
				mu.Lock()
				at := next
				next += block
				mu.Unlock()
				if at >= size {
					return
				}
				fill(buf, uint64(at), model)
				if _, err := f.WriteAt(buf[:min(block, size-at)], at); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
			}
		})
	}
	wg.Wait()
	if failed != nil {
		return failed
	}
	return f.Close()
}

// fill makes bf16 numbers of magnitudes from 2⁻⁸ to 1.
func fill(buf []byte, at, model uint64) {
	base, own := rand.NewPCG(at, 0), rand.NewPCG(at, model)
	for i := 0; i < len(buf); i += 8 {
		v := base.Uint64()
		exponents := (v >> 13 & 0x0007000700070007) + 0x0077007700770077
		v = v&0x807f807f807f807f | exponents<<7
		if model > 0 {
			v ^= own.Uint64() & 0x000f000f000f000f
		}
		binary.LittleEndian.PutUint64(buf[i:], v)
	}
}

// makeSparse writes a checkpoint whose data is a hole in the file: zeros that take no space.
func makeSparse(dir string, tensors []safetensors.Tensor) error {
	layout, err := safetensors.NewLayout(tensors, safetensors.FormatPT())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	path := filepath.Join(dir, safetensors.SingleName)
	if err := os.WriteFile(path, layout.Header(), 0o644); err != nil {
		return err
	}
	return os.Truncate(path, layout.Size())
}
