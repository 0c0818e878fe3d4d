package merge

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"parfait/internal/stage"
	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// step is one thing that a disk does.
type step string

// watchedDisk calls before ahead of every step, which then fails with its error.
type watchedDisk struct {
	stage.OS
	before func(step) error
}

func (d watchedDisk) Mkdir(path string) error {
	if err := d.before("mkdir"); err != nil {
		return err
	}
	return d.OS.Mkdir(path)
}

func (d watchedDisk) Create(path string) (stage.File, error) {
	if err := d.before("create"); err != nil {
		return nil, err
	}
	f, err := d.OS.Create(path)
	return watchedFile{f, d.before}, err
}

func (d watchedDisk) Rename(from, to string) error {
	if err := d.before("rename"); err != nil {
		return err
	}
	return d.OS.Rename(from, to)
}

func (d watchedDisk) SyncDir(path string) error {
	if err := d.before("sync folder"); err != nil {
		return err
	}
	return d.OS.SyncDir(path)
}

type watchedFile struct {
	stage.File
	before func(step) error
}

func (f watchedFile) Allocate(size int64) error {
	if err := f.before("allocate"); err != nil {
		return err
	}
	return f.File.Allocate(size)
}

func (f watchedFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.before("write"); err != nil {
		n, _ := f.File.WriteAt(b[:len(b)/2], off) // half of it arrives
		return n, err
	}
	return f.File.WriteAt(b, off)
}

func (f watchedFile) Sync() error {
	if err := f.before("sync"); err != nil {
		return err
	}
	return f.File.Sync()
}

// failAt makes a disk whose n-th step fails, and says which step it was.
func failAt(n int, with error) (watchedDisk, *step) {
	var mu sync.Mutex
	var which step
	return watchedDisk{before: func(s step) error {
		mu.Lock()
		defer mu.Unlock()
		if n--; n == 0 {
			which = s
			return with
		}
		return nil
	}}, &which
}

// names lists a folder.
func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestEveryFailureLeavesNothing(t *testing.T) {
	base, models := family(t, 4, safetensors.BF16, 2)
	p := plan(t, Spec{Base: base, Models: models, Method: "task_arithmetic", DType: F32})
	at := map[string]float64{"a": 0.5, "b": 0.25}
	for _, with := range []error{syscall.EIO, syscall.ENOSPC} {
		want := map[error]Code{syscall.EIO: codes.Write, syscall.ENOSPC: codes.Space}[with]
		seen := map[step]bool{}
		for n := 1; ; n++ {
			root := t.TempDir()
			disk, which := failAt(n, with)
			_, err := p.Export(t.Context(), at, filepath.Join(root, "out"), ExportOptions{ShardSize: 2000, Workers: 1, disk: disk}, nil)
			if *which == "" {
				must(t, err)
				if n < 25 {
					t.Fatalf("an export takes %d steps only", n)
				}
				break
			}
			seen[*which] = true
			if !errors.Is(err, Problem{Code: want}) {
				t.Errorf("step %d (%s) failed with %v: %v", n, *which, with, err)
			}
			if left := names(t, root); len(left) > 0 {
				t.Fatalf("step %d (%s): left behind %v", n, *which, left)
			}
		}
		for _, s := range []step{"mkdir", "create", "allocate", "write", "sync", "sync folder", "rename"} {
			if !seen[s] {
				t.Errorf("no %s failed", s)
			}
		}
	}
}

func TestManyOutputsAllOrNone(t *testing.T) {
	base, models := family(t, 4, safetensors.BF16, 2)
	p := plan(t, Spec{Base: base, Models: models, Method: "task_arithmetic"})
	for n := 1; ; n++ {
		root := t.TempDir()
		disk, which := failAt(n, syscall.EIO)
		var outs []Output
		for i := range 3 {
			outs = append(outs, Output{map[string]float64{"a": 0.5, "b": 0.1 * float64(i)}, filepath.Join(root, fmt.Sprint(i))})
		}
		_, err := p.Write(t.Context(), outs, WriteOptions{Workers: 1, disk: disk}, nil)
		left := names(t, root)
		if *which == "" {
			must(t, err)
			if len(left) != 3 {
				t.Fatalf("written: %v", left)
			}
			return
		}
		if err == nil || len(left) > 0 {
			t.Fatalf("step %d (%s): error %v, left behind %v", n, *which, err, left)
		}
	}
}

// lyingDisk changes what is written.
type lyingDisk struct{ stage.OS }

func (d lyingDisk) Create(path string) (stage.File, error) {
	f, err := d.OS.Create(path)
	return lyingFile{f}, err
}

type lyingFile struct{ stage.File }

func (f lyingFile) WriteAt(b []byte, off int64) (int, error) {
	if off > 0 && len(b) > 300 {
		b = slices.Clone(b)
		b[123] ^= 4
	}
	return f.File.WriteAt(b, off)
}

func TestReadBackFindsALyingDisk(t *testing.T) {
	base, models := family(t, 4, safetensors.BF16, 2)
	p := plan(t, Spec{Base: base, Models: models, Method: "task_arithmetic"})
	root := t.TempDir()
	_, err := p.Export(t.Context(), map[string]float64{"a": 0.5, "b": 0.25}, filepath.Join(root, "out"), ExportOptions{disk: lyingDisk{}}, nil)
	if !errors.Is(err, Problem{Code: codes.Mismatch}) || len(names(t, root)) > 0 {
		t.Errorf("error %v, left behind %v", err, names(t, root))
	}
}

func TestCancelLeavesNothing(t *testing.T) {
	base, models := family(t, 4, safetensors.BF16, 2)
	p := plan(t, Spec{Base: base, Models: models, Method: "task_arithmetic"})
	for n := 1; ; n++ {
		root := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		var steps atomic.Int64 // a sync that is waited for no longer goes on beside the test
		disk := watchedDisk{before: func(s step) error {
			if steps.Add(1) == int64(n) {
				cancel()
			}
			return nil
		}}
		_, err := p.Export(ctx, map[string]float64{"a": 0.5, "b": 0.25}, filepath.Join(root, "out"), ExportOptions{Workers: 1, disk: disk}, nil)
		cancel()
		left := names(t, root)
		if steps.Load() < int64(n) {
			must(t, err)
			return
		}
		// A cancel after the last look at the context comes too late, and the export is whole.
		if whole := err == nil && slices.Equal(left, []string{"out"}); !whole && (!errors.Is(err, context.Canceled) || len(left) > 0) {
			t.Fatalf("cancelled at step %d: %v, left behind %v", n, err, left)
		}
	}
}

func TestTargetsThatCannotBe(t *testing.T) {
	base, models := family(t, 4, safetensors.BF16, 1)
	p := plan(t, Spec{Base: base, Models: models, Method: "task_arithmetic"})
	at := map[string]float64{"a": 0.5}
	root := t.TempDir()
	must(t, os.Mkdir(filepath.Join(root, "empty"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "file"), nil, 0o644))
	must(t, os.Symlink("nowhere", filepath.Join(root, "link")))
	must(t, os.Mkdir(filepath.Join(root, "locked"), 0o555))
	for target, code := range map[string]Code{
		"empty": codes.Exists, "file": codes.Exists, "link": codes.Exists,
		"missing/out": codes.Open, "file/out": codes.Open, "locked/out": codes.Permission,
	} {
		if code == codes.Permission && os.Geteuid() == 0 {
			continue // root may write everywhere
		}
		before := names(t, root)
		_, err := p.Export(t.Context(), at, filepath.Join(root, target), ExportOptions{}, nil)
		if !errors.Is(err, Problem{Code: code}) && !errors.Is(err, Problem{Code: codes.Permission}) {
			t.Errorf("%s: %v", target, err)
		}
		if !slices.Equal(names(t, root), before) {
			t.Errorf("%s: left behind %v", target, names(t, root))
		}
	}
}

func TestTwoExportsIntoOneFolder(t *testing.T) {
	base, models := family(t, 4, safetensors.BF16, 1)
	p := plan(t, Spec{Base: base, Models: models, Method: "task_arithmetic"})
	root := t.TempDir()
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = p.Export(t.Context(), map[string]float64{"a": 0.1 * float64(i)}, filepath.Join(root, "out"), ExportOptions{}, nil)
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, Problem{Code: codes.Exists}) {
			t.Errorf("the loser says: %v", err)
		}
	}
	if left := names(t, root); won != 1 || !slices.Equal(left, []string{"out"}) {
		t.Errorf("%d exports won; there is %v", won, left)
	}
	v, err := Verify(t.Context(), filepath.Join(root, "out"), VerifyOptions{Recompute: true}, nil)
	must(t, err)
	if len(v.Problems) > 0 {
		t.Errorf("verify: %v", v.Problems)
	}
}

func TestInputsThatChange(t *testing.T) {
	base, models := family(t, 4, safetensors.BF16, 2)
	p := plan(t, Spec{Base: base, Models: models, Method: "task_arithmetic"})
	root := t.TempDir()
	touched := false
	disk := watchedDisk{before: func(s step) error {
		if s == "write" && !touched {
			touched = true
			f, err := os.OpenFile(filepath.Join(models[1].Path, "model.safetensors"), os.O_WRONLY|os.O_APPEND, 0)
			must(t, err)
			_, err = f.WriteString("x")
			must(t, errors.Join(err, f.Close()))
		}
		return nil
	}}
	_, err := p.Write(t.Context(), []Output{{map[string]float64{"a": 0.5, "b": 0.5}, filepath.Join(root, "out")}}, WriteOptions{disk: disk}, nil)
	if !errors.Is(err, Problem{Code: codes.Changed}) || len(names(t, root)) > 0 {
		t.Errorf("error %v, left behind %v", err, names(t, root))
	}
}

// small mounts a tmpfs of so many bytes.
func small(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := mountSmall(dir, size); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("a tmpfs cannot be mounted: %v; run as root", err)
		}
		t.Skipf("a tmpfs cannot be mounted: %v", err)
	}
	t.Cleanup(func() { must(t, unmount(dir)) })
	return dir
}

func TestARealDiskThatFillsUp(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	m := model{"w": drawn(r, safetensors.F32, 1, 150, 1000)} // 600 kB
	base := m.write(t, filepath.Join(t.TempDir(), "base"))
	must(t, os.WriteFile(filepath.Join(base, "tokenizer.json"), make([]byte, 600_000), 0o644))
	p := plan(t, Spec{Base: base, Models: []Source{{"a", base}}, Method: "task_arithmetic"})
	for size, early := range map[int]bool{
		400_000:   true,  // too small for the weights
		1_000_000: true,  // for the tokenizer
		1_208_320: false, // for what is written at the end, in pages
	} {
		dir := small(t, size)
		_, err := p.Export(t.Context(), map[string]float64{"a": 0.5}, filepath.Join(dir, "out"), ExportOptions{}, nil)
		if !errors.Is(err, Problem{Code: codes.Space}) || len(names(t, dir)) > 0 {
			t.Errorf("%d bytes: error %v, left behind %v", size, err, names(t, dir))
		}
		if before := strings.Contains(fmt.Sprint(err), "are free"); before != early {
			t.Errorf("%d bytes: found before anything is written: %v, want %v: %v", size, before, early, err)
		}
	}
}

// TestMain lets this program be the one that is killed.
func TestMain(m *testing.M) {
	if text := os.Getenv("PARFAIT_TEST_EXPORT"); text != "" {
		exportSlowly(text)
		return
	}
	os.Exit(m.Run())
}

type slowExport struct {
	Spec   Spec
	At     map[string]float64
	Target string
}

// exportSlowly says every step and waits for a line before it takes it.
func exportSlowly(text string) {
	var e slowExport
	in := bufio.NewReader(os.Stdin)
	err := json.Unmarshal([]byte(text), &e)
	if err == nil {
		var p *Plan
		if p, err = NewPlan(context.Background(), e.Spec); err == nil {
			_, err = p.Export(context.Background(), e.At, e.Target, ExportOptions{Workers: 1, disk: watchedDisk{before: func(s step) error {
				fmt.Println(s)
				_, err := in.ReadString('\n')
				return err
			}}}, nil)
		}
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println("done")
}

func TestKilledAtEveryStep(t *testing.T) {
	base, models := family(t, 4, safetensors.BF16, 1)
	e := slowExport{Spec: Spec{Base: base, Models: models, Method: "task_arithmetic"}, At: map[string]float64{"a": 0.5}}
	for n := 1; ; n++ {
		root := t.TempDir()
		e.Target = filepath.Join(root, "out")
		if killAt(t, e, n) {
			return
		}
		_, err := os.Stat(e.Target)
		if err == nil { // after the rename
			v, err := Verify(t.Context(), e.Target, VerifyOptions{}, nil)
			must(t, err)
			if len(v.Problems) > 0 {
				t.Fatalf("killed at step %d: %v", n, v.Problems)
			}
		}
		removed, _, err := stage.Clean(root, tokenOf("", e.Target))
		must(t, err)
		for _, name := range names(t, root) {
			if name != "out" {
				t.Fatalf("killed at step %d: %s stays, removed %v", n, name, removed)
			}
		}
	}
}

// killAt runs an export and kills it ahead of its n-th step; it says whether the export was done first.
func killAt(t *testing.T, e slowExport, n int) (done bool) {
	t.Helper()
	text, err := json.Marshal(e)
	must(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PARFAIT_TEST_EXPORT="+string(text))
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for i := 1; lines.Scan(); i++ {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "error:"):
			t.Fatalf("the child has failed: %s", line)
		case line == "done":
			must(t, cmd.Wait())
			return true
		case i == n:
			must(t, cmd.Process.Kill())
			_ = cmd.Wait()
			return false
		}
		_, err := in.Write([]byte("\n"))
		must(t, err)
	}
	t.Fatal("the export stopped saying what it does")
	return false
}
