package merge

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
	"parfait/visible"
)

// receiptVersion is the version of the receipt format that is written.
const receiptVersion = 1

// Receipt says where a checkpoint comes from: what was read, what was done, what was written.
type Receipt struct {
	Version     int                `json:"version"`
	Tool        string             `json:"tool"`
	ToolVersion string             `json:"tool_version"`
	Created     time.Time          `json:"created"`
	Method      string             `json:"method"`
	At          map[string]float64 `json:"coefficients"`
	Recipe      string             `json:"recipe"` // recipe.yaml without its comment
	DType       string             `json:"dtype"`
	ShardSize   int64              `json:"shard_size"`
	Tensors     TensorCounts       `json:"tensors"`
	Digest      string             `json:"digest"` // what the hashes are
	Inputs      []InputFiles       `json:"inputs"`
	Steps       []StepMade         `json:"steps,omitempty"` // whose results are among the inputs
	Outputs     []FileInfo         `json:"outputs"`
	Sparsity    *Sparsity          `json:"sparsity,omitempty"`   // where masks were kept
	Cut         *Cut               `json:"truncation,omitempty"` // where an adapter was brought to a rank
	Notes       []string           `json:"notes,omitempty"`
	Warnings    []Problem          `json:"warnings,omitempty"`
	Documents   []Document         `json:"documents,omitempty"` // such as a model card
	SelfHash    selfHash           `json:"self_hash"`
}

// Document is a file beside the weights that is written anew whenever its receipt is.
type Document struct {
	FileInfo
	// Before is the SHA-256 of what stood there with the receipt before: that is still there where writing ended
	// between the two.
	Before string `json:"sha256_before,omitempty"`
}

// Document describes a file of these bytes that is to stand beside the receipt.
func (r Receipt) Document(name string, data []byte) Document {
	d := Document{FileInfo: FileInfo{Name: name, Size: int64(len(data)), Hash: digestText(xxh3.Hash128(data)), SHA: shaText(data)}}
	for _, was := range r.Documents {
		if was.Name == name {
			d.Before = was.SHA
		}
	}
	return d
}

// JSON is the receipt as it stands beside the weights.
func (r Receipt) JSON() ([]byte, error) { return ReceiptJSON(r) }

// ReceiptJSON writes a receipt, or what has one embedded, as it stands beside the weights: with a hash over itself.
func ReceiptJSON(r any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	data := []byte(visible.Text(b.String()))
	at := selfHashLine.FindSubmatchIndex(data)
	if at == nil {
		return nil, errors.New("receipt: no place for its hash")
	}
	copy(data[at[2]:at[3]], shaText(data))
	return data, nil
}

// selfHash is the place of a receipt's hash over itself: the SHA-256 of its bytes with 64 zeros in this place. It
// shows decay; whoever changes the receipt can change it too.
type selfHash struct{}

var noSelfHash = strings.Repeat("0", 64)

// MarshalText implements encoding.TextMarshaler.
func (selfHash) MarshalText() ([]byte, error) { return []byte(noSelfHash), nil }

// UnmarshalText implements encoding.TextUnmarshaler: the hash is of the bytes, and not of what they say.
func (selfHash) UnmarshalText([]byte) error { return nil }

// selfHashLine finds it: no text within JSON has a line of its own.
var selfHashLine = regexp.MustCompile(`(?m)^  "self_hash": "([0-9a-f]{64})",?$`)

// checkSelf says whether a receipt has a hash over itself, and whether it is right.
func checkSelf(data []byte) (has, right bool) {
	at := selfHashLine.FindSubmatchIndex(data)
	if at == nil {
		return bytes.Contains(data, []byte(`"self_hash"`)), false
	}
	plain := slices.Clone(data)
	copy(plain[at[2]:at[3]], noSelfHash)
	return true, shaText(plain) == string(data[at[2]:at[3]])
}

func shaText(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Bytes is how much the outputs take in all.
func (r Receipt) Bytes() int64 {
	var n int64
	for _, f := range r.Outputs {
		n += f.Size
	}
	return n
}

// TensorCounts says what became of the tensors.
type TensorCounts struct {
	Merged   int      `json:"merged"`
	Integers int      `json:"integers_from_base"`
	Skipped  []string `json:"skipped_from_base,omitempty"`
	Elements int64    `json:"elements"`
}

func (p *Plan) counts() TensorCounts {
	var c TensorCounts
	for _, t := range p.tensors {
		c.Elements += t.Len
		switch t.role {
		case roleMerge:
			c.Merged++
		case roleCarried:
			c.Integers++
		case roleSkip:
			c.Skipped = append(c.Skipped, t.Name)
		}
	}
	return c
}

// dtypeWritten is the dtype of the floats: of all of them, or "mixed".
func (p *Plan) dtypeWritten() string {
	seen := ""
	for _, t := range p.tensors {
		if !t.out.Computable() {
			continue
		}
		name := map[safetensors.DType]string{safetensors.BF16: BF16, safetensors.F16: F16, safetensors.F32: F32, safetensors.F64: "f64"}[t.out]
		if seen != "" && seen != name {
			return "mixed"
		}
		seen = name
	}
	return seen
}

// ReadReceipt reads an export's receipt.
func ReadReceipt(dir string) (Receipt, error) {
	r, _, err := readReceipt(dir)
	return r, err
}

// readReceipt gives a receipt and its bytes.
func readReceipt(dir string) (r Receipt, data []byte, err error) {
	path := filepath.Join(dir, ReceiptFile)
	if data, err = os.ReadFile(path); err != nil {
		return Receipt{}, nil, unread(codes.Receipt, path, err, "the receipt of an export", "give the folder that an export made")
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return Receipt{}, nil, Problem{Code: codes.Receipt, Where: path, What: "it is not a receipt: " + err.Error(), Expected: "JSON as an export writes it"}
	}
	if r.Version != receiptVersion || len(r.Outputs) == 0 {
		return Receipt{}, nil, Problem{Code: codes.Receipt, Where: path, What: "it is not a receipt that this program knows", Expected: "version 1 with its outputs", Fix: "use the version of the program that made it"}
	}
	return r, data, nil
}

// addSHA256 adds the SHA-256 of the inputs that were read; what was written has it from being read back.
func (r *Receipt) addSHA256(ctx context.Context, j *job, progress func(Progress)) error {
	type place struct{ input, file int }
	var paths []string
	var places []place
	var total int64
	for i, in := range j.plan.inputs() {
		for k, f := range in.set.Files() {
			if r.Inputs[i].Read {
				paths, places, total = append(paths, f.Path()), append(places, place{i, k}), total+f.Size()
			}
		}
	}
	cache := openSHACache()
	defer cache.save()
	m := startMeter("hash", total, progress)
	err := each(j.workers, len(paths), func(n int) (err error) {
		f := &r.Inputs[places[n].input].Files[places[n].file]
		f.SHA, err = cache.file(ctx, paths[n], m)
		return err
	})
	m.end(err == nil)
	return err
}

// toolVersion is the module's version, or the commit it was built from.
func toolVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	if info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
