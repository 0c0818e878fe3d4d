package stage

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// Whatever is read of a file past the cache, at whatever place, is what the file has there, up to its end.
func TestUncached(t *testing.T) {
	for _, folder := range []string{t.TempDir(), "/dev/shm"} {
		if _, err := os.Stat(folder); err != nil {
			continue
		}
		random := rand.New(rand.NewPCG(1, 2))
		for _, size := range []int{0, 1, 511, 4095, 4096, 4097, 300_001} {
			whole := make([]byte, size)
			for i := range whole {
				whole[i] = byte(random.Uint32())
			}
			path := filepath.Join(folder, "parfait-uncached-test")
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := OpenUncached(path)
			if err != nil {
				t.Fatal(err)
			}
			for range 200 {
				off, n := random.IntN(size+2), random.IntN(20_000)
				got, want := make([]byte, n), make([]byte, n)
				k, err := f.ReadAt(got, int64(off))
				l, e := bytes.NewReader(whole).ReadAt(want, int64(off))
				if k != l || !errors.Is(err, e) || errors.Is(err, io.EOF) != errors.Is(e, io.EOF) || !bytes.Equal(got[:k], want[:l]) {
					t.Fatalf("%d of %d bytes at %d: read %d, %v; expected %d, %v", n, size, off, k, err, l, e)
				}
			}
			if err := errors.Join(f.Close(), os.Remove(path)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := OpenUncached(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of a file that is not there it says %v", err)
	}
}
