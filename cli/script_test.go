package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, badlyBehaved))
	}
	testscript.Main(m, map[string]func(){"parfait": Main})
}

// TestScripts runs the stories in testdata: each is what a person types, and what they see.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("TERM", "dumb")
			tree, err := filepath.Abs("..")
			e.Setenv("TREE", tree)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"json":    jsonHas,
			"alike":   alike,
			"replace": replace,
		},
	})
}

// exits CODE COMMAND… runs a command that must end with exactly that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if err != nil {
		code = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}

// json FILE PATH PATTERN looks up a dotted path (numbers index lists, len is its length) and matches it.
func jsonHas(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH PATTERN")
	}
	var v any
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	dec.UseNumber()
	ts.Check(dec.Decode(&v))
	if dec.More() {
		ts.Fatalf("%s: more than one JSON value", args[0])
	}
	for key := range strings.SplitSeq(args[1], ".") {
		v = step(ts, v, key, args[1])
	}
	text := fmt.Sprint(v)
	if b, err := json.Marshal(v); err == nil && !strings.HasPrefix(string(b), `"`) {
		text = string(b)
	}
	ok, err := regexp.MatchString("^(?:"+args[2]+")$", text)
	ts.Check(err)
	if ok == neg {
		ts.Fatalf("%s is %s, want (or not) %s", args[1], text, args[2])
	}
}

func step(ts *testscript.TestScript, v any, key, path string) any {
	switch x := v.(type) {
	case map[string]any:
		inner, ok := x[key]
		if !ok {
			ts.Fatalf("%s: there is no %q", path, key)
		}
		return inner
	case []any:
		if key == "len" {
			return json.Number(strconv.Itoa(len(x)))
		}
		i, err := strconv.Atoi(key)
		ts.Check(err)
		return x[i]
	}
	ts.Fatalf("%s: %q has nothing inside", path, key)
	return nil
}

// alike A B compares two JSON files but for paths and times.
func alike(ts *testscript.TestScript, neg bool, args []string) {
	var texts [2][]byte
	for i, file := range args {
		var v any
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &v))
		b, err := json.MarshalIndent(timeless(v), "", " ")
		ts.Check(err)
		texts[i] = b
	}
	if bytes.Equal(texts[0], texts[1]) == neg {
		ts.Fatalf("%s and %s differ, or should", args[0], args[1])
	}
}

// timeless takes out what may differ between two runs: paths and times.
func timeless(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, inner := range x {
			switch k {
			case "study", "log", "started", "ended", "elapsed_s", "spent", "at", "out", "receipt":
			default:
				out[k] = timeless(inner)
			}
		}
		return out
	case []any:
		for i := range x {
			x[i] = timeless(x[i])
		}
	}
	return v
}

// replace OLD NEW FILE edits a file.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace OLD NEW FILE")
	}
	text := ts.ReadFile(args[2])
	if !strings.Contains(text, args[0]) {
		ts.Fatalf("%q is not in %s", args[0], args[2])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.ReplaceAll(text, args[0], args[1])), 0o644))
}
