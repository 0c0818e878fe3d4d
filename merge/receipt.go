package merge

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

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
	Outputs     []FileInfo         `json:"outputs"`
	Sparsity    *Sparsity          `json:"sparsity,omitempty"` // where masks were kept
	Notes       []string           `json:"notes,omitempty"`
	Warnings    []Problem          `json:"warnings,omitempty"`
}

// JSON is the receipt as it stands beside the weights.
func (r Receipt) JSON() ([]byte, error) {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	return []byte(visible.Text(string(data)) + "\n"), nil
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
	path := filepath.Join(dir, ReceiptFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return Receipt{}, unread(codes.Receipt, path, err, "the receipt of an export", "give the folder that an export made")
	}
	var r Receipt
	if err := json.Unmarshal(data, &r); err != nil {
		return Receipt{}, Problem{Code: codes.Receipt, Where: path, What: "it is not a receipt: " + err.Error(), Expected: "JSON as an export writes it"}
	}
	if r.Version != receiptVersion || len(r.Outputs) == 0 {
		return Receipt{}, Problem{Code: codes.Receipt, Where: path, What: "it is not a receipt that this program knows", Expected: "version 1 with its outputs", Fix: "use the version of the program that made it"}
	}
	return r, nil
}

// addSHA256 adds the slow hashes of inputs and outputs.
func (r *Receipt) addSHA256(ctx context.Context, j *job, out *output) error {
	cache := openSHACache()
	defer cache.save()
	for i, in := range j.plan.inputs() {
		for k, f := range in.set.Files() {
			if !r.Inputs[i].Read {
				continue
			}
			sum, err := cache.file(ctx, f.Path())
			if err != nil {
				return err
			}
			r.Inputs[i].Files[k].SHA = sum
		}
	}
	for i := range r.Outputs {
		sum, err := sha256File(ctx, out.stage.Path(r.Outputs[i].Name))
		if err != nil {
			return err
		}
		r.Outputs[i].SHA = sum
	}
	return nil
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
