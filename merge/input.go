package merge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"parfait/internal/stage"
	"parfait/merge/codes"
	"parfait/merge/safetensors"
	"parfait/problem"
)

// input is one opened model: its headers are read and its files stay open until close.
type input struct {
	name    string // "base", or the model's name
	path    string // where it was found
	dir     string // folder of its config; "" for a lone file
	set     *safetensors.Set
	stat    []stamp  // of set.Files(), as opened
	adapter *adapter // nil for a full checkpoint
	config  *modelConfig
	odd     []Problem // warnings of opening it

	runs []configRun // what it is put together from; nil for a model as it lies there

	// storedOnce is findStoredOnce, which looks at every name, done when first asked: a model of another family
	// lacks every tensor of the output.
	storedOnce func() []*tie
}

// openSource opens a model, or a stack.
func openSource(name, path string, stack []Slice) (*input, error) {
	if stack != nil {
		return openStack(name, stack)
	}
	return openInput(name, path)
}

// openInput opens a folder, a .safetensors file, an adapter's folder, or a model in the hub's cache.
func openInput(name, path string) (*input, error) {
	where := name + " (" + path + ")"
	found, err := locate(path)
	if err != nil {
		var p Problem
		errors.As(err, &p)
		p.Where = where
		return nil, p
	}
	in := &input{name: name, path: found}
	in.storedOnce = sync.OnceValue(in.findStoredOnce)
	info, err := os.Stat(found)
	if err != nil {
		return nil, Problem{Code: codes.Open, Where: where, What: reason(err), Expected: "a folder or a file"}
	}
	weights := found
	if info.IsDir() {
		in.dir = found
		if in.adapter, err = readAdapterConfig(where, found); err != nil {
			return nil, err
		}
		if in.adapter != nil {
			weights = filepath.Join(found, adapterWeights)
			if pickle := filepath.Join(found, adapterPickle); !isFile(weights) && isFile(pickle) {
				return nil, Problem{
					Code: codes.NotConverted, Where: where, What: "the adapter's weights are a Python pickle, " + adapterPickle, Expected: adapterWeights,
					Fix: "convert them: " + safetensors.ConvertPickle(pickle, weights),
				}
			}
		}
		if err := in.look(); err != nil {
			return nil, err
		}
	}
	if in.set, err = safetensors.OpenModel(weights); err != nil {
		return nil, explainOpen(where, path, found, err)
	}
	if err := in.checkQuantised(where); err != nil {
		return nil, errors.Join(err, in.close())
	}
	for _, f := range in.set.Files() {
		s, err := stampOf(f.Path())
		if err != nil {
			return nil, errors.Join(Problem{Code: codes.Open, Where: where, What: reason(err), Expected: "a file that stays"}, in.close())
		}
		in.stat = append(in.stat, s)
	}
	return in, nil
}

// isFile says whether there is something of the name that is no folder.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// look reads what stands beside the weights and says what they are.
func (in *input) look() error {
	if _, err := sidecarNames(in.dir); err != nil {
		return err
	}
	config, err := readConfig(in.dir)
	if err != nil {
		return err
	}
	in.config = config
	if in.adapter == nil {
		in.lookTwice()
	}
	return nil
}

// lookTwice warns of a folder with two models in it: one file, and shards with their index.
func (in *input) lookTwice() {
	single := filepath.Join(in.dir, safetensors.SingleName)
	if _, err := os.Lstat(single); err != nil {
		return
	}
	data, _ := readSidecar(filepath.Join(in.dir, safetensors.IndexName))
	var index struct {
		Files map[string]string `json:"weight_map"`
	}
	if json.Unmarshal(data, &index) != nil {
		return
	}
	others := map[string]bool{}
	for _, name := range index.Files {
		if name != safetensors.SingleName {
			others[name] = true
		}
	}
	if len(others) > 0 {
		in.odd = append(in.odd, Problem{
			Code: codes.TwoModels, Where: in.name, What: fmt.Sprintf("%s has both %s and an index of other files (%s)", in.dir, safetensors.SingleName, some(sortedKeys(others))), Expected: "one of the two: programs differ in which they load",
			Fix: safetensors.SingleName + " is read, and the shards of the index are not; move away what is not meant",
		})
	}
}

func (in *input) close() error {
	if in == nil || in.set == nil {
		return nil
	}
	return in.set.Close()
}

// unchanged says which file of which input is no longer what it was when it was opened.
func (p *Plan) unchanged() error {
	for _, in := range p.inputs() {
		if err := in.unchanged(); err != nil {
			return err
		}
	}
	return nil
}

// unchanged says which file is no longer what it was when it was opened.
func (in *input) unchanged() error {
	for i, f := range in.set.Files() {
		now, err := stampOf(f.Path())
		if err != nil {
			return Problem{Code: codes.Changed, Where: f.Path(), What: "it cannot be looked at any more: " + reason(err), Expected: "the file that was opened", Fix: "start again when nothing moves the inputs"}
		}
		if now != in.stat[i] {
			return Problem{Code: codes.Changed, Where: f.Path(), What: "the file changed while it was read", Expected: "the same size, modification time and inode before and after", Fix: "start again when nothing writes to it (a download or a training run?)"}
		}
	}
	return nil
}

// explainOpen adds what to do to what the safetensors reader found.
func explainOpen(where, path, found string, err error) error {
	e := formatProblems(where, err)
	for i, p := range e {
		if p.Code == codes.NoWeights && holdsOtherFormats(found) {
			e[i].Code = codes.NotConverted
		}
		if path != found {
			e[i].Fix = "the download may be incomplete; run: hf download " + strings.SplitN(path, "@", 2)[0]
		}
	}
	return e
}

// weightSuffixes are those of files with weights, in whatever format.
var weightSuffixes = []string{".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".h5", ".msgpack"}

// holdsOtherFormats says whether a folder has weights that are not safetensors.
func holdsOtherFormats(dir string) bool {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if ext := strings.ToLower(filepath.Ext(e.Name())); ext != ".safetensors" && slices.Contains(weightSuffixes, ext) {
			return true
		}
	}
	return false
}

// formatProblems turns what the safetensors reader found into problems.
func formatProblems(where string, err error) problem.List {
	var list []Problem
	for _, e := range leaves(err) {
		var f *safetensors.FormatError
		if !errors.As(e, &f) {
			list = append(list, Problem{Code: codes.Format, Where: where, What: e.Error(), Expected: "a safetensors file", Fix: "take a good copy"})
			continue
		}
		code := codes.Format
		switch f.Code {
		case safetensors.NoModel:
			code = codes.NoWeights
		case safetensors.NotThisKind:
			code = codes.NotConverted
		case safetensors.Unreadable:
			code = codes.Open
		}
		what := f.Error()
		if strings.HasSuffix(where, "("+f.Path+")") {
			what = strings.TrimPrefix(what, f.Path+": ")
		}
		list = append(list, Problem{Code: code, Where: where, What: what, Fix: fixFor(f.Code)})
	}
	return problem.List(list)
}

// fixFor is what to do where the message itself does not say it.
func fixFor(code safetensors.Code) string {
	switch code {
	case safetensors.NotThisKind, safetensors.NoModel, safetensors.ShardMissing, safetensors.HeaderLength, safetensors.HeaderStart, safetensors.Truncated:
		return ""
	case safetensors.Unreadable, safetensors.NotRegular:
		return "check the path and its permissions"
	case safetensors.IndexJSON, safetensors.ShardPath, safetensors.TensorMissing, safetensors.TensorUnlisted, safetensors.TensorTwice:
		return "copy or download the folder again: the index and its files do not belong together"
	case safetensors.UnknownDType:
		return "convert the model to one of these"
	}
	return "the file is damaged or was made by a broken program: take a good copy"
}

// leaves are the errors that were joined into one.
func leaves(err error) []error {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, leaves(e)...)
	}
	return out
}

// reason is an error of the operating system without the path, which the message names already.
func reason(err error) string {
	var se *stage.Error
	if errors.As(err, &se) {
		return reason(se.Err)
	}
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err.Error()
	}
	return err.Error()
}

// unread is the problem of a file that cannot be read, under code unless it is not there at all.
func unread(code Code, path string, err error, expected, fix string) Problem {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		code = codes.NotFound
	}
	return Problem{Code: code, Where: path, What: reason(err), Expected: expected, Fix: fix}
}

// absolute makes a path independent of the working folder, symbolic links kept.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
