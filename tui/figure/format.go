package figure

import (
	"fmt"
	"path/filepath"
	"strings"

	"parfait/problem"
)

// Format is a kind of picture, named as file names end.
type Format string

// Formats.
const (
	SVG Format = "svg"
	PNG Format = "png"
	PDF Format = "pdf"
)

// Formats are all that [Draw] can draw.
var Formats = [...]Format{SVG, PNG, PDF}

// FormatOf is the format that the name of a file asks for.
func FormatOf(file string) (Format, error) {
	ext := Format(strings.ToLower(strings.TrimPrefix(filepath.Ext(file), ".")))
	for _, f := range Formats {
		if ext == f {
			return f, nil
		}
	}
	return "", fail(UnknownFormat, "%q does not end in the name of a picture format: expected .svg, .png or .pdf, found %q; "+
		"choose another file name", file, filepath.Ext(file))
}

// Code classes what is wrong; tests depend on it, never on the text.
type Code = problem.Code

// Codes of problems.
const (
	UnknownFormat Code = "unknown-format" // a format or file name that is none of Formats
	BadSize       Code = "bad-size"       // a picture smaller than its axes or larger than memory should be
	NoDrawing     Code = "no-drawing"     // the drawing library failed
)

func fail(code Code, format string, args ...any) problem.Problem {
	return problem.Problem{Code: code, What: fmt.Sprintf(format, args...)}
}
