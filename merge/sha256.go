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

	"github.com/google/renameio/v2"

	"parfait/merge/codes"
)

// sha256File hashes a file from its beginning to its end.
func sha256File(ctx context.Context, path string) (string, error) {
	f, err := openRegular(path)
	if err != nil {
		return "", Problem{Code: codes.Read, Where: path, What: reason(err), Expected: "a file that can be read", Fix: "check its permissions"}
	}
	defer f.Close() //nolint:errcheck // read only
	h := sha256.New()
	if _, err := io.Copy(h, readerFunc(func(b []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return f.Read(b)
	})); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", Problem{Code: codes.Read, Where: path, What: reason(err), Expected: "a file that can be read to its end", Fix: "take a good copy"}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// shaCache remembers the SHA-256 of inputs by device, inode, size and time: bases are hashed again and
// again, at 1.4 GB a second. Outputs are never looked up in it. It is a help only: what goes wrong with
// the cache itself is passed over.
type shaCache struct {
	path string
	sums map[string]string
}

// maxCachedSums is how many files are remembered.
const maxCachedSums = 4096

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
func (c *shaCache) file(ctx context.Context, path string) (string, error) {
	s, err := stampOf(path)
	if err != nil {
		return "", Problem{Code: codes.Read, Where: path, What: reason(err), Expected: "a file that can be read", Fix: "check its permissions"}
	}
	key := fmt.Sprintf("%d:%d:%d:%d", s.Device, s.Inode, s.Size, s.ModTime.UnixNano())
	if sum, ok := c.sums[key]; ok {
		return sum, nil
	}
	sum, err := sha256File(ctx, path)
	if err == nil {
		c.sums[key] = sum
	}
	return sum, err
}

func (c *shaCache) save() {
	if c.path == "" || os.MkdirAll(filepath.Dir(c.path), 0o700) != nil {
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
