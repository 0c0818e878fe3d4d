package safetensors_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"parfait/merge/safetensors"
)

var update = flag.Bool("update", false, "write testdata/hostile anew")

// file builds a file: the header's true length, the header, n bytes of data.
func file(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

// length builds a file whose header claims a length of n.
func length(n uint64, rest string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, n), rest...)
}

func tensor(name, dtype, shape, offsets string) string {
	return fmt.Sprintf(`"%s":{"dtype":"%s","shape":%s,"data_offsets":%s}`, name, dtype, shape, offsets)
}

func object(members ...string) string { return "{" + strings.Join(members, ",") + "}" }

// hostile is the corpus: files and the codes that reading them gives; no codes: a sound file.
// testdata/hostile has the same as files, for other implementations and for the fuzzer.
var hostile = []struct {
	name  string
	file  []byte
	codes []safetensors.Code
}{
	{"ok-empty", file("{}", 0), nil},
	{"ok-padded", file("{}      ", 0), nil},
	{"ok-white-space-inside", file("{ \"a\" :\n\t{\"dtype\": \"U8\", \"shape\": [ 2 ], \"data_offsets\": [0 , 2]}\r\n}", 2), nil},
	{"ok-metadata", file(`{"__metadata__":{"format":"pt","note":"é\u00e9\ud83d\ude00"}}`, 0), nil},
	{"ok-not-in-order", file(object(tensor("b", "U8", "[1]", "[2,3]"), tensor("a", "U16", "[1]", "[0,2]")), 3), nil},
	{"ok-empty-tensors", file(object(tensor("a", "F32", "[0,5]", "[0,0]"), tensor("b", "U8", "[1]", "[0,1]"), tensor("c", "F64", "[0]", "[1,1]")), 1), nil},
	{"ok-scalar", file(object(tensor("a", "BF16", "[]", "[0,2]")), 2), nil},
	{"ok-half-bytes", file(object(tensor("a", "F4", "[2,3]", "[0,3]"), tensor("b", "F6_E2M3", "[4]", "[3,6]")), 6), nil},
	{"ok-empty-name", file(object(tensor("", "U8", "[1]", "[0,1]")), 1), nil},

	{"empty-file", nil, []safetensors.Code{safetensors.TooSmall}},
	{"seven-bytes", []byte("1234567"), []safetensors.Code{safetensors.TooSmall}},
	{"length-0", length(0, ""), []safetensors.Code{safetensors.HeaderLength}},
	{"length-beyond-file", length(3, "{}"), []safetensors.Code{safetensors.HeaderLength}},
	{"length-above-limit", length(100_000_001, "{}"), []safetensors.Code{safetensors.HeaderLength}},
	{"length-wraps", length(1<<64-8, "{}"), []safetensors.Code{safetensors.HeaderLength}},
	{"length-sign-bit", length(1<<63, "{}"), []safetensors.Code{safetensors.HeaderLength}},
	{"length-cuts-json", length(1, "{}"), []safetensors.Code{safetensors.HeaderJSON}},
	{"git-lfs-pointer", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"), []safetensors.Code{safetensors.NotThisKind}},
	{"gguf", []byte("GGUF\x03\x00\x00\x00\x00\x00\x00\x00"), []safetensors.Code{safetensors.NotThisKind}},
	{"zip", []byte("PK\x03\x04\x00\x00\x08\x08\x00\x00\x00\x00"), []safetensors.Code{safetensors.NotThisKind}},
	{"starts-with-array", file("[]", 0), []safetensors.Code{safetensors.HeaderStart}},
	{"starts-with-space", file(" {}", 0), []safetensors.Code{safetensors.HeaderStart}},
	{"starts-with-mark", file("\xef\xbb\xbf{}", 0), []safetensors.Code{safetensors.HeaderStart}},
	{"not-utf8", file("{\"\xff\":1}", 0), []safetensors.Code{safetensors.HeaderUTF8}},
	{"surrogate-as-utf8", file("{\"\xed\xa0\x80\":1}", 0), []safetensors.Code{safetensors.HeaderUTF8}},
	{"padded-with-nul", file("{}\x00\x00", 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"padded-with-line-feed", file("{}\n", 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"two-objects", file("{}{}", 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"comma-at-end", file(`{"__metadata__":{},}`, 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"no-colon", file(`{"a" {}}`, 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"name-not-quoted", file(`{a:{}}`, 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"comment", file(`{/**/}`, 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"lone-surrogate", file(`{"\ud83d":{}}`, 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"reversed-surrogates", file(`{"\ude00\ud83d":{}}`, 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"unknown-escape", file(`{"\x41":{}}`, 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"short-escape", file(`{"\u00"`, 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"backslash-at-end", file(`{"\`, 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"control-character", file("{\"a\nb\":{}}", 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"string-without-end", file(`{"a`, 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"tensor-is-number", file(`{"a":1}`, 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"tensor-is-null", file(`{"a":null}`, 0), []safetensors.Code{safetensors.HeaderJSON}},
	{"deep", file("{\"a\":"+strings.Repeat("[", 100_000), 0), []safetensors.Code{safetensors.HeaderJSON}},

	{"name-twice", file(object(tensor("a", "U8", "[1]", "[0,1]"), tensor("a", "U8", "[1]", "[1,2]")), 2), []safetensors.Code{safetensors.Duplicate}},
	{"name-twice-escaped", file(object(tensor("a", "U8", "[1]", "[0,1]"), tensor(`\u0061`, "U8", "[1]", "[1,2]")), 2), []safetensors.Code{safetensors.Duplicate}},
	{"field-twice", file(`{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}`, 1), []safetensors.Code{safetensors.Duplicate}},
	{"metadata-twice", file(`{"__metadata__":{},"__metadata__":{}}`, 0), []safetensors.Code{safetensors.Duplicate}},
	{"metadata-key-twice", file(`{"__metadata__":{"a":"","a":""}}`, 0), []safetensors.Code{safetensors.Duplicate}},
	{"metadata-number", file(`{"__metadata__":{"a":1}}`, 0), []safetensors.Code{safetensors.Metadata}},
	{"metadata-nested", file(`{"__metadata__":{"a":{}}}`, 0), []safetensors.Code{safetensors.Metadata}},
	{"metadata-list", file(`{"__metadata__":["a"]}`, 0), []safetensors.Code{safetensors.Metadata}},
	{"metadata-null", file(`{"__metadata__":null}`, 0), []safetensors.Code{safetensors.Metadata}},
	{"no-dtype", file(`{"a":{"shape":[1],"data_offsets":[0,1]}}`, 1), []safetensors.Code{safetensors.Field}},
	{"no-fields", file(`{"a":{}}`, 0), []safetensors.Code{safetensors.Field, safetensors.Field, safetensors.Field}},
	{"unknown-field", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"strides":[1]}}`, 1), []safetensors.Code{safetensors.Field}},
	{"dtype-unknown", file(object(tensor("a", "F128", "[1]", "[0,16]")), 16), []safetensors.Code{safetensors.UnknownDType}},
	{"dtype-lower-case", file(object(tensor("a", "bf16", "[1]", "[0,2]")), 2), []safetensors.Code{safetensors.UnknownDType}},
	{"dtype-number", file(`{"a":{"dtype":1,"shape":[1],"data_offsets":[0,1]}}`, 1), []safetensors.Code{safetensors.HeaderJSON}},
	{"shape-negative", file(object(tensor("a", "U8", "[-1]", "[0,1]")), 1), []safetensors.Code{safetensors.Shape}},
	{"shape-fraction", file(object(tensor("a", "U8", "[1.0]", "[0,1]")), 1), []safetensors.Code{safetensors.Shape}},
	{"shape-exponent", file(object(tensor("a", "U8", "[1e0]", "[0,1]")), 1), []safetensors.Code{safetensors.Shape}},
	{"shape-leading-zero", file(object(tensor("a", "U8", "[01]", "[0,1]")), 1), []safetensors.Code{safetensors.Shape}},
	{"shape-string", file(object(tensor("a", "U8", `["1"]`, "[0,1]")), 1), []safetensors.Code{safetensors.Shape}},
	{"shape-number", file(object(tensor("a", "U8", "1", "[0,1]")), 1), []safetensors.Code{safetensors.Shape}},
	{"shape-above-63-bits", file(object(tensor("a", "U8", "[9223372036854775808]", "[0,1]")), 1), []safetensors.Code{safetensors.Shape}},
	{"shape-wraps-to-0", file(object(tensor("a", "U8", "[4294967296,4294967296]", "[0,0]")), 0), []safetensors.Code{safetensors.Overflow}},
	{"shape-wraps-to-4", file(object(tensor("a", "F32", "[4611686018427387905]", "[0,4]")), 4), []safetensors.Code{safetensors.Overflow}},
	{"shape-wraps-before-0", file(object(tensor("a", "U8", "[4294967296,4294967296,0]", "[0,0]")), 0), []safetensors.Code{safetensors.Overflow}},
	{"offsets-negative", file(object(tensor("a", "U8", "[1]", "[-1,0]")), 0), []safetensors.Code{safetensors.Offsets}},
	{"offsets-reversed", file(object(tensor("a", "U8", "[1]", "[1,0]")), 1), []safetensors.Code{safetensors.Offsets}},
	{"offsets-one", file(object(tensor("a", "U8", "[1]", "[1]")), 1), []safetensors.Code{safetensors.Offsets}},
	{"offsets-three", file(object(tensor("a", "U8", "[1]", "[0,1,1]")), 1), []safetensors.Code{safetensors.Offsets}},
	{"offsets-null", file(object(tensor("a", "U8", "[1]", "null")), 1), []safetensors.Code{safetensors.Offsets}},
	{"offsets-wrap", file(object(tensor("a", "U8", "[1]", "[9223372036854775806,9223372036854775807]")), 1), []safetensors.Code{safetensors.Overflow}},
	{"size-too-long", file(object(tensor("a", "F32", "[2]", "[0,9]")), 9), []safetensors.Code{safetensors.SizeMismatch}},
	{"size-too-short", file(object(tensor("a", "F32", "[2]", "[0,4]")), 4), []safetensors.Code{safetensors.SizeMismatch}},
	{"size-half-a-byte", file(object(tensor("a", "F4", "[3]", "[0,2]")), 2), []safetensors.Code{safetensors.SizeMismatch}},
	{"size-three-quarters-of-a-byte", file(object(tensor("a", "F6_E3M2", "[1]", "[0,1]")), 1), []safetensors.Code{safetensors.SizeMismatch}},
	{"overlap", file(object(tensor("a", "U8", "[2]", "[0,2]"), tensor("b", "U8", "[2]", "[1,3]")), 3), []safetensors.Code{safetensors.Overlap}},
	{"overlap-same-place", file(object(tensor("a", "U8", "[2]", "[0,2]"), tensor("b", "U8", "[2]", "[0,2]")), 2), []safetensors.Code{safetensors.Overlap}},
	{"overlap-empty-inside", file(object(tensor("a", "U8", "[2]", "[0,2]"), tensor("b", "U8", "[0]", "[1,1]")), 2), []safetensors.Code{safetensors.Overlap}},
	{"hole-at-start", file(object(tensor("a", "U8", "[1]", "[1,2]")), 2), []safetensors.Code{safetensors.Hole}},
	{"hole-between", file(object(tensor("a", "U8", "[1]", "[0,1]"), tensor("b", "U8", "[1]", "[2,3]")), 3), []safetensors.Code{safetensors.Hole}},
	{"truncated", file(object(tensor("a", "U8", "[3]", "[0,3]")), 2), []safetensors.Code{safetensors.Truncated}},
	{"truncated-all", file(object(tensor("a", "F64", "[1000000]", "[0,8000000]")), 0), []safetensors.Code{safetensors.Truncated}},
	{"trailing", file(object(tensor("a", "U8", "[1]", "[0,1]")), 2), []safetensors.Code{safetensors.Trailing}},
	{"trailing-no-tensors", file("{}", 1), []safetensors.Code{safetensors.Trailing}},
	{
		"three-faults",
		file(object(tensor("a", "F1", "[1]", "[0,1]"), tensor("b", "U8", "[2]", "[1,2]"), tensor("c", "U8", "[1]", "[3,2]")), 3),
		[]safetensors.Code{safetensors.UnknownDType, safetensors.SizeMismatch, safetensors.Offsets},
	},
}

func TestHostileFiles(t *testing.T) {
	dir := filepath.Join("testdata", "hostile")
	if *update {
		if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
			t.Fatal(err)
		}
		for _, c := range hostile {
			if err := os.WriteFile(filepath.Join(dir, c.name), c.file, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range hostile {
		path := filepath.Join(dir, c.name)
		onDisk, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(onDisk, c.file) {
			t.Errorf("%s is not what the table says (run with -update): %v", path, err)
		}
		f, err := safetensors.Open(path)
		if got := safetensors.Codes(err); !slices.Equal(got, c.codes) {
			t.Errorf("%s: codes %v, expected %v: %v", c.name, got, c.codes, err)
		}
		if err != nil {
			if !strings.Contains(err.Error(), path) || len(err.Error()) > 4000 {
				t.Errorf("%s: the message does not name the file or is too long: %.300q", c.name, err)
			}
			continue
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(hostile) {
		t.Errorf("%d files in %s, %d in the table (run with -update): %v", len(entries), dir, len(hostile), err)
	}
}

// TestEveryPrefix: a file cut anywhere is refused, and so is one with a byte more.
func TestEveryPrefix(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join("testdata", "golden", "order.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if _, err := safetensors.NewFile("cut", memory(whole[:n]), int64(n)); err == nil {
			t.Errorf("the first %d of %d bytes are accepted", n, len(whole))
		}
	}
	if _, err := safetensors.NewFile("long", memory(append(whole, 0)), int64(len(whole)+1)); !slices.Equal(safetensors.Codes(err), []safetensors.Code{safetensors.Trailing}) {
		t.Errorf("a byte more: %v", err)
	}
}

// TestManyProblems: millions of faults do not become millions of messages.
func TestManyProblems(t *testing.T) {
	var members []string
	for i := range 1000 {
		members = append(members, tensor(fmt.Sprint(i), "F1", "[1]", "[0,1]"))
	}
	b := file(object(members...), 1)
	_, err := safetensors.NewFile("many", memory(b), int64(len(b)))
	if n := len(safetensors.Codes(err)); n != 20 || !strings.Contains(err.Error(), "and 980 more problems") {
		t.Errorf("%d codes: %v", n, err)
	}
}

// TestReadFails: an error of the system is told as such, wherever it comes.
func TestReadFails(t *testing.T) {
	b := file(object(tensor("a", "U8", "[1]", "[0,1]")), 1)
	for fail := range 2 {
		_, err := safetensors.NewFile("bad", &failing{b, fail}, int64(len(b)))
		if !errors.Is(err, errDisk) || !slices.Equal(safetensors.Codes(err), []safetensors.Code{safetensors.Unreadable}) {
			t.Errorf("read %d fails: %v", fail, err)
		}
	}
	// The size was taken before the file shrank.
	_, err := safetensors.NewFile("shrunk", memory(b[:12]), int64(len(b)))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that shrank: %v", err)
	}
}

var errDisk = errors.New("disk on fire")

// failing gives errDisk at the given read.
type failing struct {
	b  []byte
	in int
}

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	f.in--
	if f.in < 0 {
		return 0, errDisk
	}
	return bytes.NewReader(f.b).ReadAt(p, off)
}

func (f *failing) Close() error { return nil }

// FuzzOpen: no input panics, takes memory beyond a multiple of its size, or yields tensors that do not
// cover the data exactly. What is accepted is written again to the same tensors.
func FuzzOpen(f *testing.F) {
	for _, c := range hostile {
		f.Add(c.file)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		file, err := safetensors.NewFile("fuzz", memory(b), int64(len(b)))
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > uint64(32*len(b)+1<<20) {
			t.Fatalf("%d bytes of input took %d of memory", len(b), took)
		}
		if err != nil {
			if len(safetensors.Codes(err)) == 0 {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		end := int64(len(b))
		for i := range slices.Backward(file.Tensors()) {
			tensor := file.Tensors()[i]
			if tensor.Offset+tensor.Size != end {
				t.Fatalf("%+v does not end at %d", tensor, end)
			}
			if tensor.Size*8 != tensor.Elements()*tensor.DType.Bits() {
				t.Fatalf("%+v: %d elements", tensor, tensor.Elements())
			}
			if found, ok := file.Tensor(tensor.Name); !ok || !same(found, tensor) {
				t.Fatalf("%q is found as %+v", tensor.Name, found)
			}
			if _, err := file.Bytes(tensor); err != nil {
				t.Fatal(err)
			}
			end = tensor.Offset
		}
		if _, err := safetensors.NewLayout(file.Tensors(), file.Metadata()); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}
