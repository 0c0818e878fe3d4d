package rescue

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// childEnv makes the test binary panic in a goroutine, with nothing installed.
const childEnv = "PARFAIT_RESCUE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		var g Group
		g.Go(func() { panic("on purpose") })
		g.Wait()
		select {}
	}
	os.Exit(m.Run())
}

func deep() { panic(fs.ErrInvalid) }

func TestCallMakesAnErrorOfAPanic(t *testing.T) {
	defer Install(func(p *Panic) string {
		if !strings.Contains(string(p.Stack), "rescue.deep") {
			t.Errorf("the stack does not tell where it was:\n%s", p.Stack)
		}
		return "logs/stack"
	}, nil)()
	err := Call(func() error { deep(); return nil })
	if !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("%v does not wrap what was panicked with", err)
	}
	if want := "invalid argument (this is a fault of the program; its stack is in logs/stack)"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	again := Call(func() error { panic(err) })
	if p, q := (*Panic)(nil), (*Panic)(nil); !errors.As(again, &p) || !errors.As(err, &q) || p != q {
		t.Errorf("panicking on with it made another of it: %v", again)
	}
	if err := Call(func() error { return fs.ErrExist }); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an error became %v", err)
	}
}

func TestAPanicInAGoroutineEndsTheProgramAsInstalled(t *testing.T) {
	ended := make(chan *Panic, 2)
	restore := Install(func(*Panic) string { return "" }, func(p *Panic) { ended <- p })
	Go(func() { panic("alone") })
	if p := <-ended; p.Value != "alone" {
		t.Errorf("%v, want alone", p.Value)
	}
	var g Group
	g.Go(func() { panic("in a group") })
	g.Go(func() {})
	g.Wait()
	if p := <-ended; p.Value != "in a group" {
		t.Errorf("%v, want in a group", p.Value)
	}
	restore()
	if installed.Load() != nil {
		t.Error("what was installed before did not come back")
	}
}

func TestWithoutAProgramItIsAsGoHasIt(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic: on purpose") {
		t.Errorf("%v:\n%s", err, out)
	}
}
