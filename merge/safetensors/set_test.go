package safetensors_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"parfait/merge/safetensors"
)

// model writes a model of small tensors over shards of at most most bytes into a new folder.
func model(t *testing.T, most int64, tensors ...safetensors.Tensor) string {
	t.Helper()
	dir := t.TempDir()
	shards, err := safetensors.Split(tensors, most)
	if err != nil {
		t.Fatal(err)
	}
	for _, shard := range shards {
		writeFile(t, filepath.Join(dir, shard.Name), shard.Tensors)
	}
	if len(shards) > 1 {
		index, err := safetensors.Index(shards)
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, safetensors.IndexName), string(index))
	}
	return dir
}

func writeFile(t *testing.T, path string, tensors []safetensors.Tensor) {
	t.Helper()
	l, err := safetensors.NewLayout(tensors, safetensors.FormatPT())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := l.Write(&b, counter); err != nil {
		t.Fatal(err)
	}
	put(t, path, b.String())
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func abc() []safetensors.Tensor {
	return []safetensors.Tensor{
		{Name: "c", DType: safetensors.BF16, Shape: []int64{3}},
		{Name: "a", DType: safetensors.F32, Shape: []int64{2, 2}},
		{Name: "b", DType: safetensors.I64, Shape: []int64{}},
	}
}

func TestOpenModel(t *testing.T) {
	sharded := model(t, 10, abc()...)
	single := model(t, 0, abc()...)
	// A hub cache: a snapshot of links to blobs outside its folder.
	snapshot := filepath.Join(t.TempDir(), "snapshots", "0123")
	if err := os.MkdirAll(snapshot, 0o755); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(sharded)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.Symlink(filepath.Join(sharded, name.Name()), filepath.Join(snapshot, name.Name())); err != nil {
			t.Fatal(err)
		}
	}
	for path, files := range map[string]int{
		single: 1, filepath.Join(single, safetensors.SingleName): 1, sharded: 3, snapshot: 3,
	} {
		s, err := safetensors.OpenModel(path)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.Names(), []string{"a", "b", "c"}) || s.Len() != 3 || len(s.Tensors()) != 3 || s.Size() != 30 || len(s.Files()) != files || s.Path() != path {
			t.Errorf("%s: names %v, %d tensors of %d bytes in %d files, path %s", path, s.Names(), s.Len(), s.Size(), len(s.Files()), s.Path())
		}
		for _, want := range abc() {
			f, tensor, ok := s.Lookup(want.Name)
			if !ok || tensor.DType != want.DType || !slices.Equal(tensor.Shape, want.Shape) {
				t.Errorf("%s: %s is %+v", path, want.Name, tensor)
				continue
			}
			b, err := f.Bytes(tensor)
			if expect, _ := counter(tensor); err != nil || !bytes.Equal(b, expect) {
				t.Errorf("%s: %s holds %v, %v", path, want.Name, b, err)
			}
		}
		if _, _, ok := s.Lookup("d"); ok {
			t.Errorf("%s: a tensor d was found", path)
		}
		if err := errors.Join(s.Unchanged(), s.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenFolderErrors(t *testing.T) {
	index := func(members string) string {
		return `{"metadata": {"total_size": 30}, "weight_map": {` + members + `}}`
	}
	const first, second, third = "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors"
	right := index(fmt.Sprintf(`"c": %q, "a": %q, "b": %q`, first, second, third))
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		codes []safetensors.Code
		says  string
	}{
		{"nothing wrong", func(t *testing.T, dir string) { put(t, filepath.Join(dir, safetensors.IndexName), right) }, nil, ""},
		{"missing shards", func(t *testing.T, dir string) {
			_ = os.Remove(filepath.Join(dir, first))
			_ = os.Remove(filepath.Join(dir, third))
		}, []safetensors.Code{safetensors.ShardMissing, safetensors.ShardMissing}, first},
		{"a broken and a missing shard", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, first), "{}")
			_ = os.Remove(filepath.Join(dir, third))
		}, []safetensors.Code{safetensors.TooSmall, safetensors.ShardMissing}, third},
		{"dangling link", func(t *testing.T, dir string) {
			_ = os.Remove(filepath.Join(dir, first))
			_ = os.Symlink("../blobs/gone", filepath.Join(dir, first))
		}, []safetensors.Code{safetensors.Unreadable}, "a link to ../blobs/gone"},
		{"tensor elsewhere", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, safetensors.IndexName), index(fmt.Sprintf(`"c": %q, "a": %q, "b": %q`, second, first, third)))
		}, []safetensors.Code{safetensors.TensorMissing, safetensors.TensorMissing}, `tensor "c": the index puts it in ` + second},
		{"tensor that no shard holds", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, safetensors.IndexName), strings.Replace(right, `"c"`, fmt.Sprintf(`"d": %q, "c"`, third), 1))
		}, []safetensors.Code{safetensors.TensorMissing}, `"d"`},
		{"tensor not in the index", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, safetensors.IndexName), strings.Replace(right, `"c"`, `"d"`, 1))
		}, []safetensors.Code{safetensors.TensorMissing, safetensors.TensorUnlisted}, first + " holds it"},
		{"tensor in two shards", func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, third), abc()[1:])
		}, []safetensors.Code{safetensors.TensorTwice}, "both in " + second + " and in " + third},
		{"path outside", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, safetensors.IndexName), strings.ReplaceAll(right, first, "../"+first))
		}, []safetensors.Code{safetensors.ShardPath}, "in the folder of the index"},
		{"every way outside", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, safetensors.IndexName), index(`"a": "/etc/passwd", "b": "x/../../y", "c": "..\\y", "d": "", "e": "C:x", "f": ".", "g": "a\u0000b"`))
		}, slices.Repeat([]safetensors.Code{safetensors.ShardPath}, 7), `"/etc/passwd"`},
		{"name twice", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, safetensors.IndexName), strings.Replace(right, `"c"`, `"a"`, 1))
		}, []safetensors.Code{safetensors.Duplicate}, "twice in weight_map"},
		{"no weight_map", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, safetensors.IndexName), `{"metadata": {}}`)
		}, []safetensors.Code{safetensors.IndexJSON}, "expected a weight_map"},
		{"garbage", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, safetensors.IndexName), `{"weight_map": {"a": 1}}`)
		}, []safetensors.Code{safetensors.IndexJSON}, `expected '"', found '1' at byte 21`},
		{"index is a folder", func(t *testing.T, dir string) {
			_ = os.Remove(filepath.Join(dir, safetensors.IndexName))
			_ = os.Mkdir(filepath.Join(dir, safetensors.IndexName), 0o755)
		}, []safetensors.Code{safetensors.NotRegular}, "found a folder"},
		{"no index", func(t *testing.T, dir string) {
			_ = os.Remove(filepath.Join(dir, safetensors.IndexName))
		}, []safetensors.Code{safetensors.NoModel}, "give the path of the file itself"},
	} {
		dir := model(t, 10, abc()...)
		c.spoil(t, dir)
		s, err := safetensors.OpenModel(dir)
		if got := safetensors.Codes(err); !slices.Equal(got, c.codes) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: codes %v, expected %v and %q: %v", c.name, got, c.codes, c.says, err)
		}
		if err == nil {
			_ = s.Close()
		}
	}
}

func TestNoModel(t *testing.T) {
	for file, says := range map[string]string{
		"":                  "found no model in it",
		"pytorch_model.bin": "save_pretrained",
		"model.Q4.gguf":     "found model.Q4.gguf",
	} {
		dir := t.TempDir()
		if file != "" {
			put(t, filepath.Join(dir, file), "")
		}
		_, err := safetensors.OpenModel(dir)
		if !slices.Equal(safetensors.Codes(err), []safetensors.Code{safetensors.NoModel}) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]safetensors.Code{
		dir: safetensors.NotRegular, pipe: safetensors.NotRegular, filepath.Join(dir, "none"): safetensors.Unreadable, "/dev/zero": safetensors.NotRegular,
	} {
		_, err := safetensors.Open(path)
		var e *safetensors.FormatError
		if !errors.As(err, &e) || e.Code != want || e.Path != path || strings.Count(err.Error(), path) != 1 {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := safetensors.Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v is not os.ErrNotExist", err)
	}
}

func TestUnchanged(t *testing.T) {
	path := filepath.Join(model(t, 0, abc()...), safetensors.SingleName)
	for name, spoil := range map[string]func(*os.File) error{
		"touched":  func(f *os.File) error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)) },
		"extended": func(f *os.File) error { _, err := f.WriteAt([]byte{1}, 1<<20); return err },
		"cut":      func(f *os.File) error { return f.Truncate(9) },
	} {
		writeFile(t, path, abc())
		s, err := safetensors.OpenModel(path)
		if err != nil {
			t.Fatal(err)
		}
		w, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.Unchanged(), spoil(w), w.Close()); err != nil {
			t.Fatal(err)
		}
		if err := s.Unchanged(); !slices.Equal(safetensors.Codes(err), []safetensors.Code{safetensors.Changed}) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "cut" {
			f, tensor, _ := s.Lookup("a")
			if _, err := f.Bytes(tensor); !slices.Equal(safetensors.Codes(err), []safetensors.Code{safetensors.Unreadable}) {
				t.Errorf("reading a file that was cut: %v", err)
			}
		}
		_ = s.Close()
	}
}

func TestSplit(t *testing.T) {
	sizes := []int64{4, 4, 9, 0, 3, 3, 3, 8}
	var list []safetensors.Tensor
	for i, n := range sizes {
		list = append(list, safetensors.Tensor{Name: string(rune('a' + i)), DType: safetensors.U8, Shape: []int64{n}})
	}
	for most, want := range map[int64]string{
		0: "abcdefgh", 100: "abcdefgh", 34: "abcdefgh", 33: "abcdefg h", 8: "ab c def g h", 9: "ab cd efg h", 1: "a b c de f g h",
	} {
		shards, err := safetensors.Split(list, most)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, shard := range shards {
			names := ""
			for _, tensor := range shard.Tensors {
				names += tensor.Name
			}
			got = append(got, names)
			name := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(shards))
			if len(shards) == 1 {
				name = "model.safetensors"
			}
			if shard.Name != name {
				t.Errorf("shard %d of %d is called %s", i+1, len(shards), shard.Name)
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("shards of %d bytes: %q, expected %q", most, s, want)
		}
	}
	if _, err := safetensors.Split([]safetensors.Tensor{{Name: "a"}}, 1); !slices.Equal(safetensors.Codes(err), []safetensors.Code{safetensors.UnknownDType}) {
		t.Errorf("no dtype: %v", err)
	}
	if shards, err := safetensors.Split(nil, 5); err != nil || len(shards) != 1 || shards[0].Name != safetensors.SingleName {
		t.Errorf("no tensors: %v, %v", shards, err)
	}
}

// TestIndexGolden: the bytes that Python's json module writes for transformers.
func TestIndexGolden(t *testing.T) {
	dir := filepath.Join("testdata", "golden")
	want, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var shards []safetensors.Shard
	list := cases(t, dir)["names"]
	for i, tensor := range list {
		shards = append(shards, safetensors.Shard{Name: fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(list)), Tensors: []safetensors.Tensor{tensor}})
	}
	got, err := safetensors.Index(shards)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("index %s, expected %s (%v)", got, want, err)
	}
	shards = append(shards, shards[0])
	if _, err := safetensors.Index(shards); !slices.Equal(safetensors.Codes(err), []safetensors.Code{safetensors.TensorTwice}) {
		t.Errorf("a tensor in two shards: %v", err)
	}
}
