//go:build linux || darwin

package process

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sleeper starts a process group that does nothing.
func sleeper(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = append(os.Environ(), "PARFAIT_TEST_MARK=yes")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := cmd.StdinPipe() // it can wait for a line that never comes
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // gone already where all is well
		_ = cmd.Wait()
	})
	return cmd
}

func TestLookUp(t *testing.T) {
	cmd := sleeper(t, "sleep 1000; true")
	p, ok, err := LookUp(cmd.Process.Pid)
	if err != nil || !ok || p.PID != cmd.Process.Pid || p.Group != p.PID || p.Start == "" || p.Zombie {
		t.Fatalf("%+v, %t, %v", p, ok, err)
	}
	if again, _, _ := LookUp(p.PID); again.Start != p.Start {
		t.Errorf("it was started at %s, then at %s", p.Start, again.Start)
	}
	first, _, err := LookUp(1)
	if err != nil || first.Start == p.Start {
		t.Errorf("the first process and the last have the same start %s (%v)", p.Start, err)
	}
	if !HasEnv(p.PID, "PARFAIT_TEST_MARK=yes") || HasEnv(p.PID, "PARFAIT_TEST_MARK=no") || HasEnv(p.PID, "PARFAIT_TEST_MARK") {
		t.Error("the environment of a process is not what it was given")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if gone, err := WaitUntilNot(func() (bool, error) { p, _, err := LookUp(p.PID); return !p.Zombie, err }, 10*time.Second); !gone || err != nil {
		t.Errorf("a process that was killed and not asked for is no zombie (%v)", err)
	}
}

func TestNobody(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if p, ok, err := LookUp(cmd.Process.Pid); ok || err != nil {
		t.Errorf("%+v, %t, %v for a process that has ended", p, ok, err)
	}
	if all, err := Members(cmd.Process.Pid); err != nil || len(all) > 0 {
		t.Errorf("%v are in a group that is none (%v)", all, err)
	}
	if HasEnv(cmd.Process.Pid, "HOME="+os.Getenv("HOME")) {
		t.Error("a process that has ended has an environment")
	}
	if err := EndGroup(cmd.Process.Pid, 0, 0); err != nil {
		t.Errorf("ending a group that is none: %v", err)
	}
}

func TestEndGroup(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		spare  bool
	}{
		"polite":         {"sleep 1000 & sleep 1000 & wait", false},
		"deaf":           {"trap '' TERM; sleep 1000 & sleep 1000 & while :; do wait; done", false},
		"without leader": {"trap : TERM; sleep 1000 & read a; read b; read c", true},
	} {
		t.Run(name, func(t *testing.T) {
			pid := sleeper(t, c.script).Process.Pid
			if up, err := WaitUntilNot(func() (bool, error) { all, err := Members(pid); return len(all) < 2, err }, 10*time.Second); !up || err != nil {
				t.Fatal("the group did not start", err)
			}
			spare := 0
			if c.spare {
				spare = pid
			}
			if err := EndGroup(pid, spare, 200*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			left, err := Members(pid)
			if left = slices.DeleteFunc(left, func(p Process) bool { return p.PID == spare }); err != nil || len(left) > 0 {
				t.Errorf("%v are left (%v)", left, err)
			}
		})
	}
}

func TestFindProgram(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/tool", []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/text", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p    Program
		want string // of the error, "" for none
	}{
		{Program{Name: "sh"}, ""},
		{Program{Name: "./tool", Dir: dir}, ""},
		{Program{Name: dir + "/tool"}, ""},
		{Program{Name: "no-such-program", OwnPath: true}, ""},
		{Program{Name: "no-such-program"}, "not found in $PATH"},
		{Program{Name: "./text", Dir: dir}, "chmod +x " + dir + "/text"},
		{Program{Name: "./none", Dir: dir}, "no such file"},
		{Program{Name: "sh", Dir: dir + "/none"}, "working directory"},
		{Program{Name: "sh", Dir: dir + "/text"}, "working directory"},
	} {
		err := c.p.Find()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, expected %q", c.p, err, c.want)
		}
	}
}
