//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// python is an interpreter with numpy, ml_dtypes and safetensors.
func python(t *testing.T) string {
	t.Helper()
	path := os.Getenv("PARFAIT_PYTHON")
	if path == "" {
		path = "python3"
	}
	out, err := exec.Command(path, "-c", "import numpy, ml_dtypes, safetensors").CombinedOutput()
	if err != nil {
		t.Logf("%s", out)
	}
	need(t, err, "Python with numpy, ml_dtypes and safetensors (PARFAIT_PYTHON names one)")
	return path
}

// TestExportsAreWhatNumpyComputes recomputes exports from base, experts and coefficients, and writes them
// again with the reference library.
func TestExportsAreWhatNumpyComputes(t *testing.T) {
	py, home := python(t), t.TempDir()
	dir := filepath.Join(home, "s")
	good(t, ".", "demo", "--headless", "--tasks", "3", "--budget", "20", "--seed", "1", "--dir", dir)
	models := filepath.Join(dir, "models")
	for i, which := range [][]string{
		{"--knee"},
		{"--best", "rotated"},
		{"--at", "rotated=0.3141592653589793,mirrored=-0.25,upside_down=1.75"},
		{"--at", "rotated=0,mirrored=0,upside_down=0"},
		{"--at", "rotated=1,mirrored=0,upside_down=0"},
		{"--at", "rotated=1e-30,mirrored=1e-60,upside_down=0.1"},
	} {
		out := filepath.Join(home, "out"+string(rune('0'+i)))
		text := good(t, ".", append([]string{"export", dir, "--out", out, "--json"}, which...)...)
		file := filepath.Join(home, "export.json")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		args := []string{filepath.Join("testdata", "recompute.py"), file, filepath.Join(models, "base"), out}
		for _, m := range []string{"rotated", "mirrored", "upside_down"} {
			args = append(args, m+"="+filepath.Join(models, m))
		}
		said, err := exec.Command(py, args...).CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v\n%s", which, err, said)
			continue
		}
		t.Logf("%v: %s", which, strings.TrimSpace(string(said)))
	}
}

// TestCommandEvaluatorInPython runs a study of one's own as docs/evaluators.md tells to: a script that
// loads the merged model, here with a known answer. The loss of each task is least at that model alone.
func TestCommandEvaluatorInPython(t *testing.T) {
	py, home := python(t), t.TempDir()
	good(t, ".", "demo", "--headless", "--tasks", "2", "--budget", "3", "--dir", filepath.Join(home, "digits"))
	models := filepath.Join(home, "digits", "models")
	script, err := filepath.Abs(filepath.Join("testdata", "evaluate.py"))
	if err != nil {
		t.Fatal(err)
	}
	rot, mir := filepath.Join(models, "rotated"), filepath.Join(models, "mirrored")
	dir := filepath.Join(home, "own.study")
	good(t, home, "init", dir, "--base", filepath.Join(models, "base"), "--model", "rot="+rot, "--model", "mir="+mir,
		"--task", "to_rot:loss", "--task", "to_mir:loss", "--budget", "14", "--parallel", "2", "--timeout", "60s",
		"--command", strings.Join([]string{py, script, "{model}", "{out}", "{split}", "to_rot=" + rot, "to_mir=" + mir}, " "))
	good(t, ".", "run", dir, "--headless")
	var e struct {
		Coefficients map[string]float64
		Measured     map[string]map[string]struct{ Value float64 }
	}
	decode(t, good(t, ".", "export", dir, "--best", "to_rot", "--verify", "--json"), &e)
	if c := e.Coefficients; c["rot"] < 0.9 || c["rot"] > 1.1 || c["mir"] > 0.1 {
		t.Errorf("the best of to_rot is at %v, want near rot 1, mir 0", c)
	}
	v, test := e.Measured["validation"]["to_rot"].Value, e.Measured["test"]["to_rot"].Value
	if v <= 0 || test-v < 0.0009 || test-v > 0.0011 {
		t.Errorf("validation %g, test %g: want both measured, the test split .001 higher", v, test)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "candidates", "*")); len(left) > 0 {
		t.Errorf("merged models were left behind: %v", left)
	}
}
