package evaluator_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parfait/evaluator"
)

// A log takes output up to its limit, from any goroutine, says once that there was more, and has its evaluator's own
// words all the same.
func TestLogTakesSoMuch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logs", "1.log")
	log, err := evaluator.OpenLog(path, 1000)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("x", 99) + "\n"
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 50 {
				if n, err := fmt.Fprint(log, line); n != len(line) || err != nil {
					t.Errorf("%d bytes of %d were taken: %v", n, len(line), err)
				}
			}
		})
	}
	wait.Wait()
	log.Say("it ended with %d", 0)
	log.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if n := strings.Count(text, line); n != 10 || strings.Count(text, "the rest is left out") != 1 || !strings.HasSuffix(text, "it ended with 0\n") {
		t.Errorf("it has %d lines, expected 10, a word on the rest, and the end:\n%s", n, text)
	}
}

func TestLogsThatAreNone(t *testing.T) {
	log, err := evaluator.OpenLog("", 0)
	if err != nil || log != nil {
		t.Fatalf("%v, %v; expected no log and no error", log, err)
	}
	log.Say("nobody hears this")
	if n, err := log.Write([]byte("nor this")); n != 8 || err != nil {
		t.Errorf("%d bytes were taken: %v", n, err)
	}
	log.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := evaluator.OpenLog(filepath.Join(file, "1.log"), 0); err == nil || !strings.Contains(err.Error(), "the log cannot be written") {
		t.Errorf("a log where there can be none: %v", err)
	}
}
