//go:build linux || darwin

package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parfait/evaluator"
)

// Most bytes of a report: of a file, and of the end of stdout in which its last line is looked for.
const (
	largestReport = 64 << 20
	largestTail   = 4 << 20
)

// readMetrics finds the report of a run that ended well, and reads what c asks for. Exactly the tasks
// asked for have to be in it.
func readMetrics(o Options, c evaluator.Candidate, dir string) (evaluator.Metrics, error) {
	b, where, err := findReport(dir)
	if err != nil {
		return nil, err
	}
	report, err := parseReport(b)
	if err != nil {
		return nil, evaluator.Errorf(BadMetrics, "%s is no JSON that can be understood: %w; found %s", where, err, snippet(b))
	}
	m, err := report.metrics(o.Metrics, c.Tasks)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return m, evaluator.Check(c, m)
}

// findReport returns what the command reported and where it was: the file {out} or, where a program made
// a folder of it or put a date into its name as lm-eval does, the newest result there; else the last line
// of stdout that is a JSON object.
func findReport(dir string) (b []byte, where string, err error) {
	out := filepath.Join(dir, outName)
	candidates := []string{}
	switch info, err := os.Stat(out); {
	case err == nil && info.IsDir():
		err = filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
			if match, _ := filepath.Match("results*.json", filepath.Base(path)); match && err == nil && d.Type().IsRegular() {
				candidates = append(candidates, path)
			}
			return err
		})
		if err != nil {
			return nil, "", evaluator.Errorf(BadMetrics, "the folder {out} cannot be read: %w", err)
		}
		if len(candidates) == 0 {
			return nil, "", evaluator.Errorf(NoMetrics, "the command made a folder of {out}, without a results*.json in it: expected its metrics as JSON there, in a file {out}, or in the last line of stdout")
		}
	case err == nil && info.Size() > 0:
		candidates = []string{out}
	default:
		candidates, _ = filepath.Glob(filepath.Join(dir, strings.TrimSuffix(outName, ".json")+"_*.json"))
	}
	if len(candidates) > 0 {
		slices.SortFunc(candidates, func(a, b string) int { // dates sort as text
			return strings.Compare(filepath.Base(a), filepath.Base(b))
		})
		path := candidates[len(candidates)-1]
		b, err := readAtMost(path, largestReport)
		if err != nil {
			return nil, "", evaluator.Errorf(BadMetrics, "the metrics in {out} cannot be read: %w", err)
		}
		return b, "{out} (" + filepath.Base(path) + ")", nil
	}
	tail, err := readTail(filepath.Join(dir, stdoutName), largestTail)
	if err != nil {
		return nil, "", evaluator.Errorf(BadMetrics, "stdout cannot be read: %w", err)
	}
	if line := lastObject(tail); line != nil {
		return line, "the last JSON line of stdout", nil
	}
	said := lastWords(filepath.Join(dir, stdoutName))
	if said == "" {
		said = "nothing"
	}
	return nil, "", evaluator.Errorf(NoMetrics, "the command ended well and reported no metrics: expected a JSON object such as {\"task\": 0.81} in the file {out}, or as the last line of stdout; stdout ends with:\n%s", said)
}

func readAtMost(path string, most int64) (b []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err = io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return b, err
}

// lastObject returns the last line that looks like a JSON object and tells of no progress, nil for none.
func lastObject(text []byte) []byte {
	for _, line := range slices.Backward(bytes.Split(text, []byte{'\n'})) {
		line = bytes.TrimSpace(line[bytes.LastIndexByte(bytes.TrimRight(line, "\r"), '\r')+1:])
		if !bytes.HasPrefix(line, []byte("{")) || !bytes.HasSuffix(line, []byte("}")) {
			continue
		}
		if _, ok := parseProgress(line); !ok {
			return line
		}
	}
	return nil
}

func snippet(b []byte) string {
	const most = 200
	s := strings.TrimSpace(printable(string(b[:min(len(b), most)])))
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

// parseReport reads a JSON object, token by token so that a name that is there twice is seen. NaN and
// Infinity, which Python writes and JSON does not know, become nil, as null does.
func parseReport(b []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(nullForNaN(b)))
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
	const deepest = 1000
	if depth > deepest {
		return nil, fmt.Errorf("it is nested deeper than %d", deepest)
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

// nullForNaN replaces NaN, Infinity and -Infinity outside of strings.
func nullForNaN(b []byte) []byte {
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
		return fmt.Sprintf("the text %q", snippet([]byte(v)))
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
