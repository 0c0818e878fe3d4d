package safetensors

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Names of the files of a model in a folder.
const (
	SingleName = "model.safetensors"
	IndexName  = "model.safetensors.index.json"
)

// Set is the tensors of one model over its files.
type Set struct {
	path   string
	files  []*File
	names  []string
	places map[string]place
	bytes  int64
}

// place is where a tensor is: files[file].Tensors()[tensor].
type place struct{ file, tensor int }

// OpenModel opens a model: a folder (see OpenFolder) or one .safetensors file.
func OpenModel(path string) (*Set, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if info.IsDir() {
		return OpenFolder(path)
	}
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	return newSet(path, []*File{f})
}

// OpenFolder opens the model in a folder: model.safetensors, or else the shards that
// model.safetensors.index.json names. Every tensor has to be in the shard where the index puts it, and
// nowhere else. Files may be symbolic links (the hub's cache is made of them), names in the index stay
// in the folder. What is wrong with all the shards is reported at once.
func OpenFolder(dir string) (*Set, error) {
	single := filepath.Join(dir, SingleName)
	if _, err := os.Lstat(single); err == nil {
		f, err := Open(single)
		if err != nil {
			return nil, err
		}
		return newSet(dir, []*File{f})
	}
	index, err := readIndex(filepath.Join(dir, IndexName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, noModel(dir)
	}
	if err != nil {
		return nil, err
	}
	return openShards(dir, index)
}

// openShards opens every shard of an index and compares what they hold with it.
func openShards(dir string, index *index) (*Set, error) {
	var files []*File
	var errs []error
	for _, name := range index.shards {
		f, err := Open(filepath.Join(dir, name))
		switch {
		case errors.Is(err, os.ErrNotExist) && !isLink(filepath.Join(dir, name)):
			errs = append(errs, &FormatError{Path: index.path, Code: ShardMissing, Msg: fmt.Sprintf("the shard %q is not in the folder: download or copy it", name)})
		case err != nil:
			errs = append(errs, err)
		default:
			files = append(files, f)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(append(errs, closeAll(files))...)
	}
	s, err := newSet(dir, files)
	if err != nil {
		return nil, err
	}
	if err := index.check(s); err != nil {
		return nil, errors.Join(err, closeAll(files))
	}
	return s, nil
}

func isLink(path string) bool {
	_, err := os.Readlink(path)
	return err == nil
}

// newSet joins files; on error it closes them.
func newSet(path string, files []*File) (*Set, error) {
	s := &Set{path: path, files: files, places: map[string]place{}}
	p := problems{path: path}
	for i, f := range files {
		for j, t := range f.Tensors() {
			if first, twice := s.places[t.Name]; twice {
				p.add(TensorTwice, t.Name, "it is both in %s and in %s", filepath.Base(files[first.file].path), filepath.Base(f.path))
				continue
			}
			s.places[t.Name] = place{i, j}
			s.names = append(s.names, t.Name)
			s.bytes += t.Size
		}
	}
	if err := p.err(); err != nil {
		return nil, errors.Join(err, closeAll(files))
	}
	slices.Sort(s.names)
	return s, nil
}

// Path is the folder or file that the set was opened from.
func (s *Set) Path() string { return s.path }

// Files lists the files, shards in the order of their names. The slice belongs to the set.
func (s *Set) Files() []*File { return s.files }

// Names lists the names of all tensors, sorted by bytes. The slice belongs to the set.
func (s *Set) Names() []string { return s.names }

// Len is the number of tensors.
func (s *Set) Len() int { return len(s.names) }

// Size is the sum of the tensors' sizes in bytes.
func (s *Set) Size() int64 { return s.bytes }

// Lookup finds a tensor by name, and the file that holds it.
func (s *Set) Lookup(name string) (*File, Tensor, bool) {
	p, ok := s.places[name]
	if !ok {
		return nil, Tensor{}, false
	}
	return s.files[p.file], s.files[p.file].header.tensors[p.tensor], true
}

// Tensors lists all tensors in the order of the files. Their Offset counts within their own file.
func (s *Set) Tensors() []Tensor {
	list := make([]Tensor, 0, len(s.names))
	for _, names := range s.ByFile() {
		for _, name := range names {
			_, t, _ := s.Lookup(name)
			list = append(list, t)
		}
	}
	return list
}

// ByFile lists the names of the tensors that each of Files holds, as they stand there.
func (s *Set) ByFile() [][]string {
	list := make([][]string, len(s.files))
	for _, name := range s.names {
		i := s.places[name].file
		list[i] = append(list[i], name)
	}
	for _, names := range list {
		slices.SortStableFunc(names, func(a, b string) int { return s.places[a].tensor - s.places[b].tensor })
	}
	return list
}

// Pick is a tensor of a set.
type Pick struct {
	Set  *Set
	Name string
}

// Select makes a set of tensors of others, under names of its own; one tensor may have several. It has the files of
// all the sets of from, in their order, and closes them. A Tensor of it keeps the name that it has in its file.
func Select(path string, from []*Set, picks map[string]Pick) (*Set, error) {
	s := &Set{path: path, places: map[string]place{}}
	first := map[*Set]int{}
	for _, set := range from {
		first[set] = len(s.files)
		s.files = append(s.files, set.files...)
	}
	for name, pick := range picks {
		at, ok := pick.Set.places[pick.Name]
		offset, known := first[pick.Set]
		if !ok || !known {
			return nil, fmt.Errorf("%s: there is no tensor %q to be called %q", path, pick.Name, name)
		}
		at.file += offset
		s.places[name] = at
		s.names = append(s.names, name)
		s.bytes += s.files[at.file].header.tensors[at.tensor].Size
	}
	slices.Sort(s.names)
	return s, nil
}

// Unchanged is nil while no file has changed since it was opened.
func (s *Set) Unchanged() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Unchanged())
	}
	return errors.Join(errs...)
}

// Close closes the files.
func (s *Set) Close() error { return closeAll(s.files) }

func closeAll(files []*File) error {
	var errs []error
	for _, f := range files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// noModel says what the folder has instead and what to do with it.
func noModel(dir string) error {
	e := &FormatError{Path: dir, Code: NoModel, Msg: fmt.Sprintf("expected %s or %s in the folder", SingleName, IndexName)}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return unreadable(dir, err)
	}
	var safe, other []string
	for _, entry := range entries {
		switch ext := strings.ToLower(filepath.Ext(entry.Name())); {
		case ext == ".safetensors":
			safe = append(safe, entry.Name())
		case slices.Contains(otherFormats, ext):
			other = append(other, entry.Name())
		}
	}
	switch {
	case len(safe) > 0:
		e.Msg += fmt.Sprintf(", found %s: give the path of the file itself", some(safe))
	case len(other) > 0:
		e.Msg += fmt.Sprintf(", found %s: convert the model with %s", some(other), convertFolder(dir, other))
	default:
		e.Msg += ", found no model in it: check the path"
	}
	return e
}

func some(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}
