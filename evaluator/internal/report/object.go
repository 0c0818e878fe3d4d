package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"parfait/visible"
)

// LastObject returns the last line that looks like a JSON object and tells of no progress, without the colours that
// somebody gave it; where there is none, the last lines that are one together. nil for none.
func LastObject(text []byte) []byte {
	lines := bytes.Split(text, []byte{'\n'})
	for i, line := range lines {
		lines[i] = last(line)
	}
	for _, line := range slices.Backward(lines) {
		if !bytes.HasPrefix(line, []byte("{")) || !bytes.HasSuffix(line, []byte("}")) {
			continue
		}
		if _, ok := ParseProgress(line); !ok {
			return line
		}
	}
	return lastIndented(lines)
}

// last is what of a line stays where it is written over itself, without escape sequences.
func last(line []byte) []byte {
	line = line[bytes.LastIndexByte(bytes.TrimRight(line, "\r"), '\r')+1:]
	line = bytes.TrimSpace([]byte(visible.Uncoloured(string(line))))
	return bytes.TrimSpace(bytes.TrimPrefix(line, mark))
}

// lastIndented are the last lines that are a JSON object together, as programs print it for people.
func lastIndented(lines [][]byte) []byte {
	end := len(lines)
	for ; end > 0; end-- {
		if _, progress := ParseProgress(lines[end-1]); bytes.HasSuffix(lines[end-1], []byte("}")) && !progress {
			break
		}
	}
	const maxStarts = 100 // an object whose values are objects has many lines that could be its first
	starts := 0
	for i := end - 1; i >= 0 && starts < maxStarts; i-- {
		if !bytes.HasPrefix(lines[i], []byte("{")) {
			continue
		}
		starts++
		if whole := bytes.Join(lines[i:end], []byte{'\n'}); json.Valid(NullForNaN(whole)) {
			return whole
		}
	}
	return nil
}

// BeforeObject is what stands before a JSON object on the last line of a text that ends with one: the bar of a
// program that did not end its line. "" where nothing does.
func BeforeObject(text []byte) string {
	lines := bytes.Split(bytes.TrimSpace(text), []byte{'\n'})
	line := last(lines[len(lines)-1])
	at := bytes.IndexByte(line, '{')
	if at <= 0 || !json.Valid(NullForNaN(line[at:])) {
		return ""
	}
	return Snippet(line[:at])
}

// mark is the byte order mark that Windows programs write before UTF-8.
var mark = []byte("\xef\xbb\xbf")

// Snippet returns the beginning of a text, safe to show.
func Snippet(b []byte) string {
	const most = 200
	s := strings.TrimSpace(Printable(string(b[:min(len(b), most)])))
	if len(b) > most {
		s += "…"
	}
	if s == "" {
		return "nothing"
	}
	return s
}

// object is a JSON object; its values are objects, lists, strings, numbers, booleans and nil.
type object map[string]any

// parse reads a JSON object, token by token so that a name that is there twice is seen. NaN and
// Infinity, which Python writes and JSON does not know, become nil, as null does.
func parse(b []byte) (object, error) {
	b = bytes.TrimPrefix(b, mark)
	d := json.NewDecoder(bytes.NewReader(NullForNaN(b)))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one value")
	}
	o, ok := v.(object)
	if !ok {
		return nil, fmt.Errorf("expected an object, found %s", kindOf(v))
	}
	return o, nil
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	const maxDepth = 1000
	if depth > maxDepth {
		return nil, fmt.Errorf("it is nested deeper than %d", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		o := object{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			key := name.(string) // the decoder sees to that
			if _, twice := o[key]; twice {
				return nil, fmt.Errorf("the name %q is there twice", key)
			}
			if o[key], err = parseValue(d, depth+1); err != nil {
				return nil, err
			}
		}
		_, err = d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := parseValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	}
	return t, nil
}

// NullForNaN replaces NaN, Infinity and -Infinity outside of strings by null. b itself is not changed.
func NullForNaN(b []byte) []byte {
	if !bytes.Contains(b, []byte("NaN")) && !bytes.Contains(b, []byte("Infinity")) {
		return b
	}
	var out []byte
	quoted := false
	for i := 0; i < len(b); i++ {
		if quoted {
			switch b[i] {
			case '\\':
				out = append(out, b[i])
				if i++; i == len(b) {
					return out
				}
			case '"':
				quoted = false
			}
			out = append(out, b[i])
			continue
		}
		word := ""
		for _, w := range []string{"NaN", "-Infinity", "Infinity"} {
			if bytes.HasPrefix(b[i:], []byte(w)) {
				word = w
			}
		}
		if word != "" {
			out = append(out, "null"...)
			i += len(word) - 1
			continue
		}
		quoted = b[i] == '"'
		out = append(out, b[i])
	}
	return out
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null or NaN"
	case object:
		return "an object"
	case []any:
		return "a list"
	case string:
		return fmt.Sprintf("the text %q", Snippet([]byte(v)))
	}
	return fmt.Sprintf("%v", v)
}

// names lists what is in an object, for errors.
func (o object) names() string {
	if len(o) == 0 {
		return "nothing"
	}
	return strings.Join(slices.Sorted(maps.Keys(o)), ", ")
}
