package evaluator_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parfait/evaluator"
)

// The last line of a log is what would stand on a terminal.
func TestLastLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"one\ntwo\n\n":                     "two",
		"\r 10%|#   |\r 43%|##  | 3.2it/s": "43%|##  | 3.2it/s",
		"\r\x1b[32m 43%\x1b[0m \x1b[A\n":   "43%",
		"100%\r\nloaded\r\n":               "loaded",
		"here\n--- 2026-11-30 18:00:00: exit status 0\n": "here",
		"--- 2026-11-30 18:00:00: attempt 1\n":           "",
		"\x1b]0;title\x07a\u202eb\n":                     "ab",
		strings.Repeat("x", 5000) + "\nend":              "end",
	} {
		path := filepath.Join(t.TempDir(), "1.log")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := evaluator.LastLine(path); got != want {
			t.Errorf("the last line of %.40q is %q, expected %q", text, got, want)
		}
	}
	if got := evaluator.LastLine(filepath.Join(t.TempDir(), "none")); got != "" {
		t.Errorf("the last line of no file is %q", got)
	}
}

// A bar is in the log while it is drawn, a few times an evaluation, and what follows it stands in its place.
func TestRedraw(t *testing.T) {
	path := filepath.Join(t.TempDir(), "1.log")
	synctest.Test(t, func(t *testing.T) {
		log, err := evaluator.OpenLog(path, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		log.Redraw([]byte("\x1b[32m 1%"))
		if got := evaluator.LastLine(path); got != "1%" {
			t.Errorf("while the bar is drawn the last line is %q", got)
		}
		for range 24 * 60 * 60 * 10 { // ten times a second, for a day
			time.Sleep(100 * time.Millisecond)
			log.Redraw([]byte(" 2%"))
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), "2%"); n < 3000 || n > 6000 {
			t.Errorf("a bar of a day is drawn %d times, expected some thousand", n)
		}
		_, _ = log.Write([]byte("100%\n"))
		log.Redraw([]byte("again"))
		log.Say("it is over")
		b, err = os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(b); !strings.Contains(text, "\r 2%\r100%\n\ragain\r--- ") {
			t.Errorf("what follows a bar does not stand in its place: %.80q", text[len(text)-80:])
		}
	})
}
