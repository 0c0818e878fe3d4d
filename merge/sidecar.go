package merge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"parfait/merge/codes"
	"parfait/problem"
)

// sidecar is a file that stands beside the weights: a copy of another one, or new.
type sidecar struct {
	name string
	from string // "" for data
	data []byte
}

// size in bytes; 0 where it cannot be looked at, which is said when it is read.
func (f sidecar) size() int64 {
	if f.from == "" {
		return int64(len(f.data))
	}
	info, err := os.Stat(f.from)
	if err != nil {
		return 0
	}
	return info.Size()
}

// into adds the file to an output.
func (f sidecar) into(out *output, durable bool) error {
	if f.from == "" {
		return out.addFile(f.name, f.data, durable)
	}
	from, err := openRegular(f.from)
	if err != nil {
		return Problem{Code: codes.Read, Where: f.from, What: reason(err), Expected: "a file that can be read", Fix: "check its permissions"}
	}
	defer from.Close() //nolint:errcheck // read only
	return out.addFrom(f.name, from, durable)
}

// maxSidecar is the most bytes of a file that is taken for configuration or a tokenizer.
const maxSidecar = 1 << 30

// sidecarPatterns are the files that make a folder of weights a model: configuration, tokenizer, chat
// template, preprocessor, custom code, licence.
var sidecarPatterns = []string{
	"*.json", "*.jinja", "*.model", "*.model.v*", "*.spm", "*.tiktoken", "vocab.txt", "vocab.bpe", "merges.txt", "bpe.codes", "dict.txt", "*.py",
	"LICENSE*", "NOTICE*", "USE_POLICY*",
}

// notSidecars are files that the patterns match and that say something about the base only.
var notSidecars = []string{
	"*.index.json", "adapter_config.json", "trainer_state.json", "receipt.json", "*_results.json", "training_args*.json",
}

// sidecars lists what is copied from the layout's folder, config.json with the dtype that is written.
func (p *Plan) sidecars() ([]sidecar, error) {
	if p.r.spec.Form == FormAdapter {
		f, err := p.adapterConfig()
		return []sidecar{f}, err
	}
	from := p.filesInput()
	out, err := from.copies()
	if err != nil {
		return nil, err
	}
	if from.adapter != nil { // it has a tokenizer at most
		rest, err := p.layoutInput().copies()
		if err != nil {
			return nil, err
		}
		theirs := slices.ContainsFunc(out, func(f sidecar) bool { return strings.HasPrefix(f.name, "tokenizer") })
		for _, f := range rest {
			there := slices.ContainsFunc(out, func(g sidecar) bool { return g.name == f.name })
			if !there && !(theirs && isTokenFile(f.name) && f.name != generationFile) {
				out = append(out, f)
			}
		}
	}
	for i, f := range out {
		if f.name != configFile {
			continue
		}
		data, err := readSidecar(f.from)
		if err != nil {
			return nil, err
		}
		out[i] = sidecar{name: f.name, data: p.settledConfig(data, filepath.Dir(f.from))}
	}
	return p.tokenSidecars(out)
}

// copies are the side files of an input's folder as they are.
func (in *input) copies() ([]sidecar, error) {
	if in.dir == "" {
		return nil, nil
	}
	names, err := sidecarNames(in.dir)
	if err != nil {
		return nil, err
	}
	out := make([]sidecar, len(names))
	for i, name := range names {
		out[i] = sidecar{name: name, from: filepath.Join(in.dir, name)}
	}
	return out, nil
}

// settledConfig is a config.json that says what is written: its dtype, its layers, its rows, and whether its head is its
// embeddings.
func (p *Plan) settledConfig(data []byte, dir string) []byte {
	layout, from := p.layoutInput(), p.filesInput()
	if runs := layout.runs; runs != nil {
		data = stackedConfig(data, runs)
	}
	data = setDType(data, p.r.spec.DType)
	if as := p.dtypeWritten(); torchNames[p.r.spec.DType] == "" && as != "mixed" && dtypeEntry.Match(data) {
		data = setDType(data, as)
	}
	config := layout.config
	if dir == from.dir {
		config = from.config
	}
	data = setVocabulary(data, config, p.vocab)
	tied, _ := layout.config.tied()
	if has, said := config.tied(); p.untied || said && has && !tied {
		data = tiedAs("false", data, config)
	} else if config != layout.config && tied && !has {
		data = tiedAs("true", data, config)
	}
	return data
}

// sidecarNames lists the files of a folder that belong to its weights. The error has every one that is there
// and cannot be read, such as a link to nothing in the hub's cache.
func sidecarNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, Problem{Code: codes.Open, Where: dir, What: reason(err), Expected: "a folder"}
	}
	var names []string
	var broken []Problem
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !isSidecar(e.Name()) {
			continue
		}
		info, err := os.Stat(path) // the hub's cache is made of symbolic links
		if err == nil && (info.IsDir() || info.Mode().IsRegular() && info.Size() > maxSidecar) {
			continue
		}
		if p := checkSidecar(path); p != nil {
			broken = append(broken, *p)
			continue
		}
		names = append(names, e.Name())
	}
	for _, name := range companions(dir, names) {
		if p := checkSidecar(filepath.Join(dir, name)); p != nil {
			broken = append(broken, *p)
			continue
		}
		names = append(names, name)
	}
	if len(broken) > 0 {
		return nil, problem.List(broken)
	}
	return names, nil
}

// templateFolder is where transformers keeps chat templates that have names.
const templateFolder = "additional_chat_templates"

// companions are the files in folders beside the weights that belong to a model: named chat templates, the parts that
// modules.json lists (a sentence transformer's pooling), the packages of custom code.
func companions(dir string, names []string) []string {
	var out []string
	take := func(folder string, wanted func(name string) bool) {
		if !filepath.IsLocal(folder) || folder == "." {
			return
		}
		_ = fs.WalkDir(os.DirFS(dir), filepath.ToSlash(filepath.Clean(folder)), func(name string, e fs.DirEntry, err error) error { // what cannot be read is not there
			if info, statErr := os.Stat(filepath.Join(dir, name)); err == nil && statErr == nil && info.Mode().IsRegular() && info.Size() <= maxSidecar && wanted(e.Name()) {
				out = append(out, filepath.FromSlash(name))
			}
			return nil
		})
	}
	take(templateFolder, func(name string) bool { return filepath.Ext(name) == ".jinja" })
	if data, err := readSidecar(filepath.Join(dir, "modules.json")); err == nil {
		var modules []struct {
			Path string `json:"path"`
		}
		_ = json.Unmarshal(data, &modules) // another file of the name has no parts
		for _, m := range modules {
			take(m.Path, func(name string) bool { return isSidecar(name) || filepath.Ext(name) == ".safetensors" })
		}
	}
	if slices.ContainsFunc(names, func(name string) bool { return filepath.Ext(name) == ".py" }) {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != "__pycache__" {
				take(e.Name(), func(name string) bool { return filepath.Ext(name) == ".py" })
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// openRegular opens a file to be read. What is none, such as a pipe, would block for ever.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if m := info.Mode(); !m.IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: irregular(m)}
	}
	return os.Open(path)
}

// irregular is what stands in the place of a file.
type irregular fs.FileMode

func (i irregular) Error() string {
	switch m := fs.FileMode(i); {
	case m.IsDir():
		return "it is a folder"
	case m&fs.ModeNamedPipe != 0:
		return "it is a named pipe"
	case m&fs.ModeSocket != 0:
		return "it is a socket"
	}
	return "it is a device"
}

// lfsPointer begins what Git leaves in the place of a large file that was not fetched.
const lfsPointer = "version https://git-lfs"

// checkSidecar says why a file beside the weights cannot be what its name says, nil if it can.
func checkSidecar(path string) *Problem {
	var start [len(lfsPointer)]byte
	f, err := openRegular(path)
	n := 0
	if err == nil {
		n, err = io.ReadFull(f, start[:])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil
		}
		err = errors.Join(err, f.Close())
	}
	ext := filepath.Ext(path)
	var what irregular
	switch {
	case errors.As(err, &what):
		return &Problem{Code: codes.Read, Where: path, What: what.Error(), Expected: "a file: the weights mean nothing without it", Fix: "remove it, and copy the model's file to its place"}
	case err != nil:
		p := sidecarProblem(path, err)
		return &p
	case n == len(start) && string(start[:]) == lfsPointer:
		return &Problem{Code: codes.Read, Where: path, What: "it is a Git LFS pointer, and not the file", Expected: "the file itself: the weights mean nothing without it", Fix: "fetch it: git lfs pull, in the model's folder"}
	case n == 0 && (ext == ".json" || ext == ".model"):
		return &Problem{Code: codes.Read, Where: path, What: "it is empty", Expected: "what its name says: the weights mean nothing without it", Fix: "copy it again from where the model comes from (hf download), or remove it if the model is whole without it"}
	}
	return nil
}

// readSidecar reads a file beside the weights, without a byte order mark. The error is fs.ErrNotExist where there
// is nothing of the name, else a problem.
func readSidecar(path string) ([]byte, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if p := checkSidecar(path); p != nil {
		return nil, *p
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, sidecarProblem(path, err)
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
}

func isSidecar(name string) bool {
	matches := func(pattern string) bool { ok, _ := filepath.Match(pattern, name); return ok }
	for _, not := range notSidecars {
		if matches(not) {
			return false
		}
	}
	for _, pattern := range sidecarPatterns {
		if matches(pattern) {
			return true
		}
	}
	return false
}

// setVocabulary puts the number of tokens into a config.json where it was changed: into the whole and into those of language
// models in it, and not into what else has a vocabulary, such as a vision model's text encoder.
func setVocabulary(data []byte, c *modelConfig, rows int64) []byte {
	for _, p := range c.parts() {
		if e, ok := findEntry(data, p.path("vocab_size")...); ok && e.found && rows > 0 {
			data = setEntry(data, fmt.Sprint(rows), p.path("vocab_size")...)
		}
	}
	return data
}

// torchNames are PyTorch's names of what may be written.
var torchNames = map[DType]string{BF16: "bfloat16", F16: "float16", F32: "float32"}

var dtypeEntry = regexp.MustCompile(`("(?:torch_)?dtype"\s*:\s*)"(?:torch\.)?(?:bfloat16|float16|float32|float64|half|float|double)"`)

// setDType puts the dtype into a config.json and leaves every other byte as it is. Both spellings,
// torch_dtype and dtype, are set wherever they stand; where there is none, torch_dtype is added.
func setDType(config []byte, d DType) []byte {
	name, ok := torchNames[d]
	if !ok || !json.Valid(plainJSON(config)) {
		return config
	}
	if dtypeEntry.Match(config) {
		return dtypeEntry.ReplaceAll(config, []byte(`${1}"`+name+`"`))
	}
	end := bytes.LastIndexByte(config, '}')
	if end < 0 {
		return config
	}
	head := strings.TrimRight(string(config[:end]), " \t\r\n")
	entry := "\n  \"torch_dtype\": \"" + name + "\"\n"
	if !strings.HasSuffix(head, "{") {
		entry = "," + entry
	}
	return append([]byte(head+entry), config[end:]...)
}
