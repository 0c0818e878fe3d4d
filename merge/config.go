package merge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"parfait/merge/codes"
)

const configFile = "config.json"

// modelConfig is a model's config.json: what the weights beside it mean.
type modelConfig struct {
	path string
	top  map[string]any
}

// readConfig reads a folder's config.json; nil where there is none.
func readConfig(dir string) (*modelConfig, error) {
	path := filepath.Join(dir, configFile)
	data, err := readSidecar(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c := &modelConfig{path: path}
	err = json.Unmarshal(plainJSON(data), &c.top)
	if err == nil && c.top == nil {
		err = errors.New("null")
	}
	if err != nil {
		return nil, Problem{Code: codes.Read, Where: path, What: "it is not a JSON object: " + atLine(data, err), Expected: "a model's configuration: the weights mean nothing without it", Fix: "copy it again from where the model comes from (hf download), or repair it"}
	}
	return c, nil
}

// atLine is what is wrong with a JSON text, with the line where it is.
func atLine(data []byte, err error) string {
	at := int64(-1)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		at = syntax.Offset
	} else if kind := (*json.UnmarshalTypeError)(nil); errors.As(err, &kind) {
		at = kind.Offset
	}
	if at < 0 || at > int64(len(data)) {
		return err.Error()
	}
	return fmt.Sprintf("line %d: %v", 1+bytes.Count(data[:at], []byte("\n")), err)
}

// sidecarProblem says why a file beside the weights, whose name is there, cannot be read.
func sidecarProblem(path string, err error) Problem {
	if to, link := os.Readlink(path); link == nil && errors.Is(err, fs.ErrNotExist) {
		return Problem{Code: codes.Read, Where: path, What: "it is a link to " + to + ", and there is no such file", Expected: "a file: the weights mean nothing without it", Fix: "download or copy the model again (hf download), or remove the link if the model is whole without it"}
	}
	return Problem{Code: codes.Read, Where: path, What: "it cannot be read: " + reason(err), Expected: "a file that can be read", Fix: "check its permissions, or copy the model again"}
}

var (
	pythonNumber = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?Infinity|NaN`)
	quotedNumber = map[string]string{"Infinity": `"Infini"`, "-Infinity": `"-Infini"`, "NaN": `"N"`}
)

// plainJSON is JSON as Python writes it with its NaN and Infinity made texts, of the same length.
func plainJSON(data []byte) []byte {
	if !bytes.Contains(data, []byte("Infinity")) && !bytes.Contains(data, []byte("NaN")) {
		return data
	}
	return pythonNumber.ReplaceAllFunc(data, func(b []byte) []byte {
		if text, ok := quotedNumber[string(b)]; ok {
			return []byte(text)
		}
		return b
	})
}

// classes are the names of the model's classes, "" where the configuration has none.
func (c *modelConfig) classes() string {
	if c == nil {
		return ""
	}
	list, _ := c.top["architectures"].([]any)
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = fmt.Sprint(v)
	}
	return strings.Join(names, ", ")
}

// architecture is what the configuration calls the model, "" where it does not say.
func (c *modelConfig) architecture() string {
	if names := c.classes(); names != "" || c == nil {
		return names
	}
	return c.kind()
}

// kind is the configuration's model_type, "" where it does not say.
func (c *modelConfig) kind() string {
	if c == nil {
		return ""
	}
	kind, _ := c.top["model_type"].(string)
	return kind
}

// textParts are the keys of the part of a configuration that describes a language model inside of
// another one.
var textParts = []string{"text_config", "llm_config", "language_config", "thinker_config"}

// configPart is the whole configuration, or that of a language model in it.
type configPart struct {
	keys    []string // where it stands
	entries map[string]any
}

// parts are the whole configuration and then those of language models in it, always in the same order.
func (c *modelConfig) parts() []configPart {
	if c == nil {
		return nil
	}
	var out []configPart
	var walk func(p configPart)
	walk = func(p configPart) {
		out = append(out, p)
		for _, key := range textParts {
			if inner, ok := p.entries[key].(map[string]any); ok {
				walk(configPart{p.path(key), inner})
			}
		}
	}
	walk(configPart{nil, c.top})
	return out
}

// path is where a key of the part stands in the whole.
func (p configPart) path(key string) []string { return append(slices.Clone(p.keys), key) }

const tieKey = "tie_word_embeddings"

// tied is what the configuration says of head and embeddings being one tensor; the language model's
// own part counts before the whole.
func (c *modelConfig) tied() (tied, said bool) {
	depth := -1
	for _, p := range c.parts() {
		if v, ok := p.entries[tieKey].(bool); ok && len(p.keys) > depth {
			tied, said, depth = v, true, len(p.keys)
		}
	}
	return tied, said
}

// entry is a key of a JSON object, found in the text: object is where the object's content begins, and
// value the bytes of the value, where the key is there.
type entry struct {
	object     int
	start, end int
	found      bool
}

// find looks a path of keys up in the text of a JSON file, so that one value can be changed and every
// other byte kept. ok says that every key but the last leads to an object.
func findEntry(data []byte, keys ...string) (e entry, ok bool) {
	d := json.NewDecoder(bytes.NewReader(plainJSON(data)))
	for depth := range keys {
		if t, err := d.Token(); err != nil || t != json.Delim('{') {
			return e, false
		}
		e = entry{object: int(d.InputOffset())}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return e, false
			}
			if key == keys[depth] {
				e.found = true
				break
			}
			var skipped json.RawMessage
			if d.Decode(&skipped) != nil {
				return e, false
			}
		}
		if !e.found {
			return e, depth == len(keys)-1
		}
	}
	var value json.RawMessage
	if d.Decode(&value) != nil {
		return e, false
	}
	e.end = int(d.InputOffset())
	e.start = e.end - len(value)
	return e, true
}

// setEntry puts a value at a path of keys, if the object that it belongs to is there.
func setEntry(data []byte, value string, keys ...string) []byte {
	e, ok := findEntry(data, keys...)
	switch {
	case !ok:
		return data
	case e.found:
		return bytes.Join([][]byte{data[:e.start], []byte(value), data[e.end:]}, nil)
	}
	text := "\n" + strings.Repeat("  ", len(keys)) + `"` + keys[len(keys)-1] + `": ` + value
	if rest := bytes.TrimLeft(data[e.object:], " \t\r\n"); len(rest) > 0 && rest[0] != '}' {
		text += ","
	}
	return bytes.Join([][]byte{data[:e.object], []byte(text), data[e.object:]}, nil)
}

// tiedAs is a config.json with a value of tie_word_embeddings wherever transformers looks for it.
func tiedAs(value string, data []byte, c *modelConfig) []byte {
	for _, p := range c.parts() {
		data = setEntry(data, value, p.path(tieKey)...)
	}
	return data
}
