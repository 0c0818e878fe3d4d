package digits

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"parfait/evaluator"
)

// Kinds of failure of Write.
const (
	Occupied evaluator.Code = "occupied" // the folder holds something else
	Damaged  evaluator.Code = "damaged"  // a file of the models is not as it was written
)

// Models says where a base and its experts lie.
type Models struct {
	Base    string
	Experts []Expert // in the order of Tasks
}

// Expert is a fine-tuned model, named as its task.
type Expert struct{ Name, Path string }

const (
	baseName     = "base"
	manifestName = "digits.json"
	version      = 1 // of the recipe: it changes with any byte of the models
)

// manifest stands beside the models and says that they are complete.
type manifest struct {
	Version int               `json:"version"`
	Tasks   int               `json:"tasks"`
	SHA256  map[string]string `json:"sha256"` // of every file, by its path with slashes
}

// Write trains a base and the experts of the first tasks (1 … MaxTasks), and writes them into dir: a
// folder base and one named as each expert, about 20 KB each, in about a quarter of a second. dir appears
// complete or not at all. If it already holds a complete set of this version and number of tasks, its
// files are checked and stay untouched; if it holds anything else, Write fails with Occupied or Damaged.
func Write(ctx context.Context, dir string, tasks int) (Models, error) {
	if done, err := present(dir, tasks); done || err != nil {
		return modelsIn(dir, tasks), err
	}
	set, err := school.models(ctx, false, tasks)
	if err != nil {
		return Models{}, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return Models{}, err
	}
	staging, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".partial-*")
	if err != nil {
		return Models{}, err
	}
	defer func() { _ = os.RemoveAll(staging) }() // after the rename there is nothing left to remove
	if err := set.writeTo(staging); err != nil {
		return Models{}, err
	}
	if err := os.Rename(staging, dir); err != nil {
		if done, _ := present(dir, tasks); done { // another process was faster
			return modelsIn(dir, tasks), nil
		}
		return Models{}, err
	}
	return modelsIn(dir, tasks), syncFolder(filepath.Dir(dir))
}

func (s *trained) writeTo(dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	if err := writeModel(filepath.Join(dir, baseName), s.base); err != nil {
		return err
	}
	for i, expert := range s.experts {
		if err := writeModel(filepath.Join(dir, transforms[i].name), expert); err != nil {
			return err
		}
	}
	sums, err := hashes(dir)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(manifest{Version: version, Tasks: len(s.experts), SHA256: sums}, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, manifestName), append(b, '\n')); err != nil {
		return err
	}
	return syncFolder(dir)
}

func modelsIn(dir string, tasks int) Models {
	m := Models{Base: filepath.Join(dir, baseName)}
	for _, name := range Tasks(tasks) {
		m.Experts = append(m.Experts, Expert{name, filepath.Join(dir, name)})
	}
	return m
}

// present says whether dir holds what Write would write; an error where it holds something else.
func present(dir string, tasks int) (bool, error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0:
		return false, nil
	case err != nil:
		return false, err
	}
	b, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return false, evaluator.Errorf(Occupied, "%s holds something else than digits models (%w): choose another folder", dir, err)
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return false, evaluator.Errorf(Damaged, "%s: %w: delete %s, it is made again in a second", filepath.Join(dir, manifestName), err, dir)
	}
	if m.Version != version || m.Tasks != tasks {
		return false, evaluator.Errorf(Occupied, "%s holds digits models for %d tasks of recipe %d, expected %d tasks of recipe %d: choose another folder or delete this one",
			dir, m.Tasks, m.Version, tasks, version)
	}
	have, err := hashes(dir)
	if err != nil {
		return false, err
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(m.SHA256)) {
		if have[name] != m.SHA256[name] {
			errs = append(errs, evaluator.Errorf(Damaged, "%s is missing or not as it was written: delete %s, it is made again in a second", filepath.Join(dir, name), dir))
		}
	}
	return len(errs) == 0, errors.Join(errs...)
}

// hashes returns the SHA-256 of every file under dir but the manifest.
func hashes(dir string) (map[string]string, error) {
	sums := map[string]string{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == manifestName {
			return err
		}
		b, err := fs.ReadFile(root, path)
		sum := sha256.Sum256(b)
		sums[path] = hex.EncodeToString(sum[:])
		return err
	})
	return sums, err
}

// writeFile writes a new file and syncs it.
func writeFile(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncFolder makes the names in a folder durable.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
