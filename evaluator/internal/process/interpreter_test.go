//go:build linux || darwin

package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInterpreter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eval.py")
	for text, want := range map[string]string{
		"#!/bin/sh\nexit 0\n":                   "",
		"#!/usr/bin/env sh\n":                   "",
		"#!/usr/bin/env -S sh -e\n":             "",
		"no script\r\n":                         "",
		"":                                      "",
		"#!\n":                                  "",
		"#!/bin/sh\r\nexit 0\r\n":               `the lines of eval.py end with CR LF, as on Windows, so that the system looks for an interpreter "sh\r"`,
		"#!/usr/bin/env python3\r\n":            `looks for an interpreter "python3\r"`,
		"#!/no/such/python3\nprint(1)\n":        "eval.py wants the interpreter /no/such/python3, which is not there",
		"#!/usr/bin/env no-such-python\n":       "eval.py wants the interpreter no-such-python, which is not in $PATH",
		"#!/usr/bin/env -S no-such-python -u\n": "no-such-python",
	} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		err := Interpreter(path, false)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %q", text, err, want)
		}
		found := Program{Name: "./eval.py", Dir: filepath.Dir(path)}.Find()
		if (found == nil) != (want == "") {
			t.Errorf("a program that begins %q: %v, expected %q", text, found, want)
		}
	}
	if err := Interpreter("/no/such/file", false); err != nil {
		t.Error(err)
	}
}
