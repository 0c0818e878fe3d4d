package evaluator

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Names in the folder of an evaluation that outlives its runner.
const (
	keptName  = "model" // a link to the merged model
	PlaceName = "place" // where the folder was made: a copy of it, or one that was moved, keeps nothing and is written into by nobody
)

// InPlace says whether the folder of an evaluation lies where it was made.
func InPlace(dir string) bool {
	place, err := os.ReadFile(filepath.Join(dir, PlaceName))
	return err == nil && string(place) == dir
}

// Keep makes a second folder of a model's files beside it, of hard links, for the evaluation whose folder is dir, which
// stands for the question id. It returns its path, and stays until Drop(dir). On a file system without hard links it
// is the model itself.
func Keep(dir, id, model string) (string, error) {
	model, err := filepath.EvalSymlinks(model)
	if err != nil {
		return "", err
	}
	kept := filepath.Join(filepath.Dir(model), KeptPrefix+id)
	link := filepath.Join(dir, keptName)
	if !InPlace(dir) {
		if err := os.WriteFile(filepath.Join(dir, PlaceName), []byte(dir), 0o644); err != nil {
			return "", err
		}
	}
	if err := os.Symlink(kept, link); err != nil { // first, so that nothing is kept that nobody knows
		return "", err
	}
	if err := os.RemoveAll(kept); err != nil {
		return "", err
	}
	err = filepath.WalkDir(model, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(kept, strings.TrimPrefix(path, model))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		return os.Link(path, to)
	})
	if errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported) {
		return model, errors.Join(os.RemoveAll(kept), os.Remove(link), os.Symlink(model, link))
	}
	return kept, err
}

// Kept says whether the model that the evaluation in dir has, if it has one, is still there.
func Kept(dir string) bool {
	model, err := os.Readlink(filepath.Join(dir, keptName))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	_, err = os.Stat(model)
	return err == nil
}

// Drop deletes the folder of an evaluation and the model that it keeps; the model first.
func Drop(dir string) error {
	kept, err := os.Readlink(filepath.Join(dir, keptName))
	if err == nil && InPlace(dir) && strings.HasPrefix(filepath.Base(kept), KeptPrefix) {
		if err := os.RemoveAll(kept); err != nil {
			return err
		}
		_ = os.Remove(filepath.Dir(kept)) // where it was the last: the runner that made it is gone
	}
	for try := 0; ; try++ { // whoever writes down how it has ended may be at it, and finds no folder in the end
		if err = os.RemoveAll(dir); try == 10 || !errors.Is(err, syscall.ENOTEMPTY) {
			return err
		}
	}
}
