//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fault is an error of the system for a call about the history's files.
type fault struct {
	kinds, err, when string
}

func (f fault) String() string { return f.kinds + " " + f.err + " when " + f.when }

// forEver says whether the fault does not pass.
func (f fault) forEver() bool { return strings.HasSuffix(f.when, "+") }

// faults that commands are put to: each error for each call, once and for ever.
func faults() (out []fault) {
	if !long() {
		return []fault{{"fsync", "EIO", "2"}, {"pwrite64", "ENOSPC", "3+"}, {"openat", "EIO", "2"}}
	}
	for _, kinds := range []string{"pwrite64", "write", "fsync,fdatasync", "ftruncate", "rename,renameat,renameat2", "openat"} {
		for _, err := range []string{"EIO", "ENOSPC", "EDQUOT"} {
			for _, when := range []string{"1", "2", "5", "1+", "4+"} {
				out = append(out, fault{kinds, err, when})
			}
		}
	}
	// What is to be taken back cannot be: the journal keeps half of what was being written.
	return append(out, fault{"fsync,fdatasync,ftruncate", "EIO", "4"}, fault{"fsync,fdatasync,ftruncate", "EIO", "3+"}, fault{"pwrite64,ftruncate", "ENOSPC", "5"})
}

// historyFiles are the files that faults are about.
func historyFiles(dir string) (out []string) {
	for _, name := range []string{"history.jsonl", "history.jsonl.new", "study.db", "study.db-wal", "study.db-shm", "study.db-journal", "study.db.new", "study.db.new-journal"} {
		out = append(out, filepath.Join(dir, name))
	}
	return out
}

// faulty runs the program with a fault.
func faulty(t *testing.T, dir string, f fault, args ...string) result {
	t.Helper()
	limit := time.Minute
	if f.forEver() && args[0] == "run" {
		limit = 4 * time.Second // it waits, and says so
	}
	r, _ := under(t, []injection{{kinds: f.kinds, what: "error=" + f.err + ":when=" + f.when, paths: historyFiles(dir)}}, limit, args...)
	if r.code != 0 && r.errors == "" {
		t.Errorf("%s of %s: it ends with %d and says nothing", args[0], f, r.code)
	}
	if strings.Contains(r.errors, "goroutine ") || r.code < 0 || r.code == 2 {
		t.Errorf("%s of %s: it ends with %d:\n%s", args[0], f, r.code, r.errors)
	}
	t.Logf("%s: %s: %d: %s", args[0], f, r.code, lastLine(r.errors))
	return r
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func whole(t *testing.T, dir, what string) {
	t.Helper()
	if r := parfait(t, ".", "check", dir); r.code != 0 {
		t.Errorf("%s: a check ends with %d:\n%s%s", what, r.code, r.out, r.errors)
	}
}

// TestFaultsOfTheDisk has the system refuse calls about the history's files. What a command says is recorded is recorded,
// what is not is said, nothing is damaged, and the study goes on to its end when the fault has passed.
func TestFaultsOfTheDisk(t *testing.T) {
	needStrace(t)
	t.Run("run", runsWithFaults)
	p := newPrecious(t)
	t.Run("pick", func(t *testing.T) { picksWithFaults(&precious{t, p.dir, p.files, p.answers}) })
	t.Run("export", func(t *testing.T) { exportsWithFaults(&precious{t, p.dir, p.files, p.answers}) })
	t.Run("repair", func(t *testing.T) { repairsWithFaults(&precious{t, p.dir, p.files, p.answers}) })
}

func runsWithFaults(t *testing.T) {
	const budget = 8
	j := newJudge(t, "command", 10*time.Millisecond)
	for name, value := range map[string]string{"JUDGE_LOG": j.log, "JUDGE_SLEEP": j.pause.String()} {
		t.Setenv(name, value)
	}
	dir := filepath.Join(t.TempDir(), "s.study")
	for _, f := range faults() {
		need(t, os.RemoveAll(dir), "a folder to delete")
		j.forget()
		j.study(t, dir, budget)
		what := "run with " + f.String()
		r := faulty(t, dir, f, "run", dir, "--headless")
		said := 0
		for _, m := range samplingLine.FindAllStringSubmatch(r.errors, -1) {
			n, _ := strconv.Atoi(m[1])
			said = max(said, n)
		}
		whole(t, dir, what)
		before := trials(t, dir)
		if done := doneOf(before); done < said || r.code == 0 && done != budget {
			t.Errorf("%s: it has said %d of %d and ended with %d, where %d are recorded", what, said, budget, r.code, done)
		}
		good(t, ".", "run", dir, "--headless")
		whole(t, dir, what+", then without")
		after := trials(t, dir)
		if done := doneOf(after); done != budget || len(after) != budget {
			t.Errorf("%s: then %d of %d trials are done, want %d", what, done, len(after), budget)
		}
		for id, was := range before {
			if was.State == "done" && !reflect.DeepEqual(after[id], was) {
				t.Errorf("%s: trial %d was %+v and is %+v", what, id, was, after[id])
			}
		}
		for trial, n := range j.ended() {
			if n > 1 && r.code != 130 { // a run that was ended cuts evaluations off
				t.Errorf("%s: trial %s was measured %d times to the end", what, trial, n)
			}
		}
	}
}

// picks are the names of those of a study.
func picks(t *testing.T, dir string) (names []string) {
	t.Helper()
	var list struct{ Picks []struct{ Name string } }
	decode(t, good(t, ".", "pick", dir, "--list", "--json"), &list)
	for _, p := range list.Picks {
		names = append(names, p.Name)
	}
	return names
}

func picksWithFaults(p *precious) {
	for _, f := range faults() {
		p.put(p.files["study.db"], p.files["history.jsonl"])
		r := faulty(p.T, p.dir, f, "pick", p.dir, "--best", "mirrored", "--name", "late")
		has := slices.Contains(picks(p.T, p.dir), "late")
		if has != (r.code == 0) {
			p.Errorf("pick with %s: it ends with %d, and the pick is recorded: %v", f, r.code, has)
		}
		whole(p.T, p.dir, "pick with "+f.String())
		if r := parfait(p.T, ".", "pick", p.dir, "--best", "mirrored", "--name", "later"); r.code != 0 || !slices.Contains(picks(p.T, p.dir), "later") {
			p.Errorf("pick with %s, then without: %d:\n%s", f, r.code, r.errors)
		}
		whole(p.T, p.dir, "pick with "+f.String()+", then without")
	}
}

func exportsWithFaults(p *precious) {
	out := filepath.Join(filepath.Dir(p.dir), "late")
	for _, f := range faults() {
		p.put(p.files["study.db"], p.files["history.jsonl"])
		r := faulty(p.T, p.dir, f, "export", p.dir, "--pick", "knee", "--out", out)
		if _, err := os.Stat(out); err == nil {
			good(p.T, ".", "verify", out)
		} else if r.code == 0 {
			p.Errorf("export with %s: it ends with 0, and there is no checkpoint", f)
		}
		recorded := bytes.Contains(p.read("history.jsonl"), []byte(`"name":"late"`)) || strings.Contains(string(p.read("history.jsonl")), out)
		if r.code == 0 && !recorded {
			p.Errorf("export with %s: it ends with 0, and is not recorded", f)
		}
		whole(p.T, p.dir, "export with "+f.String())
		need(p.T, os.RemoveAll(out), "a folder to delete")
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(p.dir), "*staging*")); len(left) > 0 {
			p.Errorf("export with %s: left behind: %v", f, left)
		}
	}
}

func repairsWithFaults(p *precious) {
	damages := p.damages()
	for of, d := range damages {
		if !long() && of != "a bit in the line" {
			continue
		}
		for _, f := range faults() {
			p.put(d[0], d[1])
			r := faulty(p.T, p.dir, f, "repair", p.dir)
			if check := parfait(p.T, ".", "check", p.dir); r.code == 0 && check.code != 0 {
				p.Errorf("repair of %s with %s: it ends with 0, a check with %d", of, f, check.code)
			}
			p.repaired(fmt.Sprintf("repair of %s with %s, then without", of, f))
		}
	}
}
