package merge

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/merge/codes"
	"parfait/merge/safetensors"
	"parfait/problem"
)

func codesOf(list []Problem) []Code {
	var out []Code
	for _, p := range list {
		out = append(out, p.Code)
	}
	slices.Sort(out)
	return out
}

func problemsOf(t testing.TB, err error) []Problem {
	t.Helper()
	var e problem.List
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v, expected problems", err)
	}
	return e
}

func TestEverythingWrongAtOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	root := t.TempDir()
	f := safetensors.F32
	base := model{
		"model.embed_tokens.weight": drawn(r, f, 1, 10, 4), "a": drawn(r, f, 1, 3), "b": drawn(r, f, 1, 4), "c": drawn(r, f, 1, 5),
		"q": {safetensors.I8, []int64{3}, []float64{1, 2, 3}},
	}
	x := model{
		"model.embed_tokens.weight": drawn(r, f, 1, 12, 4), // more tokens
		"a":                         drawn(r, f, 1, 2),     // another shape
		"b":                         drawn(r, safetensors.BF16, 1, 4),
		"extra":                     drawn(r, f, 1, 2),
		"q":                         {safetensors.I8, []int64{4}, []float64{1, 2, 3, 4}},
	}
	spec := Spec{
		Base: base.write(t, filepath.Join(root, "base")), Method: "task_arithmetic",
		Models: []Source{{"x", x.write(t, filepath.Join(root, "x"))}},
		Groups: []Group{{"letters", "[abc]"}, {"none", "zzz*"}}, Skip: []string{"nothing*"},
	}
	must(t, os.WriteFile(filepath.Join(root, "x", "config.json"), []byte(`{"architectures": ["Other"]}`), 0o644))
	must(t, os.WriteFile(filepath.Join(root, "x", "tokenizer.json"), []byte(`{"other": 1}`), 0o644))
	_, err := NewPlan(t.Context(), spec)
	found := problemsOf(t, err)
	want := []Code{codes.ExtraTensor, codes.MissingTensor, codes.NoGroup, codes.Shape, codes.Vocabulary}
	slices.Sort(want)
	if !slices.Equal(codesOf(found), want) {
		t.Errorf("problems %v, want %v\n%v", codesOf(found), want, err)
	}
	for _, p := range found {
		if p.Where == "" || p.What == "" || p.Expected == "" || p.Fix == "" {
			t.Errorf("the problem says too little: %+v", p)
		}
	}
	// The ways out.
	spec.Skip, spec.Vocab = []string{"a", "c", "extra"}, VocabCrop
	spec.Groups = []Group{{"all", "*"}}
	p := plan(t, spec)
	warned := []Code{codes.Architecture, codes.Integers, codes.MixedDTypes, codes.Tokenizer, codes.Vocabulary}
	slices.Sort(warned)
	if got := codesOf(p.Warnings()); !slices.Equal(got, warned) {
		t.Errorf("warnings %v, want %v", got, warned)
	}
}

func TestSpecsThatCannotBe(t *testing.T) {
	ok := Spec{Base: "b", Models: []Source{{"x", "x"}, {"y", "y"}}, Method: "task_arithmetic"}
	for name, c := range map[string]struct {
		change func(*Spec)
		want   []Code
	}{
		"nothing":           {func(s *Spec) { *s = Spec{} }, []Code{codes.Method, codes.NoModels}},
		"names":             {func(s *Spec) { s.Models[0].Name, s.Models[1].Name = "a.b", "" }, []Code{codes.Name, codes.Name}},
		"the same name":     {func(s *Spec) { s.Models[1].Name, s.Groups = "x", []Group{{"x", "*"}} }, []Code{codes.Duplicate, codes.Duplicate}},
		"patterns":          {func(s *Spec) { s.Groups, s.Skip = []Group{{"g", "["}}, []string{""} }, []Code{codes.Pattern, codes.Pattern}},
		"method":            {func(s *Spec) { s.Method = "tees" }, []Code{codes.Method}},
		"no base":           {func(s *Spec) { s.Base = "" }, []Code{codes.NeedsBase}},
		"too many":          {func(s *Spec) { s.Method = "passthrough" }, []Code{codes.ModelCount}},
		"parameter":         {func(s *Spec) { s.Params = map[string]any{"lamda": 1.0} }, []Code{codes.Param}},
		"text for a number": {func(s *Spec) { s.Params = map[string]any{"lambda": "big"} }, []Code{codes.Param}},
		"out of range": {func(s *Spec) {
			s.Method, s.Params = "ties", map[string]any{"density": 1.5, "trim": "all", "normalize": 3}
		}, []Code{codes.Param, codes.Param, codes.Param}},
		"by nobody":       {func(s *Spec) { s.Method, s.Params = "ties", map[string]any{"density": map[string]any{"z": 0.5}} }, []Code{codes.Param}},
		"lambda by model": {func(s *Spec) { s.Params = map[string]any{"lambda": map[string]any{"x": 0.5}} }, []Code{codes.Param}},
		"dtype":           {func(s *Spec) { s.DType = "fp8" }, []Code{codes.DTypeName}},
		"masks":           {func(s *Spec) { s.Masks, s.Vocab, s.Form = "keep", "guess", "zip" }, []Code{codes.Option, codes.Option, codes.Option}},
		"variance":        {func(s *Spec) { s.VarianceCorrection = true }, []Code{codes.Option}},
		"fisher":          {func(s *Spec) { s.Method = "fisher" }, []Code{codes.Param}},
	} {
		t.Run(name, func(t *testing.T) {
			s := ok
			s.Models = slices.Clone(ok.Models)
			c.change(&s)
			_, _, err := Coefficients(s)
			slices.Sort(c.want)
			if got := codesOf(problemsOf(t, err)); !slices.Equal(got, c.want) {
				t.Errorf("problems %v, want %v\n%v", got, c.want, err)
			}
		})
	}
}

func TestCoefficients(t *testing.T) {
	s := Spec{Base: "b", Models: []Source{{"x", "x"}, {"y", "y"}}, Method: "ties", Groups: []Group{{"early", "a*"}, {"rest", "*"}}}
	coefficients, domain, err := Coefficients(s)
	must(t, err)
	var names []string
	for _, k := range coefficients {
		names = append(names, k.Name)
	}
	want := "x.early y.early x.rest y.rest lambda lambda.early lambda.rest density density.early density.rest"
	if strings.Join(names, " ") != want || !domain.Box() {
		t.Errorf("coefficients %v, domain %v", names, domain)
	}
	s.Params = map[string]any{"normalize": true, "density": 0.5}
	coefficients, domain, err = Coefficients(s)
	must(t, err)
	if len(coefficients) != 7 || fmt.Sprint(domain.Simplex) != "[[0 1] [2 3]]" || !coefficients[0].Required || coefficients[4].Required {
		t.Errorf("coefficients %+v, domain %v", coefficients, domain)
	}
}

func TestValuesThatCannotBe(t *testing.T) {
	base, models := family(t, 2, safetensors.F32, 2)
	box := plan(t, Spec{Base: base, Models: models, Method: "ties", Params: map[string]any{"lambda": 1.0}})
	simplex := plan(t, Spec{Models: models, Method: "linear"})
	for name, c := range map[string]struct {
		p    *Plan
		at   map[string]float64
		want []Code
	}{
		"missing":     {box, map[string]float64{"a": 1}, []Code{codes.MissingCoefficient}},
		"unknown":     {box, map[string]float64{"a": 1, "b": 1, "bee": 1}, []Code{codes.UnknownCoefficient}},
		"fixed":       {box, map[string]float64{"a": 1, "b": 1, "lambda": 2}, []Code{codes.UnknownCoefficient}},
		"not finite":  {box, map[string]float64{"a": math.Inf(1), "b": 1e39}, []Code{codes.CoefficientValue, codes.CoefficientValue}},
		"density":     {box, map[string]float64{"a": 1, "b": 1, "density": 0}, []Code{codes.CoefficientValue}},
		"sum of zero": {simplex, map[string]float64{"a": 0, "b": 0}, []Code{codes.CoefficientValue}},
		"negative":    {simplex, map[string]float64{"a": -1, "b": 2}, []Code{codes.CoefficientValue}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			_, err := c.p.Write(t.Context(), []Output{{c.at, filepath.Join(root, "out")}}, WriteOptions{}, nil)
			slices.Sort(c.want)
			if got := codesOf(problemsOf(t, err)); !slices.Equal(got, c.want) {
				t.Errorf("problems %v, want %v\n%v", got, c.want, err)
			}
			if left := names(t, root); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestNotFinite(t *testing.T) {
	f := safetensors.F32
	root := t.TempDir()
	write := func(name string, v ...float64) string {
		return model{"w": {f, []int64{int64(len(v))}, v}}.write(t, filepath.Join(root, name))
	}
	base, good := write("base", 1, 2, 3), write("good", 1, 3, 5)
	inf := math.Inf(1)
	for name, c := range map[string]struct {
		models []Source
		method string
		dtype  DType
		at     map[string]float64
		want   string
	}{
		"a model":            {[]Source{{"x", write("nan", 1, inf-inf, 3)}}, "task_arithmetic", "", map[string]float64{"x": 1}, "w[1]: the value NaN"},
		"the base":           {[]Source{{"x", good}}, "task_arithmetic", "", map[string]float64{"x": 1}, "base"},
		"without a weight":   {[]Source{{"x", write("nan2", inf, 1, 3)}}, "task_arithmetic", "", map[string]float64{"x": 0}, ""},
		"an average":         {[]Source{{"x", write("inf", 1, 1, inf)}, {"y", good}}, "linear", "", map[string]float64{"x": 1, "y": 1}, "w[2]: the value +Inf"},
		"by steps":           {[]Source{{"x", write("inf2", -inf, 1, 1)}}, "ties", "", map[string]float64{"x": 1}, "w[0]: the value -Inf"},
		"too large for f16":  {[]Source{{"x", write("big", 1, 1e5, 1)}}, "task_arithmetic", F16, map[string]float64{"x": 1}, "w[1]: the merged value is +Inf as F16"},
		"ties too large":     {[]Source{{"x", write("big2", 1, 1e5, 1)}}, "ties", F16, map[string]float64{"x": 1, "density": 1}, "w[1]: the merged value is +Inf as F16"},
		"copied and damaged": {[]Source{{"x", good}}, "task_arithmetic", "", map[string]float64{"x": 0}, "base"},
	} {
		t.Run(name, func(t *testing.T) {
			b := base
			if c.want == "base" {
				b = write("bad-"+strings.ReplaceAll(name, " ", "-"), 1, 2, inf)
			}
			p := plan(t, Spec{Base: b, Models: c.models, Method: c.method, DType: c.dtype})
			out := t.TempDir()
			_, err := p.Write(t.Context(), []Output{{c.at, filepath.Join(out, "out")}}, WriteOptions{}, nil)
			if c.want == "" {
				must(t, err)
				return
			}
			if !errors.Is(err, Problem{Code: codes.NotFinite}) || !strings.Contains(err.Error(), c.want) || len(names(t, out)) > 0 {
				t.Errorf("error %v, want %q; left behind %v", err, c.want, names(t, out))
			}
		})
	}
}

func TestHubCache(t *testing.T) {
	base, models := family(t, 2, safetensors.F32, 1)
	cache := t.TempDir()
	t.Setenv("HF_HUB_CACHE", cache)
	repo := filepath.Join(cache, "models--org--name")
	must(t, os.MkdirAll(filepath.Join(repo, "refs"), 0o755))
	must(t, os.WriteFile(filepath.Join(repo, "refs", "main"), []byte("abc123"), 0o644))
	must(t, os.MkdirAll(filepath.Join(repo, "snapshots"), 0o755))
	must(t, os.Symlink(base, filepath.Join(repo, "snapshots", "abc123")))
	got := one(t, Spec{Base: "org/name", Models: models, Method: "task_arithmetic"}, map[string]float64{"a": 0})
	sameBits(t, "from the cache", got, read(t, base))
	// Recipes and receipts say where everybody finds the model, and so does a path into the cache.
	for _, path := range []string{"org/name", "org/name@abc123", filepath.Join(repo, "snapshots", "abc123")} {
		p := plan(t, Spec{Base: path, Models: models, Method: "task_arithmetic"})
		if base := p.Recipe(map[string]float64{"a": 0.5}).Spec().Base; base != "org/name@abc123" {
			t.Errorf("%s is %s in the recipe, want org/name@abc123", path, base)
		}
		out := filepath.Join(t.TempDir(), "out")
		receipt, err := p.Export(t.Context(), map[string]float64{"a": 0.5}, out, ExportOptions{}, nil)
		must(t, err)
		if receipt.Inputs[0].Path != "org/name@abc123" || HubModel(path) != "org/name" {
			t.Errorf("%s is %s in the receipt, and %q on the hub", path, receipt.Inputs[0].Path, HubModel(path))
		}
		v, err := Verify(t.Context(), out, VerifyOptions{Recompute: true}, nil)
		must(t, err)
		if len(v.Problems) > 0 || !v.Recomputed {
			t.Errorf("the export of %s is not what its recipe gives: %v", path, v.Problems)
		}
	}
	if id := HubModel(base); id != "" {
		t.Errorf("a folder of one's own is %s on the hub", id)
	}
	// As the hub's library finds models: revisions with slashes, the beginning of a commit, names without an owner, and
	// what variables and ~ stand for.
	must(t, os.MkdirAll(filepath.Join(repo, "refs", "refs", "pr"), 0o755))
	must(t, os.WriteFile(filepath.Join(repo, "refs", "refs", "pr", "3"), []byte("0123456789abcdef"), 0o644))
	must(t, os.Symlink(base, filepath.Join(repo, "snapshots", "0123456789abcdef")))
	must(t, os.Symlink(repo, filepath.Join(cache, "models--gpt2")))
	for _, id := range []string{"org/name@refs/pr/3", "org/name@0123456", "org/name@0123456789abcdef", "gpt2", "gpt2@main"} {
		if _, err := locate(id); err != nil || !HubID(id) {
			t.Errorf("%s: %v", id, err)
		}
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("HF_HUB_CACHE", "")
	for variable, value := range map[string]string{"HUGGINGFACE_HUB_CACHE": "~/x/hub", "HF_HOME": "$HOME/x"} {
		t.Setenv(variable, value)
		if got, want := hubCache(), filepath.Join(home, "x", "hub"); got != want {
			t.Errorf("with %s=%s the cache is %s, want %s", variable, value, got, want)
		}
		t.Setenv(variable, "")
	}
	t.Setenv("HF_HUB_CACHE", cache)
	for path, want := range map[string]string{"org/other": "hf download org/other", "org/name@v2": "--revision v2", "/no/where": "check the path"} {
		_, err := NewPlan(t.Context(), Spec{Base: path, Models: models, Method: "task_arithmetic"})
		if !errors.Is(err, Problem{Code: codes.Open}) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestOtherFormatsAreRefused(t *testing.T) {
	base, _ := family(t, 2, safetensors.F32, 1)
	for name, content := range map[string]string{"pytorch_model.bin": "PK\x03\x04", "model.gguf": "GGUF\x03\x00\x00\x00"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(content), 0o644))
		for _, p := range []string{dir, path} {
			_, err := NewPlan(t.Context(), Spec{Base: base, Models: []Source{{"x", p}}, Method: "task_arithmetic"})
			if !errors.Is(err, Problem{Code: codes.NotConverted}) {
				t.Errorf("%s: %v", p, err)
			}
		}
	}
}

func TestVocabularies(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	root := t.TempDir()
	f := safetensors.F32
	name := "model.embed_tokens.weight"
	write := func(dir string, rows int64) (string, []float64) {
		m := model{name: drawn(r, f, 1, rows, 3)}
		path := m.write(t, filepath.Join(root, dir))
		must(t, os.WriteFile(filepath.Join(path, "config.json"), []byte(`{"vocab_size": 1}`), 0o644))
		return path, m[name].data
	}
	base, b := write("base", 4)
	x, xs := write("x", 6)
	y, ys := write("y", 3)
	spec := Spec{Base: base, Models: []Source{{"x", x}, {"y", y}}, Method: "task_arithmetic", Vocab: VocabCrop}
	at := map[string]float64{"x": 0.5, "y": 0.25}
	got := one(t, spec, at)[name]
	if got.shape[0] != 3 {
		t.Fatalf("cropped to %v", got.shape)
	}
	for e, v := range got.data {
		approx(t, "cropped", v, b[e]+0.5*(xs[e]-b[e])+0.25*(ys[e]-b[e]))
	}
	spec.Vocab = VocabPad
	dir := filepath.Join(t.TempDir(), "out")
	_, err := plan(t, spec).Write(t.Context(), []Output{{at, dir}}, WriteOptions{}, nil)
	must(t, err)
	got = read(t, dir)[name]
	if got.shape[0] != 6 {
		t.Fatalf("padded to %v", got.shape)
	}
	for e, v := range got.data {
		want := 0.0
		switch row := e / 3; {
		case row < 3:
			want = b[e] + 0.5*(xs[e]-b[e]) + 0.25*(ys[e]-b[e])
		case row < 4: // y has no such row, and asks for no change
			want = b[e] + 0.5*(xs[e]-b[e])
		default: // the base begins as x, the first that has the row
			want = xs[e]
		}
		approx(t, fmt.Sprintf("padded[%d]", e), v, want)
	}
	config, err := os.ReadFile(filepath.Join(dir, "config.json"))
	must(t, err)
	if string(config) != `{"vocab_size": 6}` {
		t.Errorf("config: %s", config)
	}
}

// What is wrong with a file is said once, with its path once and what to do.
func TestDamagedFilesSayWhatToDo(t *testing.T) {
	root := t.TempDir()
	for name, data := range map[string]string{
		"twice":   `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}` + "xx",
		"unknown": `{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,1]}}` + "x",
		"hole":    `{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}` + "xx",
		"short":   `{"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}` + "xx",
	} {
		path := filepath.Join(root, name+".safetensors")
		length := make([]byte, 8)
		length[0] = byte(strings.LastIndexByte(data, '}') + 1)
		must(t, os.WriteFile(path, append(length, data...), 0o644))
		_, err := NewPlan(t.Context(), Spec{Method: "linear", Models: []Source{{"x", path}}})
		for _, p := range problemsOf(t, err) {
			text := p.Error()
			if p.Code != codes.Format || strings.Count(text, path) != 1 || p.Fix == "" && !strings.Contains(text, "again") {
				t.Errorf("%s, want %s, the path once and what to do: %s", p.Code, codes.Format, text)
			}
		}
	}
}

// The memory that is announced knows what takes it: models, cuts in their order, factors of adapters.
func TestMemoryGrowsWithWhatTakesIt(t *testing.T) {
	base, models := family(t, 4, safetensors.BF16, 3)
	memory := func(method string, n int) int64 {
		return plan(t, Spec{Base: base, Models: models[:n], Method: method}).Summary().Memory
	}
	order := []int64{memory("task_arithmetic", 2), memory("task_arithmetic", 3), memory("ties", 2), memory("ties", 3), memory("breadcrumbs", 3)}
	if !slices.IsSorted(order) || order[4] < order[3]+4<<20 {
		t.Errorf("bytes: %v", order)
	}
	base, adapters, _ := adapted(t)
	p := plan(t, Spec{Base: base, Models: adapters, Method: "task_arithmetic"})
	if got := p.models[0].factorMemory(); got != 4*2*5 { // lora_A of square, rank 2
		t.Errorf("the factors of an adapter take %d bytes", got)
	}
}
