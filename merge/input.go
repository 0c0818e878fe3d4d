package merge

import (
	"errors"
	"os"
	"path/filepath"

	"parfait/merge/safetensors"
)

// input is one opened model: its headers are read and its files stay open until close.
type input struct {
	name string // "base", or the model's name
	path string // as the spec gives it
	dir  string // folder of its config; "" for a lone file
	set  *safetensors.Set
	stat []stamp // of set.Files(), as opened
}

// openInput opens a folder or a .safetensors file.
func openInput(name, path string) (*input, error) {
	where := name + " (" + path + ")"
	info, err := os.Stat(path)
	if err != nil {
		return nil, Problem{CodeOpen, where, reason(err), "a folder with safetensors files or a .safetensors file", "check the path"}
	}
	in := &input{name: name, path: path}
	if info.IsDir() {
		in.dir = path
	}
	in.set, err = safetensors.OpenModel(path)
	if err != nil {
		return nil, formatProblems(where, err)
	}
	for _, f := range in.set.Files() {
		s, err := stampOf(f.Path())
		if err != nil {
			return nil, errors.Join(Problem{CodeOpen, where, reason(err), "", ""}, in.close())
		}
		in.stat = append(in.stat, s)
	}
	return in, nil
}

func (in *input) close() error {
	if in == nil || in.set == nil {
		return nil
	}
	return in.set.Close()
}

// unchanged says which file is no longer what it was when it was opened.
func (in *input) unchanged() error {
	for i, f := range in.set.Files() {
		now, err := stampOf(f.Path())
		if err != nil {
			return Problem{CodeChanged, f.Path(), "it cannot be looked at any more: " + reason(err), "the file that was opened", "start again when nothing moves the inputs"}
		}
		if now != in.stat[i] {
			return Problem{CodeChanged, f.Path(), "the file changed while it was read", "the same size, modification time and inode before and after", "start again when nothing writes to it (a download or a training run?)"}
		}
	}
	return nil
}

// formatProblems turns what the safetensors reader found into problems.
func formatProblems(where string, err error) error {
	var list []Problem
	var walk func(error)
	walk = func(err error) {
		var f *safetensors.FormatError
		switch e := err.(type) {
		case *safetensors.FormatError:
			f = e
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				walk(inner)
			}
			return
		default:
			list = append(list, Problem{CodeFormat, where, err.Error(), "", ""})
			return
		}
		code := CodeFormat
		switch f.Code {
		case safetensors.NoModel:
			code = CodeNoWeights
		case safetensors.NotThisKind:
			code = CodeNotConverted
		case safetensors.Unreadable:
			code = CodeOpen
		}
		list = append(list, Problem{code, where, f.Error(), "", ""})
	}
	walk(err)
	return &ProblemsError{list}
}

// reason is an error of the operating system without the path, which the message names already.
func reason(err error) string {
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

// absolute makes a path independent of the working folder, symbolic links kept.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
