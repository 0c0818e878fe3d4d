package safetensors

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestIndexWithAByteOrderMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), IndexName)
	if err := os.WriteFile(path, []byte("\xef\xbb\xbf"+`{"weight_map": {"a": "model-1.safetensors"}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if x, err := readIndex(path); err != nil || x.shard["a"] != "model-1.safetensors" {
		t.Errorf("%+v, %v", x, err)
	}
}

// FuzzIndex: no input panics; what is accepted is JSON to encoding/json too, and names files of the
// folder only.
func FuzzIndex(f *testing.F) {
	for _, s := range []string{
		`{"metadata": {"total_size": 30, "a": [1, -2.5e3, true, null, {"b": "\u00e9"}]}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}`,
		`{"weight_map": {"a": "../x"}}`, `{"weight_map": {}} `, `{"x": ` + strings.Repeat("[", 100), `{"weight_map": {"a": "\ud800"}}`,
		`{"x": -, "weight_map": {}}`, `{"x": 01, "weight_map": {}}`, `{"x": 1.5e-3, "weight_map": {}}`, `{"x": tru}`, `[]`, ``, `{"weight_map": {}, "weight_map": {}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := parseIndex("index", b)
		if err != nil {
			if len(Codes(err)) == 0 {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		var want struct {
			WeightMap map[string]string `json:"weight_map"`
		}
		if err := json.NewDecoder(bytes.NewReader(b)).Decode(&want); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", b, err)
		}
		for _, shard := range x.shards {
			if !inFolder(shard) {
				t.Fatalf("%q leaves the folder", shard)
			}
		}
	})
}
