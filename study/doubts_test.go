package study

import (
	"strings"
	"testing"
)

// What is searched twice, or not at all, is said; what is as it should be is not.
func TestDoubts(t *testing.T) {
	for method, want := range map[string]string{
		"{name: task_arithmetic, lambda: {range: [0, 2]}}":                    "only their products",
		"{name: ties, lambda: {range: [0.5, 2]}, density: {range: [0.1, 1]}}": "only their products",
		"{name: ties, normalize: true, lambda: {range: [0, 2]}}":              "",
		"{name: ties, lambda: 1, density: {range: [0.1, 1]}}":                 "",
		"task_arithmetic": "",
		"{name: fisher, fisher: {math: a, code: b, wit: c}}":                         "",
		"{name: linear, normalize: false}":                                           "",
		"{name: breadcrumbs, lambda: {range: [0, 1]}, density: {range: [0.1, 0.5]}}": "only their products",
		"{name: linear, normalize: true}\nskip: ['x*']":                              "",
		"{name: della, normalize: true, lambda: {range: [0, 1]}, density: 0.5}":      "",
		"{name: dare_linear, density: {range: [0.1, 0.9]}, lambda: {range: [0, 1]}}": "only their products",
	} {
		s, err := ParseSpec("study.yaml", []byte(mixSpec(method, "", "")))
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		holdDoubts(t, method, s, want)
	}
	alone := strings.NewReplacer("  - {name: code, path: b}\n", "", "  - {name: wit, path: c, range: [0, 1.2]}\n", "")
	for method, want := range map[string]string{"linear": "nothing to search", "{name: linear, normalize: false}": "", "{name: ties, normalize: true, density: {range: [0.1, 1]}}": ""} {
		s, err := ParseSpec("study.yaml", []byte(alone.Replace(mixSpec(method, "", ""))))
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		holdDoubts(t, method+", one model", s, want)
	}
}

func holdDoubts(t *testing.T, of string, s *Spec, want string) {
	t.Helper()
	var said []string
	for _, d := range s.Doubts() {
		said = append(said, d.Error())
	}
	if text := strings.Join(said, "\n"); want == "" && text != "" || !strings.Contains(text, want) {
		t.Errorf("%s: %q is doubted, want %q", of, text, want)
	}
}
