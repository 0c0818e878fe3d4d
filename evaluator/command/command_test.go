//go:build linux || darwin

package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/evaluatortest"
	"parfait/evaluator/internal/process"
)

// The test binary is also the command that is measured with, and the runner that is killed.
const (
	asCommand = "PARFAIT_TEST_COMMAND" // a folder in which the command finds and leaves files
	asRunner  = "PARFAIT_TEST_RUNNER"  // a file with the candidates to submit
)

func TestMain(m *testing.M) {
	if file := os.Getenv(asRunner); file != "" {
		runnerMain(file)
	}
	if dir := os.Getenv(asCommand); dir != "" {
		os.Exit(commandMain(dir))
	}
	os.Exit(m.Run())
}

// commandMain is an evaluation that does what the first coefficient's name says.
func commandMain(dir string) int {
	if _, err := os.ReadDir(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "no model:", err)
		return 9
	}
	write(filepath.Join(dir, "started-"+os.Getenv("PARFAIT_TRIAL")), "")
	if exists(filepath.Join(dir, "gated")) {
		until(func() bool { return exists(filepath.Join(dir, "go")) })
	}
	report := map[string]any{}
	for i, task := range strings.Split(os.Getenv("PARFAIT_TASKS"), ",") {
		report[task] = map[string]any{"value": float64(i) / 10, "stderr": .01, "n": 100}
		fmt.Printf("PARFAIT_PROGRESS %d/2 %s\n", i+1, task)
	}
	behaviour := strings.Split(os.Getenv("PARFAIT_COEFFICIENTS"), `"`)[1]
	switch behaviour {
	case "hang":
		for !until(func() bool { return false }) {
		}
	case "die":
		fmt.Fprintln(os.Stderr, "CUDA error: out of memory")
		return 3
	case "shot":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "garbage":
		write(os.Getenv("PARFAIT_OUT"), `{"a": 0.5,`)
		return 0
	case "silent":
		fmt.Println("all done")
		return 0
	case "nan":
		write(os.Getenv("PARFAIT_OUT"), `{"a": NaN, "b": 0.5}`)
		return 0
	case "missing":
		delete(report, "a")
	case "undeclared":
		report["poetry"] = 1
	}
	b, err := json.Marshal(report)
	if err != nil {
		return 9
	}
	if behaviour == "stdout" {
		fmt.Printf("%s\n{\"progress\": {\"done\": 2, \"total\": 2}}\nbye\n", b)
		return 0
	}
	write(os.Getenv("PARFAIT_OUT"), string(b))
	return 0
}

// wire is a candidate on its way to a runner.
type wire struct {
	Key     string
	ID      string
	Attempt int
	Tasks   []string
	Split   evaluator.Split
	At      []evaluator.Coefficient
	Log     string
}

// runnerMain submits candidates as a runner does, until it is killed.
func runnerMain(file string) {
	b, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	var open []wire
	if err := json.Unmarshal(b, &open); err != nil {
		panic(err)
	}
	var cs []evaluator.Candidate
	for _, w := range open {
		cs = append(cs, evaluator.Candidate{Key: w.Key, ID: w.ID, Attempt: w.Attempt, Tasks: w.Tasks, Split: w.Split, At: w.At, Log: w.Log, Model: lent(filepath.Join(filepath.Dir(file), "model"))})
	}
	ev, err := New(options(filepath.Dir(file)))
	if err != nil {
		panic(err)
	}
	if err := ev.Submit(context.Background(), cs, func(evaluator.Event) error { return nil }); err != nil {
		panic(err)
	}
	os.Exit(0)
}

func write(path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		panic(err)
	}
}

// script writes a file that may be executed.
func script(path, text string) {
	write(path, text)
	if err := os.Chmod(path, 0o700); err != nil {
		panic(err)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// until waits until something is so, at most half a minute.
func until(is func() bool) bool {
	gone, err := process.WaitUntilNot(func() (bool, error) { return !is(), nil }, 30*time.Second)
	return gone && err == nil
}

func lent(path string) func(context.Context, evaluator.Form) (evaluator.Lease, error) {
	return func(context.Context, evaluator.Form) (evaluator.Lease, error) {
		return evaluator.Lease{Path: path}, nil
	}
}

func options(dir string) Options {
	return Options{
		Command: []string{os.Args[0], "{model}", "{split}"}, Parallel: 3, Grace: 5 * time.Second,
		Env: map[string]string{asCommand: dir, asRunner: "", "GORACE": "atexit_sleep_ms=0"},
	}
}

func behaving(behaviour string) func(testing.TB) evaluator.Candidate {
	return func(t testing.TB) evaluator.Candidate {
		return evaluator.Candidate{
			Tasks: []string{"a", "b"}, At: []evaluator.Coefficient{{Name: behaviour, Value: .5}}, Model: lent(t.TempDir()),
		}
	}
}

func TestConforms(t *testing.T) {
	fails := func(behaviour string, code evaluator.Code) evaluatortest.Failure {
		return evaluatortest.Failure{Candidate: behaving(behaviour), Code: code}
	}
	evaluatortest.Run(t, evaluatortest.Harness{
		New: func(t testing.TB, dir string) evaluator.Evaluator { return mustNew(t, options(dir)) },
		Good: func(t testing.TB) evaluator.Candidate {
			return behaving([]string{"out", "stdout"}[os.Getpid()%2])(t)
		},
		Hang: behaving("hang"),
		Failures: map[string]evaluatortest.Failure{
			"exit status": fails("die", evaluator.Exited),
			"a signal":    fails("shot", evaluator.Killed),
			"garbage":     fails("garbage", evaluator.BadMetrics),
			"no metrics":  fails("silent", evaluator.NoMetrics),
			"NaN":         fails("nan", evaluator.NotFinite),
			"missing":     fails("missing", evaluator.MissingTask),
			"undeclared":  fails("undeclared", evaluator.UndeclaredTask),
		},
		Crash: crash,
	})
}

// crash kills a runner while it measures, lets what hangs hang and what does not come to its end.
func crash(t testing.TB, dir string, open []evaluator.Candidate) {
	write(filepath.Join(dir, "gated"), "")
	killRunner(t, dir, open)
	write(filepath.Join(dir, "go"), "")
	for _, c := range open {
		if c.At[0].Name != "hang" && !until(func() bool { return exists(filepath.Join(runFolder(c), endName)) }) {
			t.Fatalf("%s has not come to its end without a runner", c.Key)
		}
	}
}

// killRunner starts a runner with the candidates and kills it when all are being measured.
func killRunner(t testing.TB, dir string, open []evaluator.Candidate) {
	t.Helper()
	var all []wire
	for _, c := range open {
		all = append(all, wire{c.Key, c.ID, c.Attempt, c.Tasks, c.Split, c.At, c.Log})
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "open.json")
	write(file, string(b))
	if err := os.MkdirAll(filepath.Join(dir, "model"), 0o755); err != nil { // beside what runs write, which would be linked as it comes and goes
		t.Fatal(err)
	}
	runner := exec.Command(os.Args[0])
	runner.Env = append(os.Environ(), asRunner+"="+file, "GORACE=atexit_sleep_ms=0")
	if err := runner.Start(); err != nil {
		t.Fatal(err)
	}
	for _, c := range open {
		if !until(func() bool { return exists(filepath.Join(dir, "started-"+filepath.Base(c.Key))) }) {
			t.Errorf("%s was not started", c.Key)
		}
	}
	if err := runner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := runner.Wait(); err == nil {
		t.Error("the runner ended before it was killed")
	}
}

func mustNew(t testing.TB, o Options) evaluator.Evaluator {
	t.Helper()
	ev, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// shell makes an evaluator of a shell script, and a candidate to measure with it.
func shell(t testing.TB, script string, change func(*Options)) (evaluator.Evaluator, evaluator.Candidate) {
	t.Helper()
	dir := t.TempDir()
	o := Options{Command: []string{"sh", "-c", script}, Dir: dir, Grace: 5 * time.Second}
	if change != nil {
		change(&o)
	}
	return mustNew(t, o), evaluator.Candidate{
		Key: "digits/12", ID: "x7-12-0af3", Attempt: 2, Tasks: []string{"a", "b"}, Split: evaluator.Validation,
		At:  []evaluator.Coefficient{{Name: "math", Value: .25}, {Name: "code", Value: 1}},
		Log: filepath.Join(dir, "logs", "12.log"), Model: lent(dir),
	}
}

// measure submits one candidate and returns its final event and its progress.
func measure(ctx context.Context, t testing.TB, ev evaluator.Evaluator, c evaluator.Candidate, running func()) (last evaluator.Event, seen []evaluator.Progress) {
	t.Helper()
	err := ev.Submit(ctx, []evaluator.Candidate{c}, func(e evaluator.Event) error {
		last = e
		if e.State == evaluator.Running {
			seen = append(seen, e.Progress)
			if running != nil {
				running()
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if exists(runFolder(c)) {
		t.Errorf("the run's folder %s is still there", runFolder(c))
	}
	return last, seen
}

func TestPlaceholders(t *testing.T) {
	ev, c := shell(t, `
		[ "$PARFAIT_TRIAL $PARFAIT_KEY $PARFAIT_ID $PARFAIT_ATTEMPT" = "12 digits/12 x7-12-0af3 2" ] || exit 1
		[ "$PARFAIT_TASKS" = a,b ] && [ "$PARFAIT_SPLIT" = validation ] && [ "$PARFAIT_SLOT" = 0 ] || exit 2
		[ "$PARFAIT_COEFFICIENTS" = '{"math": 0.25, "code": 1}' ] || exit 3
		[ "$PARFAIT_MODEL" = "$1" ] && [ -d "$1" ] || exit 4
		[ "$PARFAIT_OUT" = "$2" ] && ! [ -e "$2" ] || exit 5
		[ "$3" = 'trial=12 of {{tasks}}, {"x":1}' ] && [ "$GREETING" = 'hello 12' ] || exit 6
		[ "$#" = 3 ] && [ "$PWD" = "$WHERE" ] || exit 7
		[ -z "$(cat)" ] || exit 8
		echo '{"a": 1, "b": 2}' >"$2"`, func(o *Options) {
		o.Command = append(o.Command, "sh", "{model}", "{out}", `trial={trial} of {{tasks}}, {"x":1}`)
		physical, err := filepath.EvalSymlinks(o.Dir)
		if err != nil {
			t.Fatal(err)
		}
		o.Dir = physical
		o.Env = map[string]string{"GREETING": "hello {trial}", "WHERE": physical}
	})
	e, _ := measure(t.Context(), t, ev, c, nil)
	if e.State != evaluator.Done || e.Metrics["a"].Value != 1 || e.Metrics["b"].Value != 2 {
		t.Errorf("%s with %v: %v", e.State, e.Metrics, e.Err)
	}
}

// No argument is ever seen by a shell, whatever is in it.
func TestNoInjection(t *testing.T) {
	ev, c := shell(t, `[ "$1" = '$(touch pwned); touch pwned' ] || exit 1; echo '{"a": 1, "b": 1}'`, func(o *Options) {
		o.Command = append(o.Command, "sh", "{trial}")
	})
	c.Key = "study/$(touch pwned); touch pwned"
	if e, _ := measure(t.Context(), t, ev, c, nil); e.State != evaluator.Done {
		t.Error(e.Err)
	}
	if exists(filepath.Join(filepath.Dir(filepath.Dir(c.Log)), "pwned")) {
		t.Error("a shell has executed what was in a key")
	}
}

func TestProgressAndLog(t *testing.T) {
	ev, c := shell(t, `
		echo 'PARFAIT_PROGRESS 1/3 loading the model'
		echo 'a line'
		printf ' 10%%|#\r 50%%|##\r100%%|###\n' >&2
		printf '{"progress": {"done": 2, "total": 3}}\nPARFAIT_PROGRESS nonsense\n'
		echo '{"a": 1, "b": 1}'
		printf 'no end of line'`, nil)
	e, seen := measure(t.Context(), t, ev, c, nil)
	if e.State != evaluator.Done {
		t.Fatal(e.Err)
	}
	want := []evaluator.Progress{{}, {Done: 1, Total: 3, Note: "loading the model"}, {Done: 2, Total: 3}}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("progress %v, expected %v", seen, want)
	}
	b, err := os.ReadFile(c.Log)
	if err != nil {
		t.Fatal(err)
	}
	log := string(b)
	for _, want := range []string{"attempt 2 of digits/12", "\na line\n", "\n100%|###\n", "PARFAIT_PROGRESS nonsense", "no end of line\n", "exit status 0"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %q:\n%s", want, log)
		}
	}
	if strings.Contains(log, "\n 50%") {
		t.Errorf("the log has every state of a bar:\n%s", log)
	}
}

func TestLogLimit(t *testing.T) {
	ev, c := shell(t, `i=0; while [ $i -lt 2000 ]; do echo "0123456789012345678901234567890123456789"; i=$((i+1)); done; echo '{"a": 1, "b": 1}'`, func(o *Options) {
		o.LogLimit = 4096
	})
	if e, _ := measure(t.Context(), t, ev, c, nil); e.State != evaluator.Done {
		t.Error(e.Err)
	}
	b, err := os.ReadFile(c.Log)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 5000 || !strings.Contains(string(b), "left out") || !strings.Contains(string(b), "exit status 0") {
		t.Errorf("the log has %d bytes, expected about 4096 and a word about the rest:\n%s", len(b), b[max(0, len(b)-300):])
	}
}

func TestFailuresSayWhy(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		change func(*Options)
		code   evaluator.Code
		says   []string
	}{
		"exit status": {"echo first >&2; echo Traceback >&2; printf '\\033[31mKeyError: 3\\033[0m\\n' >&2; exit 3", nil, evaluator.Exited, []string{"KeyError: 3 (sh ended with exit status 3)\n", "  first\n  Traceback\n  KeyError: 3\n", "12.log"}},
		"quiet":       {"exit 4", nil, evaluator.Exited, []string{"exit status 4", "said nothing"}},
		"stdout":      {"echo bad things; exit 4", nil, evaluator.Exited, []string{"bad things (sh ended with exit status 4)\n"}},
		"killed":      {"kill -9 $$", nil, evaluator.Killed, []string{"SIGKILL", "memory"}},
		"no program":  {"", func(o *Options) { o.Command = []string{"no-such-program"} }, evaluator.CannotStart, []string{"no-such-program", "$PATH"}},
		"no file":     {"", func(o *Options) { o.Command = []string{"./evaluate.sh"} }, evaluator.CannotStart, []string{"evaluate.sh", "no such file"}},
		"not allowed": {"", func(o *Options) {
			o.Command = []string{"./evaluate.sh"}
			write(filepath.Join(o.Dir, "evaluate.sh"), "exit 0")
		}, evaluator.CannotStart, []string{"chmod +x"}},
		"no interpreter": {"", func(o *Options) {
			o.Command = []string{"./evaluate.py"}
			script(filepath.Join(o.Dir, "evaluate.py"), "#!/usr/bin/env no-such-python\n")
		}, evaluator.CannotStart, []string{"evaluate.py wants the interpreter no-such-python"}},
		"CR LF behind a shell": {"./evaluate.py", func(o *Options) {
			script(filepath.Join(o.Dir, "evaluate.py"), "#!/usr/bin/env python3\r\nprint(1)\r\n")
		}, evaluator.Exited, []string{"the lines of evaluate.py end with CR LF", "exit status 127"}},
		"a shell finds no program": {"exec no-such-program", nil, evaluator.Exited, []string{"there is no program no-such-program: it is no file, and in no folder of $PATH (sh ended with exit status 127)"}},
		"a shell finds no file":    {"./none/such; exit $?", nil, evaluator.Exited, []string{"there is no program ./none/such: "}},
		"env finds no program":     {"env no-such-program", nil, evaluator.Exited, []string{"there is no program no-such-program: "}},
		"a traceback":              {"echo 'Traceback (most recent call last):\n  File \"/x/y.py\", line 3, in f\n    g()\nValueError: no such task: maths\n' >&2; echo bye >&2; exit 1", nil, evaluator.Exited, []string{"ValueError: no such task: maths (sh ended with exit status 1)\n"}},
		"no folder":                {"exit 0", func(o *Options) { o.Dir += "/none" }, evaluator.CannotStart, []string{"/none"}},
		"nothing":                  {"true", nil, evaluator.NoMetrics, []string{"{out}", "stdout", "is empty"}},
		"not JSON":                 {"echo accuracy: 0.8", nil, evaluator.NoMetrics, []string{"accuracy: 0.8"}},
		"garbage":                  {"echo '<html>' >$PARFAIT_OUT", nil, evaluator.BadMetrics, []string{"out.json", "<html>"}},
		"garbage in line":          {`echo '{"a": 1,, "b": 2}'`, nil, evaluator.BadMetrics, []string{"last JSON line", `{"a": 1,, "b": 2}`}},
		"out before line":          {`echo '[1, 2]' >$PARFAIT_OUT; echo '{"a": 1, "b": 2}'`, nil, evaluator.BadMetrics, []string{"expected an object", "a list"}},
		"missing":                  {`echo '{"a": 1, "B": 2}'`, nil, evaluator.MissingTask, []string{`"b"`, "found B, a", `"B"`}},
		"timeout":                  {"echo loading >&2; sleep 1000", func(o *Options) { o.Timeout = 200 * time.Millisecond }, evaluator.TimedOut, []string{"200ms", "loading"}},
		"timeout ignored":          {"trap '' TERM; echo deaf >&2; while :; do sleep 0.05; done", func(o *Options) { o.Timeout, o.Grace = 200*time.Millisecond, 100*time.Millisecond }, evaluator.TimedOut, []string{"deaf"}},
		"killed by itself":         {"kill -9 $PPID", nil, evaluator.Killed, []string{"SIGKILL"}},
	} {
		t.Run(name, func(t *testing.T) {
			ev, candidate := shell(t, c.script, c.change)
			e, _ := measure(t.Context(), t, ev, candidate, nil)
			if e.State != evaluator.Failed || !errors.Is(e.Err, c.code) {
				t.Fatalf("%s, %s: %v; expected %s", e.State, evaluator.CodeOf(e.Err), e.Err, c.code)
			}
			if first, _, _ := strings.Cut(e.Err.Error(), "\n"); strings.HasSuffix(first, ":") || strings.HasPrefix(first, "/") {
				t.Errorf("it begins with a line that says nothing by itself: %q", first)
			}
			for _, w := range c.says {
				if !strings.Contains(e.Err.Error(), w) {
					t.Errorf("the error does not say %q:\n%v", w, e.Err)
				}
			}
		})
	}
}

// A supervisor that may start no process is no failure of the command: it is trouble that passes.
func TestTheSupervisorCannotFork(t *testing.T) {
	need(t, "prlimit")
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	limited := `prlimit --nproc=0:0 ` + self + ` "$@"`
	if os.Geteuid() == 0 { // whom no such limit holds
		need(t, "setpriv")
		limited = "setpriv --reuid=54321 --clear-groups " + limited
	}
	own := filepath.Join(t.TempDir(), "sh")
	if err := os.WriteFile(own, []byte("#!/bin/sh\nexec "+limited+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ev, c := shell(t, `echo '{"a": 1, "b": 1}'`, nil)
	was := superviseBy
	defer func() { superviseBy = was }()
	superviseBy = func() (string, error) { return own, nil }
	last, _ := measure(t.Context(), t, ev, c, nil)
	trouble, ok := evaluator.TroubleOf(last.Err)
	if last.State != evaluator.Failed || !ok || trouble.Errno != syscall.EAGAIN || !trouble.Passes || !trouble.Fewer {
		t.Fatalf("%s, %v: want the trouble that no more processes may be started", last.State, last.Err)
	}
	superviseBy = was
	if last, _ := measure(t.Context(), t, ev, c, nil); last.State != evaluator.Done {
		t.Errorf("when it may again: %s, %v", last.State, last.Err)
	}
}

// A log that cannot be made is said before anything is started.
func TestLogNotWritable(t *testing.T) {
	ev, c := shell(t, "touch started", nil)
	dir := t.TempDir()
	write(filepath.Join(dir, "file"), "")
	c.Log = filepath.Join(dir, "file", "12.log")
	if e, _ := measure(t.Context(), t, ev, c, nil); !errors.Is(e.Err, evaluator.CannotStart) {
		t.Errorf("%v, expected %s", e.Err, evaluator.CannotStart)
	}
	if exists("started") {
		t.Error("the command was started")
	}
}

// read returns the number of a process from a file.
func read(t testing.TB, file string) (pid int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(b), &pid); err != nil {
		t.Fatalf("%s: %q: %v", file, b, err)
	}
	return pid
}

// gone says whether the process whose number is in the file has ended.
func gone(t testing.TB, file string) bool {
	t.Helper()
	p, ok, err := process.LookUp(read(t, file))
	if err != nil {
		t.Fatal(err)
	}
	return !ok || p.Zombie
}

func TestWholeGroupEnds(t *testing.T) {
	const forks = `(sleep 1000 & echo $! >grandchild.part; mv grandchild.part grandchild; wait) & sleep 1000 & echo $! >child.part; mv child.part child; `
	for name, c := range map[string]struct {
		script string
		state  evaluator.State
	}{
		"cancelled":         {forks + "wait", evaluator.Cancelled},
		"cancelled, deaf":   {"trap '' TERM; " + forks + "while :; do wait; done", evaluator.Cancelled},
		"left behind":       {forks + `while ! [ -e grandchild ]; do sleep 0.01; done; echo '{"a": 1, "b": 1}'`, evaluator.Done},
		"left behind, dead": {forks + "while ! [ -e grandchild ]; do sleep 0.01; done; kill -9 $PPID; kill -9 $$", evaluator.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			ev, candidate := shell(t, c.script, func(o *Options) { o.Grace = 300 * time.Millisecond })
			dir := filepath.Dir(filepath.Dir(candidate.Log))
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			e, _ := measure(ctx, t, ev, candidate, func() {
				if c.state == evaluator.Cancelled {
					go func() {
						until(func() bool { return exists(filepath.Join(dir, "grandchild")) && exists(filepath.Join(dir, "child")) })
						stop()
					}()
				}
			})
			if e.State != c.state {
				t.Errorf("%s: %v, expected %s", e.State, e.Err, c.state)
			}
			for _, f := range []string{"grandchild", "child"} {
				if !gone(t, filepath.Join(dir, f)) {
					t.Errorf("the %s is still there when Submit has returned", f)
				}
			}
		})
	}
}

// Between SIGTERM and SIGKILL the command has time to tidy up.
func TestGrace(t *testing.T) {
	ev, c := shell(t, `trap 'echo "{\"a\": 1, \"b\": 1}"; touch tidied; exit 0' TERM; touch ready; while :; do sleep 0.02; done`, nil)
	dir := filepath.Dir(filepath.Dir(c.Log))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	e, _ := measure(ctx, t, ev, c, func() {
		go func() {
			until(func() bool { return exists(filepath.Join(dir, "ready")) })
			stop()
		}()
	})
	if e.State != evaluator.Cancelled || !exists(filepath.Join(dir, "tidied")) {
		t.Errorf("%s (%v), tidied up: %t", e.State, e.Err, exists(filepath.Join(dir, "tidied")))
	}
}

// What has ended before its run was told to end counts, although nobody had looked yet.
func TestWhatHadEndedCounts(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, status := range []int{0, 3} {
		r := &run{dir: t.TempDir()}
		if _, err := r.cut(ctx, ending{Status: status}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("a run that was told to end came to %v, want that it was cancelled", err)
		}
		write(filepath.Join(r.dir, endName), fmt.Sprintf(`{"status": %d}`, status))
		if err := r.halt(ctx, record{}); err != nil || exists(filepath.Join(r.dir, haltName)) {
			t.Errorf("a run that had ended was told to (%v)", err)
		}
		if e, err := r.cut(ctx, ending{Status: status}, nil); err != nil || e.Status != status {
			t.Errorf("a run that had ended with %d came to %+v, %v", status, e, err)
		}
	}
}

// A report is kept for the script that made it: one that was mended meanwhile is asked itself.
func TestAScriptMendedWhileItRuns(t *testing.T) {
	var dir string
	ev, c := shell(t, "", func(o *Options) {
		dir = o.Dir
		o.Command = []string{"sh", "evaluate.sh"}
		write(filepath.Join(dir, "evaluate.sh"), `echo run >>runs
echo '# mended' >>evaluate.sh
echo '{"results": {"a": {"acc,none": 0.5}, "b": {"acc,none": 0.25}}}'
exit
`)
	})
	c.Merge = "m12"
	for i, task := range []string{"a", "b"} {
		c.ID, c.Tasks = fmt.Sprintf("x7-12-%d", i), []string{task}
		if e, _ := measure(t.Context(), t, ev, c, nil); e.State != evaluator.Done || len(e.Metrics) != 1 {
			t.Fatalf("%s: %s with %+v: %v", task, e.State, e.Metrics, e.Err)
		}
		c.Attempt++
	}
	b, err := os.ReadFile(filepath.Join(dir, "runs"))
	if err != nil || strings.Count(string(b), "run") != 2 {
		t.Errorf("%q, %v; expected a run of each script", b, err)
	}
}
