//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"
)

// program is the built binary.
var program string

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "judge" { // this process was started by a study
		if err := asJudge(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// Who is started by nohup starts others that do not hear SIGHUP; those that are listened for are heard again.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "parfait-e2e-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "parfait")
	if built := os.Getenv(programVariable); built != "" { // this process was started by a test
		program = built
	} else if out, err := exec.Command("go", "build", "-o", program, "..").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

const programVariable = "PARFAIT_E2E_PROGRAM"

// need skips a test whose parts are missing, and fails it under CI=true.
func need(t *testing.T, err error, what string) {
	t.Helper()
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: %v", what, err)
	}
	t.Skipf("%s is missing: %v", what, err)
}

// result is a command that has ended.
type result struct {
	code        int
	out, errors string
}

// parfait runs the program in dir.
func parfait(t *testing.T, dir string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// good runs the program, which must succeed.
func good(t *testing.T, dir string, args ...string) string {
	t.Helper()
	r := parfait(t, dir, args...)
	if r.code != 0 {
		t.Fatalf("parfait %q: exit %d\n%s%s", args, r.code, r.out, r.errors)
	}
	return r.out
}

// trial is what --json says of one.
type trial struct {
	ID           int
	State        string
	Attempt      int
	Coefficients map[string]float64
	Metrics      map[string]map[string]any
}

// trials are the trials of the study in dir by their id.
func trials(t *testing.T, dir string) map[int]trial {
	t.Helper()
	var list struct{ Trials []trial }
	decode(t, good(t, ".", "trials", dir, "--json"), &list)
	return byID(list.Trials)
}

func byID(list []trial) map[int]trial {
	out := map[int]trial{}
	for _, tr := range list {
		out[tr.ID] = tr
	}
	return out
}

// doneOf is how many of them are done.
func doneOf(trials map[int]trial) (n int) {
	for _, tr := range trials {
		if tr.State == "done" {
			n++
		}
	}
	return n
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
}

// facts is a study's JSON without what may differ between two runs: paths, times and what they cost, and attempts.
func facts(t *testing.T, text string) any {
	t.Helper()
	var v any
	decode(t, text, &v)
	return timeless(v)
}

func timeless(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for _, k := range []string{"study", "log", "started", "ended", "attempt", "at", "spent", "elapsed_s", "took_s", "remaining_s"} {
			delete(x, k)
		}
		for k := range x {
			x[k] = timeless(x[k])
		}
	case []any:
		for i := range x {
			x[i] = timeless(x[i])
		}
	}
	return v
}

// same compares two studies' facts.
func same(t *testing.T, got, want any, what string) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	g, _ := json.MarshalIndent(got, "", " ")
	w, _ := json.MarshalIndent(want, "", " ")
	gl, wl := bytes.Split(g, []byte("\n")), bytes.Split(w, []byte("\n"))
	for i := range gl {
		if i >= len(wl) || !bytes.Equal(gl[i], wl[i]) {
			t.Fatalf("%s: they differ first at line %d: %s", what, i, gl[i])
		}
	}
	t.Fatalf("%s: they differ in length", what)
}
