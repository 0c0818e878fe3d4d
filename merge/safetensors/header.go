package safetensors

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxHeader is the reference library's limit on the length of a header.
const maxHeader = 100_000_000

// lengthBytes is the size of the header's length at the start of a file.
const lengthBytes = 8

// metadataName is the one name in a header that is no tensor.
const metadataName = "__metadata__"

// Tensor is one tensor of a file: what it is and where its bytes lie.
type Tensor struct {
	Name   string
	DType  DType
	Shape  []int64 // row-major; empty for a scalar; a dimension may be 0
	Offset int64   // of the first byte, from the start of the file
	Size   int64   // in bytes
}

// Elements is the number of elements.
func (t Tensor) Elements() int64 {
	n := int64(1)
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// size multiplies a shape out, in bytes. The order of the checks is the reference library's.
func size(d DType, shape []int64) (int64, Code) {
	n := uint64(1)
	for _, dim := range shape {
		if dim < 0 {
			return 0, Shape
		}
		hi, lo := bits.Mul64(n, uint64(dim))
		if hi != 0 || lo > math.MaxInt64 {
			return 0, Overflow
		}
		n = lo
	}
	hi, lo := bits.Mul64(n, uint64(d.Bits()))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, Overflow
	}
	if lo%8 != 0 {
		return 0, SizeMismatch
	}
	return int64(lo / 8), ""
}

// header is what the first bytes of a file say.
type header struct {
	tensors  []Tensor // by offset
	byName   map[string]int
	metadata map[string]string
}

// parseHeader reads and checks the JSON of a header; dataSize is how many bytes follow it in the file.
// Broken JSON stops at the first fault; what is wrong with tensors is reported all at once.
func parseHeader(path string, data []byte, dataSize int64) (*header, error) {
	p := &headerParser{
		header:   header{byName: map[string]int{}},
		problems: problems{path: path},
		scanner:  scanner{data: data},
		start:    lengthBytes + int64(len(data)),
	}
	switch {
	case len(data) == 0 || data[0] != '{':
		p.add(HeaderStart, "", "expected the header to begin with '{', found %s: this is no safetensors file", p.here())
	case !utf8.Valid(data):
		p.add(HeaderUTF8, "", "the header is not UTF-8")
	default:
		p.parse()
	}
	if len(p.found) == 0 {
		p.checkCover(dataSize)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	p.index()
	return &p.header, nil
}

type headerParser struct {
	header
	problems
	scanner
	start int64 // of the data in the file
}

// index sets byName to the places in tensors after sorting.
func (h *header) index() {
	for i, t := range h.tensors {
		h.byName[t.Name] = i
	}
}

func (p *headerParser) parse() {
	seenMetadata := false
	err := p.object(func(raw []byte) error {
		name := string(raw)
		if name == metadataName {
			if seenMetadata {
				p.add(Duplicate, "", "%s appears twice", metadataName)
			}
			seenMetadata = true
			return p.parseMetadata()
		}
		if _, twice := p.byName[name]; twice {
			p.add(Duplicate, name, "the name appears twice in the header")
		}
		p.byName[name] = 0
		return p.parseTensor(name)
	})
	if err == nil {
		if rest := bytes.TrimLeft(p.data[p.pos:], " "); len(rest) > 0 {
			p.pos = len(p.data) - len(rest)
			err = p.errorf("expected only spaces after the header's object, found %s", p.here())
		}
	}
	if err != nil && !errors.Is(err, errRecorded) {
		p.add(HeaderJSON, "", "%v", err)
	}
}

// fields of a tensor's description.
var fields = [...]string{"dtype", "shape", "data_offsets"}

// errRecorded stops the scan after a problem that has its entry.
var errRecorded = errors.New("recorded")

func (p *headerParser) parseMetadata() error {
	p.metadata = map[string]string{}
	if p.peek() != '{' {
		p.add(Metadata, "", "expected %s to be an object of strings, found %s", metadataName, p.here())
		return errRecorded
	}
	return p.object(func(raw []byte) error {
		key := string(raw)
		if p.peek() != '"' {
			p.add(Metadata, "", "expected %s[%q] to be a string, found %s", metadataName, shorten(key), p.here())
			return errRecorded
		}
		value, err := p.text()
		if err != nil {
			return err
		}
		if _, twice := p.metadata[key]; twice {
			p.add(Duplicate, "", "the key %q appears twice in %s", shorten(key), metadataName)
		}
		p.metadata[key] = string(value)
		return nil
	})
}

// parseTensor reads one description and checks it by itself.
func (p *headerParser) parseTensor(name string) error {
	var (
		dtype   DType
		shape   []int64
		offsets []int64
		seen    [len(fields)]bool
		sound   = true
	)
	if p.peek() != '{' {
		p.add(HeaderJSON, name, "expected an object with dtype, shape and data_offsets, found %s at byte %d", p.here(), p.pos)
		return errRecorded
	}
	err := p.object(func(raw []byte) error {
		field := slices.Index(fields[:], string(raw))
		if field < 0 {
			p.add(Field, name, "unknown field %q; expected dtype, shape and data_offsets", shorten(string(raw)))
			return errRecorded
		}
		if seen[field] {
			p.add(Duplicate, name, "the field %q appears twice", fields[field])
			sound = false
		}
		seen[field] = true
		switch field {
		case 0:
			text, err := p.text()
			if err != nil {
				return err
			}
			var known bool
			if dtype, known = ParseDType(string(text)); !known {
				p.add(UnknownDType, name, "unknown dtype %q; known are %s", shorten(string(text)), dtypeNames())
				sound = false
			}
			return nil
		case 1:
			return p.integers(&shape, Shape, name)
		}
		return p.integers(&offsets, Offsets, name)
	})
	if err != nil {
		return err
	}
	for i, found := range seen {
		if !found {
			p.add(Field, name, "the field %q is missing", fields[i])
			sound = false
		}
	}
	if sound {
		p.checkTensor(Tensor{Name: name, DType: dtype, Shape: shape}, offsets)
	}
	return nil
}

// integers reads an array of non-negative integers. What is wrong with it is recorded under code.
func (p *headerParser) integers(list *[]int64, code Code, tensor string) error {
	*list = []int64{}
	err := p.array(func() error {
		n, err := p.integer()
		*list = append(*list, n)
		return err
	})
	if err != nil {
		p.add(code, tensor, "%v", err)
		return errRecorded
	}
	return nil
}

// checkTensor checks shape, dtype and offsets against each other.
func (p *headerParser) checkTensor(t Tensor, offsets []int64) {
	if len(offsets) != 2 || offsets[0] > offsets[1] {
		p.add(Offsets, t.Name, "expected data_offsets [begin, end] with begin <= end, found %s", listed(offsets))
		return
	}
	if offsets[1] > math.MaxInt64-p.start {
		p.add(Overflow, t.Name, "data_offsets %v do not fit in a file", offsets)
		return
	}
	want, code := size(t.DType, t.Shape)
	switch {
	case code == Overflow:
		p.add(Overflow, t.Name, "the shape %s of %s does not fit in 63 bits", listed(t.Shape), t.DType)
		return
	case code != "":
		p.add(code, t.Name, "the shape %s of %s is not a whole number of bytes", listed(t.Shape), t.DType)
		return
	case offsets[1]-offsets[0] != want:
		p.add(SizeMismatch, t.Name, "the shape %s of %s takes %d bytes, data_offsets give it %d",
			listed(t.Shape), t.DType, want, offsets[1]-offsets[0])
		return
	}
	t.Offset, t.Size = p.start+offsets[0], want
	p.tensors = append(p.tensors, t)
}

// checkCover checks that the tensors cover the data exactly: no overlap, no hole, nothing beyond.
// It leaves them sorted by offset.
func (p *headerParser) checkCover(dataSize int64) {
	slices.SortStableFunc(p.tensors, func(a, b Tensor) int {
		if a.Offset != b.Offset {
			return cmp.Compare(a.Offset, b.Offset)
		}
		return cmp.Compare(a.Size, b.Size)
	})
	end, before := p.start, "the header"
	for _, t := range p.tensors {
		switch {
		case t.Offset < end:
			p.add(Overlap, t.Name, "its first %d bytes belong to %s too", min(end-t.Offset, t.Size), before)
		case t.Offset > end:
			p.add(Hole, t.Name, "%d bytes between %s and this tensor belong to none", t.Offset-end, before)
		}
		if stop := t.Offset + t.Size; stop >= end {
			end, before = stop, "tensor \""+shorten(t.Name)+"\""
		}
	}
	switch have := p.start + dataSize; {
	case end > have:
		p.add(Truncated, "", "the header describes %d bytes, the file has %d: the file is cut short (copy or download it again) or the header lies", end, have)
	case end < have:
		p.add(Trailing, "", "%d bytes after the last tensor belong to none: the header describes %d bytes, the file has %d", have-end, end, have)
	}
}

// listed shows a list of integers, shortened.
func listed(list []int64) string {
	const most = 12
	var b strings.Builder
	b.WriteByte('[')
	for i, n := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == most {
			b.WriteString("…")
			break
		}
		b.Write(appendInt(nil, n))
	}
	b.WriteByte(']')
	return b.String()
}

func dtypeNames() string {
	var names []string
	for _, d := range DTypes() {
		names = append(names, d.String())
	}
	return strings.Join(names, ", ")
}
