package merge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/google/renameio/v2"
	"github.com/klauspost/cpuid/v2"

	"parfait/internal/rescue"
	"parfait/merge/codes"
)

// FastSHA256 says whether this machine's processor has instructions for SHA-256, and crypto/sha256 uses them: then it
// takes about 1.4 GB a second of a processor, else a quarter of that.
func FastSHA256() bool {
	switch runtime.GOARCH {
	case "amd64":
		return cpuid.CPU.Supports(cpuid.SHA, cpuid.SSSE3, cpuid.SSE4)
	case "arm64":
		return cpuid.CPU.Supports(cpuid.SHA2)
	}
	return false
}

// wanted is what was asked of SHA-256, and where nothing was, whether it is fast here.
func wanted(sha *bool) bool {
	if sha == nil {
		return FastSHA256()
	}
	return *sha
}

// each calls f for 0 … n-1, several at once, and returns the error of the least of those that failed.
func each(workers, n int, f func(int) error) error {
	var next atomic.Int64
	var wg rescue.Group
	errs := make([]error, n)
	var failed atomic.Bool
	for range min(max(workers, 1), n) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && !failed.Load(); i = next.Add(1) - 1 {
				if errs[i] = f(int(i)); errs[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// sha256File hashes a file from its beginning to its end, and adds up how far it is.
func sha256File(ctx context.Context, path string, add func(int64)) (string, error) {
	f, err := openRegular(path)
	if err != nil {
		return "", Problem{Code: codes.Read, Where: path, What: reason(err), Expected: "a file that can be read", Fix: "check its permissions"}
	}
	defer f.Close() //nolint:errcheck // read only
	h, from := sha256.New(), untilDone(ctx, f)
	if _, err := io.CopyBuffer(h, readerFunc(func(b []byte) (int, error) {
		n, err := from.Read(b)
		add(int64(n))
		return n, err
	}), make([]byte, 1<<20)); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", Problem{Code: codes.Read, Where: path, What: reason(err), Expected: "a file that can be read to its end", Fix: "take a good copy"}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// untilDone reads until the context ends.
func untilDone(ctx context.Context, r io.Reader) io.Reader {
	return readerFunc(func(b []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(b)
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// shaCache remembers the SHA-256 of large inputs by device, inode, size and time: bases are hashed again and
// again. Outputs are never looked up in it. It is a help only: what goes wrong with
// the cache itself is passed over.
type shaCache struct {
	path string
	mu   sync.Mutex
	sums map[string]string
	more bool
}

// maxCachedSums is how many files are remembered, of minCached bytes at least.
const (
	maxCachedSums = 4096
	minCached     = 16 << 20
)

func openSHACache() *shaCache {
	c := &shaCache{sums: map[string]string{}}
	dir, err := os.UserCacheDir()
	if err != nil {
		return c
	}
	c.path = filepath.Join(dir, "parfait", "sha256.json")
	if data, err := os.ReadFile(c.path); err == nil && json.Unmarshal(data, &c.sums) != nil {
		c.sums = map[string]string{}
	}
	return c
}

// file gives the hash of an input.
func (c *shaCache) file(ctx context.Context, path string, m *meter) (string, error) {
	s, err := stampOf(path)
	if err != nil {
		return "", Problem{Code: codes.Read, Where: path, What: reason(err), Expected: "a file that can be read", Fix: "check its permissions"}
	}
	key := fmt.Sprintf("%d:%d:%d:%d", s.Device, s.Inode, s.Size, s.ModTime.UnixNano())
	c.mu.Lock()
	sum, ok := c.sums[key]
	c.mu.Unlock()
	if ok {
		m.skip(s.Size)
		return sum, nil
	}
	if sum, err = sha256File(ctx, path, m.add); err == nil && s.Size >= minCached {
		c.mu.Lock()
		c.sums[key], c.more = sum, true
		c.mu.Unlock()
	}
	return sum, err
}

func (c *shaCache) save() {
	if !c.more || c.path == "" || os.MkdirAll(filepath.Dir(c.path), 0o700) != nil {
		return
	}
	for key := range c.sums {
		if len(c.sums) <= maxCachedSums {
			break
		}
		delete(c.sums, key)
	}
	if data, err := json.Marshal(c.sums); err == nil {
		_ = renameio.WriteFile(c.path, data, 0o600)
	}
}
