package merge

import (
	"path/filepath"
	"strings"

	"parfait/merge/method"
)

// Relocated is the spec with every path in the folder was taken from the folder now instead: recipes hold absolute
// paths, and models move.
func (s Spec) Relocated(was, now string) Spec {
	was, now = absolute(was), absolute(now)
	move := func(path string) string {
		rel, err := filepath.Rel(was, path)
		if err != nil || !filepath.IsAbs(path) || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return path
		}
		return filepath.Join(now, rel)
	}
	s = s.mapped(move)
	params := map[string]any{}
	for name, v := range s.Params {
		params[name] = v
		files, ok := v.(map[string]any)
		if def, _ := methodParam(s.Method, name); def.Kind != method.Paths || !ok {
			continue
		}
		moved := map[string]any{}
		for model, path := range files {
			if text, ok := path.(string); ok {
				path = move(text)
			}
			moved[model] = path
		}
		params[name] = moved
	}
	s.Params = params
	return s
}
