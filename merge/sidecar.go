package merge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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
	from, err := os.Open(f.from)
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
	"*.json", "*.jinja", "*.model", "*.tiktoken", "vocab.txt", "merges.txt", "*.py", "LICENSE*", "NOTICE*",
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
	dir := p.layoutInput().dir
	if dir == "" {
		return nil, nil
	}
	names, err := sidecarNames(dir)
	if err != nil {
		return nil, err
	}
	var out []sidecar
	for _, name := range names {
		path := filepath.Join(dir, name)
		if name != configFile {
			out = append(out, sidecar{name: name, from: path})
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, sidecarProblem(path, err)
		}
		data = setVocabulary(setDType(data, p.r.spec.DType), p.vocab)
		if p.untied {
			data = untied(data, p.layoutInput().config)
		}
		out = append(out, sidecar{name: name, data: data})
	}
	return out, nil
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
		if err == nil && (!info.Mode().IsRegular() || info.Size() > maxSidecar) {
			continue
		}
		if err == nil {
			err = readable(path)
		}
		if err != nil {
			broken = append(broken, sidecarProblem(path, err))
			continue
		}
		names = append(names, e.Name())
	}
	if len(broken) > 0 {
		return nil, problem.List(broken)
	}
	return names, nil
}

// readable says why a file cannot be read, nil if it can.
func readable(path string) error {
	f, err := os.Open(path)
	if err == nil {
		err = f.Close()
	}
	return err
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

var vocabEntry = regexp.MustCompile(`("vocab_size"\s*:\s*)\d+`)

// setVocabulary puts the number of tokens into a config.json where it was changed.
func setVocabulary(config []byte, rows int64) []byte {
	if rows == 0 {
		return config
	}
	return vocabEntry.ReplaceAll(config, fmt.Appendf(nil, "${1}%d", rows))
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
