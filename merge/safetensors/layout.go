package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Layout is how a set of tensors lies in a file: the bytes that it begins with, and where each tensor
// goes. It is the reference library's: tensors by dtype in decreasing alignment, then by name; compact
// JSON, __metadata__ first, padded with spaces to 8 bytes.
type Layout struct {
	header []byte
	tensors
	size int64
}

type tensors struct {
	list   []Tensor
	byName map[string]int
}

// FormatPT is the metadata that transformers asks of a file.
func FormatPT() map[string]string { return map[string]string{"format": "pt"} }

// NewLayout lays out the given tensors, of which it uses Name, DType and Shape. metadata may be nil.
// All that is wrong is reported at once. Keys of metadata are written in their order of bytes; the
// reference library's order is random when there are several.
func NewLayout(list []Tensor, metadata map[string]string) (*Layout, error) {
	l := &Layout{tensors: tensors{list: slices.Clone(list), byName: make(map[string]int, len(list))}}
	slices.SortStableFunc(l.list, func(a, b Tensor) int {
		if a.DType != b.DType {
			return int(b.DType) - int(a.DType)
		}
		return strings.Compare(a.Name, b.Name)
	})
	if err := l.place(metadata); err != nil {
		return nil, err
	}
	l.header = l.appendHeader(make([]byte, lengthBytes), metadata)
	length := int64(len(l.header) - lengthBytes)
	if length > maxHeader {
		return nil, &FormatError{Path: "layout", Code: HeaderLength, Msg: fmt.Sprintf("the header would have %d bytes, the format allows %d: write fewer tensors to a file", length, maxHeader)}
	}
	binary.LittleEndian.PutUint64(l.header, uint64(length))
	for i := range l.list {
		l.list[i].Offset += int64(len(l.header))
	}
	l.size += int64(len(l.header))
	return l, nil
}

// place checks the tensors and gives them sizes, and offsets from the start of the data.
func (l *Layout) place(metadata map[string]string) error {
	p := problems{path: "layout"}
	for key, value := range metadata {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			p.add(Metadata, "", "the metadata %q is not UTF-8", shorten(key))
		}
	}
	for i := range l.list {
		t := &l.list[i]
		if _, twice := l.byName[t.Name]; twice {
			p.add(Duplicate, t.Name, "the name is given twice")
		}
		l.byName[t.Name] = i
		n, code := size(t.DType, t.Shape)
		switch {
		case t.Name == metadataName || !utf8.ValidString(t.Name):
			p.add(Name, t.Name, "the name cannot be written: it is reserved or not UTF-8")
		case !t.DType.Valid():
			p.add(UnknownDType, t.Name, "it has no dtype")
		case code != "":
			p.add(code, t.Name, "the shape %s of %s is negative, above 63 bits or not a whole number of bytes", listed(t.Shape), t.DType)
		case n > math.MaxInt64-maxHeader-lengthBytes-l.size:
			p.add(Overflow, t.Name, "the file would have more than 2^63 bytes")
		default:
			t.Offset, t.Size = l.size, n
			l.size += n
		}
	}
	return p.err()
}

// appendHeader writes the JSON as serde_json does, and the padding.
func (l *Layout) appendHeader(b []byte, metadata map[string]string) []byte {
	b = append(b, '{')
	separate := func() {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
	}
	if metadata != nil {
		b = append(b, `"`+metadataName+`":{`...)
		for _, key := range slices.Sorted(maps.Keys(metadata)) {
			separate()
			b = appendText(b, key)
			b = append(b, ':')
			b = appendText(b, metadata[key])
		}
		b = append(b, '}')
	}
	for _, t := range l.list {
		separate()
		b = appendText(b, t.Name)
		b = append(b, `:{"dtype":"`...)
		b = append(b, t.DType.String()...)
		b = append(b, `","shape":[`...)
		for i, d := range t.Shape {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendInt(b, d)
		}
		b = append(b, `],"data_offsets":[`...)
		b = appendInt(b, t.Offset)
		b = append(b, ',')
		b = appendInt(b, t.Offset+t.Size)
		b = append(b, "]}"...)
	}
	b = append(b, '}')
	for len(b)%8 != 0 {
		b = append(b, ' ')
	}
	return b
}

// Header is what the file begins with: the header's length, its JSON and padding. Do not change it.
func (l *Layout) Header() []byte { return l.header }

// Tensors lists the tensors in the order of the file, with their Offset and Size. Do not change it.
func (l *Layout) Tensors() []Tensor { return l.list }

// Tensor finds a tensor by name.
func (l *Layout) Tensor(name string) (Tensor, bool) {
	i, ok := l.byName[name]
	if !ok {
		return Tensor{}, false
	}
	return l.list[i], true
}

// Size is the length of the whole file in bytes.
func (l *Layout) Size() int64 { return l.size }

// Write writes the whole file in order, for tensors that are in memory: data gives the bytes of each.
func (l *Layout) Write(w io.Writer, data func(Tensor) ([]byte, error)) error {
	if _, err := w.Write(l.header); err != nil {
		return err
	}
	for _, t := range l.list {
		b, err := data(t)
		if err != nil {
			return err
		}
		if int64(len(b)) != t.Size {
			return &FormatError{Path: "layout", Code: SizeMismatch, Tensor: t.Name, Msg: fmt.Sprintf(
				"the shape %s of %s takes %d bytes, %d were given", listed(t.Shape), t.DType, t.Size, len(b))}
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

// appendText quotes s with serde_json's escapes: only what JSON demands.
func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			if c < ' ' {
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			} else {
				b = append(b, c)
			}
		}
	}
	return append(b, '"')
}
