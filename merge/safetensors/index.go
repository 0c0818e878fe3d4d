package safetensors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// index is what model.safetensors.index.json says.
type index struct {
	path   string
	shards []string          // sorted
	shard  map[string]string // of each tensor
}

func readIndex(path string) (*index, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, &FormatError{Path: path, Code: NotRegular, Msg: "expected a file, found " + kind(info.Mode())}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxHeader+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, unreadable(path, err)
	}
	if found := foreign(data, path); found != "" {
		return nil, &FormatError{Path: path, Code: NotThisKind, Msg: "expected an index of safetensors files, found " + found}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // a byte order mark is no damage
	return parseIndex(path, data)
}

// parseIndex reads {"metadata": anything, "weight_map": {tensor: file}}; other members are skipped.
func parseIndex(path string, data []byte) (*index, error) {
	p := problems{path: path}
	x := &index{path: path, shard: map[string]string{}}
	s := scanner{data: data}
	seen := false
	parse := func() error {
		if !utf8.Valid(data) {
			return errors.New("the index is not UTF-8")
		}
		if len(data) > maxHeader {
			return fmt.Errorf("the index has more than %d bytes", maxHeader)
		}
		err := s.object(func(name []byte) error {
			if string(name) != "weight_map" {
				return s.skip(0)
			}
			if seen {
				p.add(Duplicate, "", "weight_map appears twice")
			}
			seen = true
			return s.object(func(raw []byte) error {
				tensor := string(raw)
				file, err := s.text()
				if err != nil {
					return err
				}
				if _, twice := x.shard[tensor]; twice {
					p.add(Duplicate, tensor, "the name appears twice in weight_map")
				}
				if !inFolder(string(file)) {
					p.add(ShardPath, tensor, "expected a file in the folder of the index, found %q", shorten(string(file)))
				}
				x.shard[tensor] = string(file)
				return nil
			})
		})
		if err != nil {
			return err
		}
		if rest := bytes.TrimLeft(data[s.pos:], " \t\r\n"); len(rest) > 0 {
			return s.errorf("expected nothing after the index's object, found %s", s.here())
		}
		if !seen {
			return errors.New("expected a weight_map that says which file holds each tensor, found none")
		}
		return nil
	}
	if err := parse(); err != nil {
		p.add(IndexJSON, "", "%v", err)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	files := map[string]bool{}
	for _, file := range x.shard {
		files[file] = true
	}
	x.shards = slices.Sorted(maps.Keys(files))
	return x, nil
}

// inFolder says whether a name in an index stays in the index's folder, on every system.
func inFolder(name string) bool {
	return filepath.IsLocal(name) && name != "." && !strings.ContainsAny(name, "\\:\x00")
}

// check compares the index with what its shards hold.
func (x *index) check(s *Set) error {
	p := problems{path: x.path}
	for _, tensor := range slices.Sorted(maps.Keys(x.shard)) {
		if _, ok := s.files[slices.Index(x.shards, x.shard[tensor])].Tensor(tensor); !ok {
			p.add(TensorMissing, tensor, "the index puts it in %s, which does not hold it", x.shard[tensor])
		}
	}
	for i, f := range s.files {
		for _, t := range f.Tensors() {
			if _, ok := x.shard[t.Name]; !ok {
				p.add(TensorUnlisted, t.Name, "%s holds it, the index does not list it", x.shards[i])
			}
		}
	}
	return p.err()
}

// maxDepth bounds the nesting of values that are skipped.
const maxDepth = 64

// skip reads past one value of any kind.
func (s *scanner) skip(depth int) error {
	if depth > maxDepth {
		return s.errorf("values are nested more than %d deep", maxDepth)
	}
	switch c := s.peek(); {
	case c == '{':
		return s.object(func([]byte) error { return s.skip(depth + 1) })
	case c == '[':
		return s.array(func() error { return s.skip(depth + 1) })
	case c == '"':
		_, err := s.text()
		return err
	case c == '-' || '0' <= c && c <= '9':
		start := s.pos
		for s.pos < len(s.data) && strings.IndexByte("+-.0123456789eE", s.data[s.pos]) >= 0 {
			s.pos++
		}
		if !json.Valid(s.data[start:s.pos]) {
			s.pos = start
			return s.errorf("a number that is none")
		}
		return nil
	}
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
			s.pos += len(word)
			return nil
		}
	}
	return s.errorf("expected a value, found %s", s.here())
}
