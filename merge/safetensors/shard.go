package safetensors

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// Shard is one file of a model that is to be written.
type Shard struct {
	Name    string   // model.safetensors, or model-00001-of-00002.safetensors
	Tensors []Tensor // as given
}

// Split divides tensors among files of at most most bytes of tensors each, in the order given: a shard
// is closed when the next tensor does not fit, and a tensor that is larger than most has a file of its
// own. One shard is called model.safetensors; most <= 0 means one file. It fails as NewLayout does.
func Split(list []Tensor, most int64) ([]Shard, error) {
	l, err := NewLayout(list, nil)
	if err != nil {
		return nil, err
	}
	var shards []Shard
	var current []Tensor
	var used int64
	flush := func() {
		if len(current) > 0 {
			shards = append(shards, Shard{Tensors: current})
		}
		current, used = nil, 0
	}
	for _, t := range list {
		placed, _ := l.Tensor(t.Name)
		n := placed.Size
		if most > 0 && used > 0 && n > most-used {
			flush()
		}
		current, used = append(current, t), used+n
	}
	flush()
	switch len(shards) {
	case 0:
		return []Shard{{Name: SingleName}}, nil
	case 1:
		shards[0].Name = SingleName
		return shards, nil
	}
	for i := range shards {
		shards[i].Name = fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(shards))
	}
	return shards, nil
}

// Index gives the bytes of model.safetensors.index.json for shards, as transformers writes it: sorted
// names, two spaces, ASCII, a line feed at the end. total_size counts tensors, not headers.
func Index(shards []Shard) ([]byte, error) {
	file := map[string]string{}
	var names []string
	var total int64
	for _, shard := range shards {
		l, err := NewLayout(shard.Tensors, nil)
		if err != nil {
			return nil, err
		}
		for _, t := range l.Tensors() {
			if first, twice := file[t.Name]; twice {
				return nil, &FormatError{Path: IndexName, Code: TensorTwice, Tensor: t.Name, Msg: fmt.Sprintf("it is both in %s and in %s", first, shard.Name)}
			}
			file[t.Name] = shard.Name
			names = append(names, t.Name)
			total += t.Size
		}
	}
	slices.Sort(names)
	var b strings.Builder
	fmt.Fprintf(&b, "{\n  \"metadata\": {\n    \"total_size\": %d\n  },\n  \"weight_map\": {", total)
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n    %s: %s", ascii(name), ascii(file[name]))
	}
	if len(names) > 0 {
		b.WriteString("\n  ")
	}
	b.WriteString("}\n}\n")
	return []byte(b.String()), nil
}

// ascii quotes s as Python's json module does by default.
func ascii(s string) string {
	var b strings.Builder
	for _, r := range string(appendText(nil, s)) {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, "\\u%04x\\u%04x", high, low)
		}
	}
	return b.String()
}
