package safetensors

import (
	"errors"
	"fmt"
	"strings"
)

// Code says which rule was broken. Codes are stable; messages are not.
type Code string

// The codes of a FormatError.
const (
	NotRegular   Code = "not-regular"   // a folder, device or pipe where a file was expected
	NotThisKind  Code = "not-this-kind" // a Git LFS pointer, a pickle, GGUF…
	TooSmall     Code = "too-small"     // shorter than the eight bytes of the header's length
	HeaderLength Code = "header-length" // the header would be empty, above 100 MB or beyond the file
	HeaderStart  Code = "header-start"  // the header does not begin with {
	HeaderUTF8   Code = "header-utf8"   // the header is not UTF-8
	HeaderJSON   Code = "header-json"   // the header is not the JSON that the format describes
	Duplicate    Code = "duplicate"     // a name or field appears twice
	Field        Code = "field"         // a tensor lacks a field or has an unknown one
	UnknownDType Code = "dtype"         // a dtype outside the format
	Shape        Code = "shape"         // a dimension that is not a non-negative integer
	Offsets      Code = "offsets"       // data_offsets that are not two increasing integers
	Overflow     Code = "overflow"      // shape × size does not fit in 63 bits
	SizeMismatch Code = "size-mismatch" // shape × size is not the length given by data_offsets
	Overlap      Code = "overlap"       // two tensors share bytes
	Hole         Code = "hole"          // bytes between two tensors belong to none
	Truncated    Code = "truncated"     // a tensor ends beyond the file
	Trailing     Code = "trailing"      // bytes follow the last tensor
	Metadata     Code = "metadata"      // __metadata__ is not a map of strings to strings
	Name         Code = "name"          // a name that cannot be written: reserved or not UTF-8
	Unreadable   Code = "unreadable"    // the operating system refused; Err says why
	Changed      Code = "changed"       // the file is not the one that was opened

	NoModel        Code = "no-model"         // a folder without model.safetensors and without its index
	IndexJSON      Code = "index-json"       // the index is not the JSON that it should be
	ShardPath      Code = "shard-path"       // the index names a file outside its folder
	ShardMissing   Code = "shard-missing"    // the index names a file that is not there
	TensorMissing  Code = "tensor-missing"   // the index puts a tensor in a shard that lacks it
	TensorUnlisted Code = "tensor-unlisted"  // a shard holds a tensor that the index lacks
	TensorTwice    Code = "tensor-in-shards" // two shards hold a tensor of one name
)

// FormatError is one broken rule of one file.
type FormatError struct {
	Path   string // the file or folder
	Code   Code
	Tensor string // the tensor concerned, "" if none
	Msg    string // what was expected, what was found, what to do
	Err    error  // the cause, where the operating system gave one
}

// Error names the file, the tensor and what is wrong.
func (e *FormatError) Error() string {
	var b strings.Builder
	b.WriteString(e.Path)
	if e.Tensor != "" {
		fmt.Fprintf(&b, ": tensor %q", shorten(e.Tensor))
	}
	b.WriteString(": ")
	b.WriteString(e.Msg)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// maxProblems bounds how many problems of one file are reported: a hostile header has millions.
const maxProblems = 20

// problems collects what is wrong with one file.
type problems struct {
	path  string
	found []error
	more  int
}

func (p *problems) add(code Code, tensor, format string, args ...any) {
	if len(p.found) == maxProblems {
		p.more++
		return
	}
	p.found = append(p.found, &FormatError{Path: p.path, Code: code, Tensor: tensor, Msg: fmt.Sprintf(format, args...)})
}

func (p *problems) err() error {
	if p.more > 0 {
		return errors.Join(append(p.found, fmt.Errorf("%s: and %d more problems", p.path, p.more))...)
	}
	if len(p.found) == 1 {
		return p.found[0]
	}
	return errors.Join(p.found...)
}

// shorten keeps messages readable when a hostile name has megabytes.
func shorten(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
