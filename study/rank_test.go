package study

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/evaluator"
	"parfait/merge"
)

// tensors writes a safetensors file of float32 matrices, whose entries are waves.
func tensors(t *testing.T, path string, shapes map[string][2]int) {
	t.Helper()
	header, data := map[string]any{}, []byte{}
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		from, n := len(data), shapes[name][0]*shapes[name][1]
		for i := range n {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(math.Sin(float64(i*i+len(path)+len(name))))))
		}
		header[name] = map[string]any{"dtype": "F32", "shape": shapes[name], "data_offsets": [2]int{from, len(data)}}
	}
	head, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	out := append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...)
	put(t, path, string(append(out, data...)))
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// adapters is a study of two LoRA adapters of rank 3, whose evaluator is a script.
func adapters(t *testing.T, evaluators string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "lora.study")
	tensors(t, filepath.Join(dir, "base", "model.safetensors"), map[string][2]int{"model.q.weight": {8, 8}, "model.k.weight": {8, 8}})
	put(t, filepath.Join(dir, "base", "config.json"), `{"architectures": ["LlamaForCausalLM"]}`)
	for _, name := range []string{"math", "code"} {
		p := "base_model.model.model."
		tensors(t, filepath.Join(dir, name, "adapter_model.safetensors"), map[string][2]int{
			p + "q.lora_A.weight": {3, 8}, p + "q.lora_B.weight": {8, 3}, p + "k.lora_A.weight": {3, 8}, p + "k.lora_B.weight": {8, 3},
		})
		put(t, filepath.Join(dir, name, "adapter_config.json"), `{"peft_type": "LORA", "r": 3, "lora_alpha": 3, "target_modules": ["q", "k"]}`)
	}
	put(t, filepath.Join(dir, "evaluate.sh"), `#!/bin/sh
grep -q '"r": '"$2" "$1/adapter_config.json" || { cat "$1/adapter_config.json" >&2; exit 3; }
echo "{\"$PARFAIT_TASKS\": 0.5}"
`)
	put(t, filepath.Join(dir, "study.yaml"), `version: 1
base: base
models:
  - {name: math, path: math, range: [0, 1]}
  - {name: code, path: code, range: [0, 1]}
method: {name: task_arithmetic}
tasks: [{name: a, unit: rate, evaluator: main}, {name: b, unit: rate, evaluator: judge}]
evaluators: `+evaluators+`
search: {budget: 4}
`)
	return dir
}

// With max_rank the evaluator gets adapters of that rank; the run says what that takes away, and so does the model card.
func TestMaxRank(t *testing.T) {
	command := `{command: [./evaluate.sh, '{model}', '2'], form: adapter, max_rank: 2}`
	s := open(t, adapters(t, "{main: "+command+", judge: "+command+"}"))
	var said []string
	if err := s.Run(t.Context(), RunOptions{Note: func(text string) { said = append(said, text) }}); err != nil {
		t.Fatal(err)
	}
	snap := load(t, s)
	for _, tr := range snap.Trials {
		if tr.State != evaluator.Done {
			t.Errorf("trial %d: %s %s", tr.ID, tr.State, tr.Error)
		}
	}
	if text := strings.Join(said, "\n"); !strings.Contains(text, "2 modules were brought from rank 6 at most to 2") {
		t.Errorf("the run says\n%s\nwant what truncation takes away", text)
	}
	const cut = "2 modules were brought from rank 6 at most to 2"
	for form, says := range map[string]string{"": "It is a LoRA adapter, which programs load on the base model. " + cut, FormFull: "as an adapter (form: adapter) of which " + cut} {
		e, err := s.Export(t.Context(), ExportRequest{X: []float64{0.4, 0.6}, Form: form, Out: filepath.Join(t.TempDir(), "out"), Verify: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		card, err := os.ReadFile(filepath.Join(e.Out, "README.md"))
		if err != nil || !strings.Contains(string(card), says) {
			t.Errorf("form %q: %v; the card says\n%s", form, err, card)
		}
		if (len(e.BesideFiles) > 0) != (form == FormFull) {
			t.Errorf("form %q: measured beside the files: %v", form, e.BesideFiles)
		}
	}
}

// What is exported is what was measured: where evaluators get adapters an adapter, which --verify measures as it lies
// there; its receipt holds, and its recipe makes the same bytes.
func TestAdaptersAreExportedAsMeasured(t *testing.T) {
	seen := filepath.Join(t.TempDir(), "seen")
	command := `{command: [sh, -c, 'echo "$1" >> ` + seen + `; ./evaluate.sh "$1" 6', sh, '{model}'], form: adapter, splits: [validation, test]}`
	dir := adapters(t, "{main: "+command+", judge: "+command+"}")
	s := open(t, dir)
	if err := s.Run(t.Context(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	plan, err := s.PlanExport(ExportRequest{X: []float64{0.4, 0.6}})
	if err != nil || len(plan.Problems) > 0 {
		t.Fatal(err, plan.Problems)
	}
	e, err := s.Export(t.Context(), ExportRequest{X: []float64{0.4, 0.6}, Verify: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(e.Out, "adapter_model.safetensors")); err != nil || info.Size() < plan.Bytes || e.Form != FormAdapter || len(e.BesideFiles) > 0 {
		t.Errorf("form %q, beside %v, %v; want an adapter of %d bytes", e.Form, e.BesideFiles, err, plan.Bytes)
	}
	asked, err := os.ReadFile(seen)
	if err != nil || strings.Count(string(asked), e.Out+"\n") != 4 {
		t.Errorf("%v; measured\n%s\nwant %s for two evaluators on two splits", err, asked, e.Out)
	}
	card, err := os.ReadFile(filepath.Join(e.Out, cardFile))
	if err != nil || !strings.Contains(string(card), "library_name: peft\n") {
		t.Errorf("%v; the card\n%s", err, card)
	}
	v, err := VerifyExport(t.Context(), e.Out, dir, merge.VerifyOptions{Recompute: true}, nil)
	if err != nil || len(v.Problems) > 0 || !v.Recomputed {
		t.Errorf("verify: %v %v", err, v.Problems)
	}
	if _, err := s.Export(t.Context(), ExportRequest{X: []float64{0.4, 0.6}, Form: "adaptor"}, nil); err == nil || !strings.Contains(err.Error(), "did you mean \"adapter\"?") {
		t.Errorf("an unknown form: %v", err)
	}
}

func TestMaxRankIsOne(t *testing.T) {
	const command = `{command: [./evaluate.sh, '{model}', '2'], form: adapter, max_rank: %d}`
	s := open(t, adapters(t, fmt.Sprintf("{main: "+command+", judge: "+command+"}", 2, 4)))
	if err := s.Run(t.Context(), RunOptions{}); CodeOf(err) != CodeEvaluator || !strings.Contains(err.Error(), "max_rank is not that of judge (2 and 4)") {
		t.Errorf("two ranks: %v", err)
	}
}
