package study

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parfait/evaluator"
)

// inShared is a place in memory of the test, with so much available.
func inShared(t *testing.T, available int64) *memory {
	t.Helper()
	return &memory{dir: t.TempDir(), least: 1, available: func() (int64, error) { return available, nil }}
}

// Where there is room, models go to memory, into a folder that nobody else may look into, and nothing is left of them.
func TestModelsGoToMemory(t *testing.T) {
	var mu sync.Mutex
	var paths []string
	s := modelStudy(t, 6, 2, 0, func(path string) error {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, path)
		_, err := os.Stat(filepath.Join(path, "model.safetensors"))
		return err
	})
	m := inShared(t, 1<<30)
	own, err := s.token()
	if err != nil {
		t.Fatal(err)
	}
	// What a runner left that was killed, and what is another's.
	left := filepath.Join(s.inMemory(*m), "folder", own.modelName(3, 1))
	stranger := filepath.Join(m.home(), "other-0123456789abcdef", "folder", "trial-0001-1-0123456789abcdef")
	for _, dir := range []string{left, stranger} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(m.home(), 0o700); err != nil {
		t.Fatal(err)
	}
	var said []string
	if err := s.Run(t.Context(), RunOptions{memory: m, Note: func(text string) { said = append(said, text) }}); err != nil {
		t.Fatal(err)
	}
	if snap := load(t, s); snap.Activity.Done != 6 {
		t.Fatalf("%d of 6 trials are done", snap.Activity.Done)
	}
	for _, path := range paths {
		if !strings.HasPrefix(path, s.inMemory(*m)+"/") {
			t.Errorf("a model is at %s, want it in %s", path, s.inMemory(*m))
		}
	}
	if text := strings.Join(said, "\n"); !strings.Contains(text, "for the 2 that are measured at once and one more, and go to memory, "+s.inMemory(*m)) {
		t.Errorf("the run says\n%s\nwant where the models go, and why", text)
	}
	if _, err := os.Stat(s.inMemory(*m)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of its models is left in memory what it had there (%v)", err)
	}
	if _, err := os.Stat(stranger); err != nil {
		t.Errorf("another study's model is gone: %v", err)
	}
	if _, err := os.Stat(s.candidates()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder for candidates was made on the disk, too (%v)", err)
	}
}

// Where memory is short, not the user's alone, or may not be seen by the evaluator, they stay on the disk, and the run says why.
func TestModelsStayOnTheDisk(t *testing.T) {
	for name, c := range map[string]struct {
		available int64
		prepare   func(t *testing.T, m *memory)
		want      string
	}{
		"short": {100_000, nil, "memory has 50 kB for them"},
		"unknown": {0, func(_ *testing.T, m *memory) {
			m.available = func() (int64, error) { return 0, errors.New("no meminfo") }
		}, "no meminfo"},
		"another's": {1 << 30, func(t *testing.T, m *memory) { write(t, m.home(), "a file") }, "not a folder that is ours alone"},
		"open": {1 << 30, func(t *testing.T, m *memory) {
			mustMkdir(t, m.home(), 0o777)
			write(t, filepath.Join(m.home(), "a"), "")
		}, "not a folder that is ours alone"},
		"small": {1 << 30, func(_ *testing.T, m *memory) { m.least = 1 << 20 }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var at string
			s := modelStudy(t, 3, 2, 0, func(path string) error {
				mu.Lock()
				defer mu.Unlock()
				at = path
				return nil
			})
			m := inShared(t, c.available)
			if c.prepare != nil {
				c.prepare(t, m)
			}
			var said []string
			if err := s.Run(t.Context(), RunOptions{memory: m, Note: func(text string) { said = append(said, text) }}); err != nil {
				t.Fatal(err)
			}
			text := strings.Join(said, "\n")
			if !strings.HasPrefix(at, s.candidates()) || c.want != "" && !strings.Contains(text, c.want) || c.want == "" && strings.Contains(text, "merged models take") {
				t.Errorf("models are at %s, and the run says\n%s\nwant them in %s, because %q", at, text, s.candidates(), c.want)
			}
		})
	}
}

func mustMkdir(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.Mkdir(path, mode), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

// A trial that is tried again has its model still.
func TestARetryHasItsModel(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{} // a path each
	tried := make(chan struct{})
	s := modelStudy(t, 3, 2, 0, func(path string) error {
		mu.Lock()
		seen[path]++
		n, first := len(seen), seen[path] == 1
		mu.Unlock()
		switch {
		case first && n <= 2:
			return fmt.Errorf("the first look at %s fails", filepath.Base(path))
		case first:
			<-tried // the run goes on until the others were tried again
		}
		return nil
	})
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context(), RunOptions{}) }()
	await(t, s, "two failures", func(snap *Snapshot) bool { return snap.Activity.Failed == 2 })
	for _, tr := range load(t, s).Trials {
		if tr.State == evaluator.Failed {
			do(t, s, Command{Kind: CommandRetry, N: tr.ID})
		}
	}
	do(t, s, Command{Kind: CommandResume})
	await(t, s, "two that are done", func(snap *Snapshot) bool { return snap.Activity.Done >= 2 })
	close(tried)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	again := 0
	for _, n := range seen {
		again += n - 1
	}
	if len(seen) != 3 || again != 2 {
		t.Errorf("%d models were written and %d looks taken at one for another time, want 3 and 2: two tries of a trial have one model", len(seen), again)
	}
}
