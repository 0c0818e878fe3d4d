package safetensors_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parfait/merge/safetensors"

	"pgregory.net/rapid"
)

// cases reads testdata/golden/cases.json: the tensors of each golden file, in no particular order.
func cases(t *testing.T, dir string) map[string][]safetensors.Tensor {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var listing map[string][]struct {
		Name, DType string
		Shape       []int64
	}
	if err := json.Unmarshal(raw, &listing); err != nil {
		t.Fatal(err)
	}
	out := map[string][]safetensors.Tensor{}
	for name, list := range listing {
		out[name] = []safetensors.Tensor{}
		for _, x := range list {
			d, ok := safetensors.ParseDType(x.DType)
			if !ok {
				t.Fatalf("%s: dtype %q", name, x.DType)
			}
			out[name] = append(out[name], safetensors.Tensor{Name: x.Name, DType: d, Shape: x.Shape})
		}
	}
	return out
}

// counter is the content that testdata/reference.py gives every tensor.
func counter(t safetensors.Tensor) ([]byte, error) {
	b := make([]byte, t.Size)
	for i := range b {
		b[i] = byte(i % 251)
		if t.DType == safetensors.Bool {
			b[i] %= 2
		}
	}
	return b, nil
}

// checkAgainstReference compares what a Layout writes with the reference library's files in dir.
func checkAgainstReference(t *testing.T, dir string) {
	for name, list := range cases(t, dir) {
		want, err := os.ReadFile(filepath.Join(dir, name+".safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		l, err := safetensors.NewLayout(list, safetensors.FormatPT())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got bytes.Buffer
		if err := l.Write(&got, counter); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: other bytes than the reference library's\n got %q\nwant %q", name, got.Bytes(), want)
		}
		if int64(len(want)) != l.Size() {
			t.Errorf("%s: Size() = %d, the file has %d bytes", name, l.Size(), len(want))
		}
		f, err := safetensors.Open(filepath.Join(dir, name+".safetensors"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(f.Tensors()) != len(list) || f.Metadata()["format"] != "pt" {
			t.Errorf("%s: read back %d tensors and %v, expected %d", name, len(f.Tensors()), f.Metadata(), len(list))
		}
		for i, tensor := range l.Tensors() {
			if read := f.Tensors()[i]; !same(read, tensor) {
				t.Errorf("%s: wrote %+v, read %+v", name, tensor, read)
			}
			b, err := f.Bytes(tensor)
			if expect, _ := counter(tensor); err != nil || !bytes.Equal(b, expect) {
				t.Errorf("%s: %s: bytes %v, %v", name, tensor.Name, b, err)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func same(a, b safetensors.Tensor) bool {
	return a.Name == b.Name && a.DType == b.DType && slices.Equal(a.Shape, b.Shape) && a.Offset == b.Offset && a.Size == b.Size
}

func TestGoldenFiles(t *testing.T) { checkAgainstReference(t, filepath.Join("testdata", "golden")) }

// TestReferenceLibrary makes the golden files anew with the Python that PARFAIT_PYTHON names, in which
// safetensors, numpy and ml_dtypes are installed, and has it read ours.
func TestReferenceLibrary(t *testing.T) {
	python := os.Getenv("PARFAIT_PYTHON")
	if python == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("PARFAIT_PYTHON is not set: expected the path of a Python with safetensors, numpy and ml_dtypes")
		}
		t.Skip("PARFAIT_PYTHON is not set")
	}
	dir := t.TempDir()
	if out, err := exec.Command(python, filepath.Join("testdata", "reference.py"), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	checkAgainstReference(t, dir)
	out, err := exec.Command(python, filepath.Join("testdata", "verdicts.py"), filepath.Join("testdata", "hostile")).Output()
	if err != nil {
		t.Fatalf("verdicts.py: %v", err)
	}
	// We are stricter than the library in places, never laxer.
	for line := range strings.Lines(string(out)) {
		verdict, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		f, err := safetensors.Open(filepath.Join("testdata", "hostile", name))
		if err == nil {
			_ = f.Close()
		}
		if verdict == "refused" && err == nil {
			t.Errorf("%s: the reference library refuses it, we do not", name)
		}
	}
}

func TestLayoutErrors(t *testing.T) {
	ok := safetensors.Tensor{Name: "a", DType: safetensors.F32, Shape: []int64{2}}
	for _, c := range []struct {
		name string
		list []safetensors.Tensor
		want []safetensors.Code
	}{
		{"twice", []safetensors.Tensor{ok, ok}, []safetensors.Code{safetensors.Duplicate}},
		{"reserved", []safetensors.Tensor{{Name: "__metadata__", DType: safetensors.U8}}, []safetensors.Code{safetensors.Name}},
		{"not UTF-8", []safetensors.Tensor{{Name: "\xff", DType: safetensors.U8}}, []safetensors.Code{safetensors.Name}},
		{"no dtype", []safetensors.Tensor{{Name: "a"}}, []safetensors.Code{safetensors.UnknownDType}},
		{"negative", []safetensors.Tensor{{Name: "a", DType: safetensors.U8, Shape: []int64{-1}}}, []safetensors.Code{safetensors.Shape}},
		{"overflow", []safetensors.Tensor{{Name: "a", DType: safetensors.F32, Shape: []int64{1 << 31, 1 << 31}}}, []safetensors.Code{safetensors.Overflow}},
		{"half a byte", []safetensors.Tensor{{Name: "a", DType: safetensors.F4, Shape: []int64{3}}}, []safetensors.Code{safetensors.SizeMismatch}},
		{
			"sum overflows",
			many(8, safetensors.Tensor{DType: safetensors.U8, Shape: []int64{1<<60 - 1}}),
			[]safetensors.Code{safetensors.Overflow},
		},
		{
			"all at once",
			[]safetensors.Tensor{{Name: "a"}, {Name: "b", DType: safetensors.U8, Shape: []int64{-1}}},
			[]safetensors.Code{safetensors.Shape, safetensors.UnknownDType},
		},
	} {
		_, err := safetensors.NewLayout(c.list, nil)
		if got := safetensors.Codes(err); !slices.Equal(got, c.want) {
			t.Errorf("%s: codes %v, expected %v (%v)", c.name, got, c.want, err)
		}
	}
	if _, err := safetensors.NewLayout(nil, map[string]string{"a": "\xff"}); !slices.Equal(safetensors.Codes(err), []safetensors.Code{safetensors.Metadata}) {
		t.Errorf("metadata: %v", err)
	}
}

// many is n tensors like t with names of their own.
func many(n int, t safetensors.Tensor) []safetensors.Tensor {
	var list []safetensors.Tensor
	for i := range n {
		t.Name = string(rune('a' + i))
		list = append(list, t)
	}
	return list
}

// TestLayoutRoundTrip: what is laid out and written is read back, whatever the names and shapes, and
// the order in which tensors are given makes no difference.
func TestLayoutRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.String(), 0, 8, rapid.ID).Draw(t, "names")
		var list []safetensors.Tensor
		for _, name := range names {
			if name == "__metadata__" || strings.ToValidUTF8(name, "") != name {
				continue
			}
			shape := rapid.SliceOfN(rapid.Int64Range(0, 4), 0, 3).Draw(t, "shape")
			shape = append(shape, 4) // whole bytes for the small dtypes
			list = append(list, safetensors.Tensor{Name: name, DType: rapid.SampledFrom(safetensors.DTypes()).Draw(t, "dtype"), Shape: shape})
		}
		meta := rapid.MapOf(rapid.StringMatching(`[\w"\\é\n]*`), rapid.StringMatching(`[\w"\\é\n]*`)).Draw(t, "metadata")
		l, err := safetensors.NewLayout(list, meta)
		if err != nil {
			t.Fatal(err)
		}
		shuffled, err := safetensors.NewLayout(rapid.Permutation(list).Draw(t, "permutation"), meta)
		if err != nil || !bytes.Equal(l.Header(), shuffled.Header()) {
			t.Fatalf("another header after a permutation: %v", err)
		}
		var b bytes.Buffer
		if err := l.Write(&b, counter); err != nil {
			t.Fatal(err)
		}
		f, err := safetensors.NewFile("x", memory(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(f.Tensors(), l.Tensors(), same) {
			t.Fatalf("wrote %+v, read %+v", l.Tensors(), f.Tensors())
		}
		for key, value := range meta {
			if f.Metadata()[key] != value {
				t.Fatalf("metadata[%q] = %q, wrote %q", key, f.Metadata()[key], value)
			}
		}
		if len(l.Header())%8 != 0 {
			t.Fatalf("the header has %d bytes", len(l.Header()))
		}
	})
}

// memory is a Source of bytes.
func memory(b []byte) safetensors.Source { return source{bytes.NewReader(b)} }

type source struct{ *bytes.Reader }

func (source) Close() error { return nil }
