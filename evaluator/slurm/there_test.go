//go:build linux

package slurm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"parfait/evaluator"
	"parfait/evaluator/evaluatortest"
)

// program merges as `parfait merge RECIPE OUT --json` does, but for what the recipe tells it to do otherwise.
const program = `#!/bin/sh
[ "$1" = merge ] && [ "$4" = --json ] || { echo "{\"error\": {\"what\": \"called with $*\"}}" >&2; exit 2; }
echo x >>"$(dirname "$2")/../../merges"
case $(cat "$2") in
*refused*) echo '{"error": {"code": "input", "exit": 3, "what": "a model is not there", "fix": "put it back"}}' >&2; exit 3 ;;
*once*) [ -e "$(dirname "$2")/../../room" ] || { : >"$(dirname "$2")/../../room"; exit 8; } ;;
esac
mkdir "$3" && echo weights >"$3/model.safetensors"
echo '{"out": "'"$3"'", "files": [{"name": "model.safetensors", "size": 8, "hash": "xxh3:aa"}, {"name": "config.json", "size": 2, "hash": "xxh3:bb"}]}'
`

// there has tasks merge by program, into a folder of the test's.
func (b bench) there(t testing.TB) (change func(*Options), node string) {
	t.Helper()
	write(t, b.file("parfait"), program)
	node = b.file("node")
	return func(o *Options) {
		o.There, o.NodeDir, o.Program = true, node, b.file("parfait")
		o.Command.Command = []string{"sh", "-c", `echo "$PARFAIT_MODEL" >>"$BENCH/models"; ` + evaluation, "evaluation", "{model}", "{out}"}
	}, node
}

// merged is a candidate with a recipe, whose merge here has the hash.
func (b bench) merged(t testing.TB, trial, behaviour, hash string, asked *atomic.Int32) evaluator.Candidate {
	c := b.candidate(t, trial, behaviour)
	c.Merge, c.Recipe = "m"+trial, []byte(`{"at": "`+behaviour+`"}`)
	c.Model = func(context.Context, evaluator.Form) (evaluator.Lease, error) {
		t.Error("a model is wanted from here")
		return evaluator.Lease{}, errors.New("no")
	}
	c.Digests = func(context.Context, evaluator.Form) (map[string]string, error) {
		asked.Add(1)
		return map[string]string{"model.safetensors": hash}, nil
	}
	return c
}

func lines(t testing.TB, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

func entries(t testing.TB, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// Candidates are merged where they are measured, and nothing of it is left there. The first on a kind of processor is
// merged here too.
func TestMergedThere(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	change, node := b.there(t)
	var asked atomic.Int32
	cs := []evaluator.Candidate{b.merged(t, "1", "out", "xxh3:aa", &asked), b.merged(t, "2", "out", "xxh3:aa", &asked), b.merged(t, "3", "out", "xxh3:aa", &asked)}
	e := b.with(t, func(o *Options) { change(o); o.Group = 2 })
	if lim := e.Limits(); lim.NeedsModel || !lim.Merges {
		t.Errorf("the limits are %+v", lim)
	}
	s := e.measureAll(t, cs...)
	for _, c := range cs {
		s.is(t, c, evaluator.Done, "")
	}
	for _, model := range lines(t, b.file("models")) {
		if !strings.HasPrefix(model, node+"/parfait-STUDY-") {
			t.Errorf("a model was merged to %s, expected within %s", model, node)
		}
	}
	until(t, "nothing is left on the node", func() bool { return len(entries(t, node)) == 0 })
	if n := asked.Load(); n != 1 {
		t.Errorf("%d merges were made here, expected one", n)
	}
	text := ""
	for _, c := range cs {
		text += strings.Join(lines(t, c.Log), "\n")
	}
	if n, same := strings.Count(text, "merged on n1 ("), strings.Count(text, ": the same bytes as merged here"); n != 3 || same != 1 {
		t.Errorf("%d merges are in the logs and %d were compared, expected 3 and 1:\n%s", n, same, text)
	}
	if left := entries(t, e.options.Folder); len(left) != 1 || left[0] != mergedName || len(lines(t, filepath.Join(e.options.Folder, mergedName))) != 3 {
		t.Errorf("%v is left, expected three lines of %s", left, mergedName)
	}

	// The next runner knows, and what is measured once more is held against what it was.
	again := b.merged(t, "1", "out", "xxh3:aa", &asked)
	again.ID += "b"
	b.with(t, change).measureAll(t, again).is(t, again, evaluator.Done, "")
	if n := asked.Load(); n != 1 {
		t.Errorf("%d merges were made here, expected none by the next runner", n-1)
	}
	write(t, b.file("parfait"), strings.Replace(program, "xxh3:aa", "xxh3:cc", 1))
	again.ID += "c"
	e = b.with(t, func(o *Options) {
		change(o)
		write(t, b.file("parfait"), strings.Replace(program, "xxh3:aa", "xxh3:cc", 1))
	})
	s = e.measureAll(t, again)
	s.is(t, again, evaluator.Failed, "was merged before to files with the digest")

	// In another form it has other bytes, which are held against those of that form.
	asked.Store(0)
	adapter := b.merged(t, "1", "out", "xxh3:cc", &asked)
	adapter.ID += "d"
	b.with(t, func(o *Options) { change(o); o.Command.Form = evaluator.Adapter }).measureAll(t, adapter).is(t, adapter, evaluator.Done, "")
	if n := asked.Load(); n != 1 {
		t.Errorf("%d merges were made here in the other form, expected one", n)
	}
}

// Other bytes than here are nobody's result.
func TestMergedOtherwiseThere(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	change, _ := b.there(t)
	c := b.merged(t, "1", "out", "xxh3:dd", new(atomic.Int32))
	s := b.with(t, change).measureAll(t, c)
	s.is(t, c, evaluator.Failed, "the node n1 (task 1_1) has merged to other bytes: model.safetensors has the hash xxh3:aa there and xxh3:dd here")
	var err *evaluator.Error
	if !errors.As(s.finals[c.Key].Err, &err) || err.Code != Differs || !err.Setup {
		t.Errorf("%+v goes on with the next candidate", err)
	}
}

// A merge that fails there tells why, in its own words; one that finds no room is tried on another node.
func TestMergesThatFailThere(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	change, node := b.there(t)
	refused, once := b.merged(t, "1", "refused", "xxh3:aa", new(atomic.Int32)), b.merged(t, "2", "once", "xxh3:aa", new(atomic.Int32))
	e := b.with(t, change)
	s := e.measureAll(t, refused, once)
	s.is(t, refused, evaluator.Failed, "could not be merged on the node n1 (exit status 3): a model is not there (put it back)")
	s.is(t, once, evaluator.Done, "")
	if !s.noted("no room to merge on n1: submitted again") {
		t.Errorf("nobody is told: %q", s.notes)
	}
	if b.paid("1") != 0 || b.paid("2") != 1 {
		t.Errorf("measured %d and %d times, expected 0 and 1", b.paid("1"), b.paid("2"))
	}
	until(t, "nothing is left on the node", func() bool { return len(entries(t, node)) == 0 })
}

// What a killed task leaves on its node the next one deletes, and not what another works with.
func TestLeftOnTheNode(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	change, node := b.there(t)
	let := b.gate(t)
	var asked atomic.Int32
	cs := []evaluator.Candidate{b.merged(t, "1", "out", "xxh3:aa", &asked), b.merged(t, "2", "out", "xxh3:aa", &asked)}
	done := make(chan *seen)
	go func() { done <- b.with(t, change).measureAll(t, cs...) }()
	until(t, "both are at work", func() bool { return exists(b.file("started-1")) && exists(b.file("started-2")) })
	pids := map[string]string{}
	for task := range b.slurm.States() {
		pids[task] = strings.TrimSpace(strings.Join(lines(t, filepath.Join(string(b.slurm), "jobs", task, "pid")), ""))
	}
	kill(t, pids["1_1"])
	b.slurm.Set(t, "jobs/1_1/state", "NODE_FAIL")
	until(t, "the killed one is tried again and waits", func() bool { return len(lines(t, b.file("models"))) == 3 })
	if left := entries(t, node); len(left) != 2 {
		t.Errorf("%v is on the node, expected what the two at work have made", left)
	}
	let()
	s := <-done
	for _, c := range cs {
		s.is(t, c, evaluator.Done, "")
	}
	until(t, "nothing is left on the node", func() bool { return len(entries(t, node)) == 0 })
}

// kill ends a task with all that it has started, as a power cut does.
func kill(t testing.TB, group string) {
	t.Helper()
	pid := 0
	for _, digit := range group {
		pid = 10*pid + int(digit-'0')
	}
	if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// An export is measured as it lies: it is not merged again.
func TestExportsAreMeasuredAsTheyLie(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	change, _ := b.there(t)
	c := b.candidate(t, "1", "out")
	lease, err := c.Model(t.Context(), evaluator.Folder)
	if err != nil {
		t.Fatal(err)
	}
	looked := false
	c.Written, c.Looked = lease.Path, func() { looked = true }
	b.with(t, change).measureAll(t, c).is(t, c, evaluator.Done, "")
	if exists(b.file("merges")) || !looked {
		t.Errorf("it was merged again, or nobody says that it was read (%v)", looked)
	}
}

// TestConformsThere is TestConforms with tasks that merge.
func TestConformsThere(t *testing.T) {
	behave := func(behaviour string) func(testing.TB) evaluator.Candidate {
		return func(t testing.TB) evaluator.Candidate {
			c := behaving(behaviour)(t)
			c.Recipe = []byte(`{}`)
			return c
		}
	}
	fails := func(behaviour string, code evaluator.Code) evaluatortest.Failure {
		return evaluatortest.Failure{Candidate: behave(behaviour), Code: code}
	}
	benches := map[string]bench{}
	evaluatortest.Run(t, evaluatortest.Harness{
		New: func(t testing.TB, dir string) evaluator.Evaluator {
			if _, ok := benches[dir]; !ok {
				benches[dir] = newBench(t, dir)
			}
			change, _ := benches[dir].there(t)
			return benches[dir].with(t, change)
		},
		Good: behave("out"),
		Hang: behave("hang"),
		Failures: map[string]evaluatortest.Failure{
			"exit status": fails("die", evaluator.Exited),
			"missing":     fails("missing", evaluator.MissingTask),
		},
	})
}

func TestOptionsOfMergingThere(t *testing.T) {
	for text, change := range map[string]func(map[string]any){
		"expected here or there, found elsewhere":   func(m map[string]any) { m["materialise"] = "elsewhere" },
		"nothing is merged on the nodes":            func(m map[string]any) { m["node_dir"] = "/scratch" },
		"expected an absolute path of letters":      func(m map[string]any) { m["materialise"], m["node_dir"] = "there", "$(rm -rf .)" },
		"expected an absolute path of letters, dig": func(m map[string]any) { m["materialise"], m["node_dir"] = "there", "scratch" },
	} {
		m := map[string]any{"command": []any{"./eval.sh", "{model}"}}
		change(m)
		if _, errs := ParseOptions(m); !strings.Contains(errors.Join(errs...).Error(), text) {
			t.Errorf("%v: %v, expected %q", m, errs, text)
		}
	}
	o, errs := ParseOptions(map[string]any{"command": []any{"./eval.sh", "{model}"}, "materialise": "there", "node_dir": "/local/$USER/${SLURM_JOB_ID}"})
	if len(errs) > 0 || !o.There {
		t.Errorf("%+v, %v", o, errs)
	}
	b := newBench(t, t.TempDir())
	wrong := b.options()
	wrong.There, wrong.Command.Command = true, []string{"true"}
	if _, err := New(wrong); !errors.Is(err, evaluator.BadOptions) || !strings.Contains(err.Error(), "let the command mention {model}") {
		t.Errorf("%v", err)
	}
}
