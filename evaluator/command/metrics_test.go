//go:build linux || darwin

package command

import (
	"os"
	"path/filepath"
	"testing"

	"parfait/evaluator"
)

// Where the report is found: the file, what lm-eval makes of its name, or stdout.
func TestFindReport(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
		code  evaluator.Code
	}{
		"file":               {map[string]string{"out.json": "{1}", "stdout": `{"a": 1}`}, "{1}", ""},
		"empty file":         {map[string]string{"out.json": "", "stdout": `{"a": 1}`}, `{"a": 1}`, ""},
		"a date in the name": {map[string]string{"out_2025-01-02T03-04-05.json": "{2}", "out_2025-01-01T23-00-00.json": "{1}", "stdout": ""}, "{2}", ""},
		"a folder":           {map[string]string{"out.json/org__model/results_2025-01-02.json": "{2}", "out.json/org__model/samples_a.json": "{0}", "out.json/z/results_2025-01-01.json": "{1}"}, "{2}", ""},
		"logs of inspect":    {map[string]string{"out.json/a.json": `{"status": "success", "eval": {"task": "a"}, "results": {"completed_samples": 3, "scores": [{"name": "match", "metrics": {"accuracy": {"value": 0.5}}}]}}`}, `{"n-samples":{"a":{"effective":3}},"results":{"a":{"accuracy,match":0.5}}}`, ""},
		"another JSON":       {map[string]string{"out.json/a.json": `{"a": 1}`}, "", evaluator.NoMetrics},
		"an empty folder":    {map[string]string{"out.json/org__model/log.txt": "", "stdout": `{"a": 1}`}, "", evaluator.NoMetrics},
		"the last line":      {map[string]string{"stdout": "{\"a\": 1}\n{\"a\": 2}\nbye {you}\n"}, `{"a": 2}`, ""},
		"after a bar":        {map[string]string{"stdout": "10%\r100%\r{\"a\": 2}\r\n"}, `{"a": 2}`, ""},
		"before progress":    {map[string]string{"stdout": "{\"a\": 2}\n{\"progress\": {\"done\": 1}}\n"}, `{"a": 2}`, ""},
		"on stderr":          {map[string]string{"stdout": "", "stderr": "{\"a\": 1}\n"}, "", evaluator.NoMetrics},
		"nothing":            {map[string]string{"stdout": "accuracy 3\n"}, "", evaluator.NoMetrics},
	} {
		dir := t.TempDir()
		for f, text := range c.files {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, f)), 0o700); err != nil {
				t.Fatal(err)
			}
			write(filepath.Join(dir, f), text)
		}
		got, _, err := findReport(dir)
		if string(got) != c.want || evaluator.CodeOf(err) != c.code {
			t.Errorf("%s: %q, %v; expected %q, %q", name, got, err, c.want, c.code)
		}
	}
}
