package merge

import (
	"encoding/hex"

	"github.com/zeebo/xxh3"

	"parfait/merge/codes"
)

const (
	fingerBlocks = 64
	fingerBlock  = 4 << 10
)

// Fingerprint says, for the base ("base") and each model by name, which weights they are: a hash over
// the files' sizes and 64 blocks of 4 KiB spread evenly over each. Moved and copied files keep it; a
// model that was trained on, or another one under the same path, does not. It reads 256 KiB a file.
func (p *Plan) Fingerprint() (map[string]string, error) {
	out := map[string]string{}
	buf := make([]byte, fingerBlock)
	for _, in := range p.inputs() {
		h := xxh3.New()
		for _, f := range in.set.Files() {
			size := f.Size()
			for i := range int64(fingerBlocks) {
				at := (size - fingerBlock) * i / (fingerBlocks - 1) // the last block ends with the file
				if size <= fingerBlock {
					at = 0
				}
				b := buf[:min(fingerBlock, size-at)]
				if _, err := f.ReadAt(b, at); err != nil {
					return nil, Problem{Code: codes.Read, Where: f.Path(), What: err.Error(), Expected: "a file that can be read to its end"}
				}
				_, _ = h.Write(b)
			}
			_, _ = h.WriteString(" " + hex.EncodeToString([]byte{byte(size), byte(size >> 8), byte(size >> 16), byte(size >> 24), byte(size >> 32), byte(size >> 40)}))
		}
		sum := h.Sum128().Bytes()
		out[in.name] = hex.EncodeToString(sum[:])
	}
	return out, nil
}
