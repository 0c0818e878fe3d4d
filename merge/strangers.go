package merge

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parfait/merge/codes"
)

// Besides weights, what programs load or run of a folder, if only because it is there: configuration (a
// generation_config.json changes what is generated, an adapter_config.json loads other weights on top, what a
// config.json maps to a .py is run), templates, tokenizers, code, data that becomes code when it is read.
var (
	loadedSuffixes = []string{
		".json", ".yaml", ".yml", ".toml", ".jinja", ".jinja2", ".model", ".tiktoken", ".vocab", ".spm",
		".py", ".pyc", ".so", ".dylib", ".dll", ".pkl", ".pickle", ".npz", ".npy", ".onnx", ".tflite", ".pb", ".keras", ".pdparams", ".ot", ".joblib",
	}
	loadedNames = []string{"vocab.txt", "merges.txt"}
	notLoaded   = []string{"*results*.json", "trainer_state.json", "training_args*.json"} // what is said about a model
)

// loaded says whether programs may load a file for its name.
func loaded(name string) bool {
	name = strings.ToLower(name)
	for _, not := range notLoaded {
		if ok, _ := filepath.Match(not, name); ok {
			return false
		}
	}
	ext := filepath.Ext(name)
	return slices.Contains(weightSuffixes, ext) || slices.Contains(loadedSuffixes, ext) || slices.Contains(loadedNames, name)
}

// strangers finds files that the receipt does not know: those that programs load are problems. What Git and the
// hub's client keep in folders with a dot is theirs.
func (v *Verification) strangers() error {
	known := map[string]bool{ReceiptFile: true, SignatureFile: true}
	for _, f := range v.Receipt.Outputs {
		known[f.Name] = true
	}
	for _, d := range v.Receipt.Documents {
		known[d.Name] = true
	}
	var found []Problem
	var others []string
	err := fs.WalkDir(os.DirFS(v.Dir), ".", func(name string, e fs.DirEntry, err error) error {
		path := filepath.Join(v.Dir, name)
		switch {
		case err != nil:
			return err
		case e.IsDir() && strings.HasPrefix(e.Name(), ".") && name != ".":
			return fs.SkipDir
		case e.IsDir() || known[name]:
		case loaded(e.Name()), isFolder(path):
			found = append(found, Problem{Code: codes.Corrupt, Where: path, What: "the receipt does not know this file", Expected: "only what the export wrote: programs may load or run others, or load them in its place", Fix: "move it elsewhere"})
		default:
			others = append(others, name)
		}
		return nil
	})
	if err != nil {
		return Problem{Code: codes.Open, Where: v.Dir, What: reason(err), Expected: "a folder that can be read", Fix: "check its permissions"}
	}
	v.Found(Check{"no other file that programs load", ReceiptFile, "name"}, found...)
	if len(others) > 0 {
		v.Leaves(strings.Join(others, ", "), "not in the receipt, and nothing that programs load")
	}
	return nil
}

// isFolder says whether a link leads to a folder, into which nobody has looked.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
