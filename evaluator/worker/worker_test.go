//go:build linux || darwin

package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/evaluatortest"
	"parfait/evaluator/internal/process"
	"parfait/evaluator/internal/question"
)

// The test binary is also the worker, and the runner that is killed.
const (
	asWorker = "PARFAIT_TEST_WORKER"
	asRunner = "PARFAIT_TEST_RUNNER" // a folder for files
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(asRunner); dir != "" {
		runnerMain(dir)
	}
	if os.Getenv(asWorker) != "" {
		os.Exit(workerMain())
	}
	os.Exit(m.Run())
}

// workerMain is a worker that does what the first coefficient's name says.
func workerMain() int {
	fmt.Println("loading the model in slot", os.Getenv("PARFAIT_SLOT"), os.Args[1], "on GPU", os.Getenv("CUDA_VISIBLE_DEVICES"))
	in := bufio.NewScanner(os.Stdin)
	for n := 1; in.Scan(); n++ {
		var q question.Question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 9
		}
		if _, err := os.ReadDir(q.Model); q.Model != "" && err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 8
		}
		report := map[string]any{}
		for i, task := range q.Tasks {
			report[task] = map[string]any{"value": float64(i) / 10, "n": 100}
			fmt.Printf("PARFAIT_PROGRESS %d/%d %s\n", i+1, len(q.Tasks), task)
		}
		fmt.Println("a line for the log")
		fmt.Println(`{"loss": 0.3}`)
		a := map[string]any{"key": q.Key, "metrics": report}
		switch strings.Split(string(q.Coefficients), `"`)[1] {
		case "count":
			a["metrics"] = map[string]any{"a": n, "b": os.Getpid()}
		case "hang":
			write(filepath.Join(q.Model, "hangs"), fmt.Sprint(os.Getpid()))
			time.Sleep(time.Hour)
		case "die":
			fmt.Fprintln(os.Stderr, "CUDA error: out of memory")
			return 3
		case "shot":
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		case "mute":
			_ = os.Stdout.Close()
			time.Sleep(time.Hour)
		case "leaves": // when it has answered
			b, err := json.Marshal(a)
			fmt.Println(string(b))
			if err != nil {
				return 9
			}
			return 0
		case "looks":
			a["model"] = q.Model
		case "asked":
			a["error"] = string(q.Recipe) + q.Model
		case "twice":
			b, err := json.Marshal(a)
			if err != nil {
				return 9
			}
			fmt.Println(string(b))
		case "error":
			a = map[string]any{"key": q.Key, "error": "the judge is asleep"}
		case "nothing":
			delete(a, "metrics")
		case "other":
			a["key"] = "another"
		case "nan":
			fmt.Printf("{\"key\": %q, \"metrics\": {\"a\": NaN, \"b\": 1}}\n", q.Key)
			continue
		case "missing":
			delete(report, "a")
		case "undeclared":
			report["poetry"] = 1
		}
		b, err := json.Marshal(a)
		if err != nil {
			return 9
		}
		fmt.Println(string(b))
	}
	return 0
}

func write(path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		panic(err)
	}
}

func options() Options {
	return Options{
		Command: []string{os.Args[0], "place={slot}"}, Parallel: 2, Grace: 5 * time.Second,
		Env: map[string]string{asWorker: "1", asRunner: "", "GORACE": "atexit_sleep_ms=0"},
	}
}

// mustNew makes an evaluator whose workers end with the test.
func mustNew(t testing.TB, o Options) *Evaluator {
	t.Helper()
	ev, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ev.Close(); err != nil {
			t.Error(err)
		}
	})
	return ev
}

func behaving(behaviour string) func(testing.TB) evaluator.Candidate {
	return func(t testing.TB) evaluator.Candidate {
		dir := t.TempDir()
		return evaluator.Candidate{
			Tasks: []string{"a", "b"}, At: []evaluator.Coefficient{{Name: behaviour, Value: 1}},
			Model: func(context.Context, evaluator.Form) (evaluator.Lease, error) { return evaluator.Lease{Path: dir}, nil },
		}
	}
}

func TestConforms(t *testing.T) {
	fails := func(behaviour string, code evaluator.Code) evaluatortest.Failure {
		return evaluatortest.Failure{Candidate: behaving(behaviour), Code: code}
	}
	evaluatortest.Run(t, evaluatortest.Harness{
		New: func(t testing.TB, _ string) evaluator.Evaluator {
			o := options()
			o.Splits = []evaluator.Split{evaluator.Validation, evaluator.Test}
			return mustNew(t, o)
		},
		Good: behaving("good"),
		Hang: behaving("hang"),
		Failures: map[string]evaluatortest.Failure{
			"dies":       fails("die", evaluator.Exited),
			"shot":       fails("shot", evaluator.Killed),
			"mute":       fails("mute", evaluator.Exited),
			"error":      fails("error", Reported),
			"nothing":    fails("nothing", evaluator.NoMetrics),
			"other":      fails("other", evaluator.BadMetrics),
			"nan":        fails("nan", evaluator.NotFinite),
			"missing":    fails("missing", evaluator.MissingTask),
			"undeclared": fails("undeclared", evaluator.UndeclaredTask),
		},
	})
}

// measure submits one candidate and returns its final event and its log.
func measure(t testing.TB, ev evaluator.Evaluator, behaviour string) (last evaluator.Event, log string) {
	t.Helper()
	c := behaving(behaviour)(t)
	c.Key, c.Attempt, c.Split, c.Log = "digits/12", 1, evaluator.Validation, filepath.Join(t.TempDir(), "logs", "12.log")
	if err := ev.Submit(t.Context(), []evaluator.Candidate{c}, func(e evaluator.Event) error { last = e; return nil }); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(c.Log)
	if err != nil {
		t.Fatal(err)
	}
	return last, string(b)
}

// The whole point: one process measures many, a failure that it reports itself does not end it, its death
// costs one candidate, and dying between two costs none.
func TestStaysLoaded(t *testing.T) {
	o := options()
	o.Parallel = 1
	ev := mustNew(t, o)
	count := func(want float64) float64 {
		t.Helper()
		e, _ := measure(t, ev, "count")
		if e.State != evaluator.Done || e.Metrics["a"].Value != want {
			t.Errorf("%s, candidate number %v of its process, expected %v: %v", e.State, e.Metrics["a"].Value, want, e.Err)
		}
		return e.Metrics["b"].Value
	}
	first := count(1)
	if e, _ := measure(t, ev, "error"); !errors.Is(e.Err, Reported) || !strings.Contains(e.Err.Error(), "asleep") {
		t.Errorf("%v, expected %s", e.Err, Reported)
	}
	if second := count(3); second != first {
		t.Error("another process measures after an error that the worker reported")
	}
	e, log := measure(t, ev, "die")
	if !errors.Is(e.Err, evaluator.Exited) || !strings.Contains(e.Err.Error(), "exit status 3") || !strings.Contains(e.Err.Error(), "CUDA") {
		t.Errorf("%v, expected %s with its last words", e.Err, evaluator.Exited)
	}
	for _, want := range []string{"a line for the log", `{"loss": 0.3}`, "CUDA error"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %q:\n%s", want, log)
		}
	}
	if third := count(1); third == first {
		t.Error("the process that died measures on")
	}
	if e, _ := measure(t, ev, "leaves"); e.State != evaluator.Done {
		t.Error(e.Err)
	}
	count(1)
	if err := ev.Close(); err != nil {
		t.Fatal(err)
	}
	count(1)
}

// Who needs no model is told where that of an export is, and says whether it has looked; and how to merge, always.
func TestQuestions(t *testing.T) {
	o := options()
	o.NoModel = true
	ev, dir := mustNew(t, o), t.TempDir()
	for _, c := range []struct {
		behaviour, written string
		looked             bool
		says               string
	}{
		{behaviour: "good", written: dir},
		{behaviour: "looks", written: dir, looked: true},
		{behaviour: "looks"},
		{behaviour: "asked", says: `the worker says: {"version":1}`},
		{behaviour: "asked", written: dir, says: `the worker says: {"version":1}` + dir},
	} {
		looked, says := false, ""
		asked := evaluator.Candidate{
			Key: "k", Attempt: 1, Split: evaluator.Validation, Tasks: []string{"a", "b"}, At: []evaluator.Coefficient{{Name: c.behaviour}},
			Recipe: json.RawMessage(`{"version":1}`), Written: c.written, Looked: func() { looked = true },
		}
		err := ev.Submit(t.Context(), []evaluator.Candidate{asked}, func(e evaluator.Event) error {
			if e.Err != nil {
				says = e.Err.Error()
			}
			return nil
		})
		if err != nil || looked != c.looked || says != c.says {
			t.Errorf("%+v: looked %v, says %q (%v)", c, looked, says, err)
		}
	}
}

// An answer that is given once more costs nobody: the next candidate's is the next for its own key.
func TestAnAnswerGivenTwiceCostsNobody(t *testing.T) {
	o := options()
	o.Parallel = 1
	ev := mustNew(t, o)
	dir := t.TempDir()
	var states []evaluator.State
	var last evaluator.Event
	ask := func(key, behaviour string) {
		c := behaving(behaviour)(t)
		c.Key, c.Attempt, c.Split, c.Log = key, 1, evaluator.Validation, filepath.Join(dir, filepath.Base(key)+".log")
		if err := ev.Submit(t.Context(), []evaluator.Candidate{c}, func(e evaluator.Event) error { last = e; return nil }); err != nil {
			t.Fatal(err)
		}
		states = append(states, last.State)
	}
	ask("digits/12", "twice")
	ask("digits/13", "count")
	if last.State != evaluator.Done || last.Metrics["a"].Value != 2 {
		t.Errorf("the next is %s with %v, want it done, the second of its process: %v", last.State, last.Metrics, last.Err)
	}
	ask("digits/14", "count")
	if want := []evaluator.State{evaluator.Done, evaluator.Done, evaluator.Done}; !reflect.DeepEqual(states, want) || last.Metrics["a"].Value != 3 {
		t.Errorf("%v, the last with %v; want %v, and one process for all", states, last.Metrics, want)
	}
	b, err := os.ReadFile(filepath.Join(dir, "13.log"))
	if err != nil || !strings.Contains(string(b), `answered once more for "digits/12"`) {
		t.Errorf("%v; the log does not say what was left out:\n%s", err, b)
	}
}

// A fault costs the candidate that meets it, and no other: not the one that is asked next, of the same process or of one
// that is started for it. .ci/long measures a thousand.
func TestFaultsCostNobodyElse(t *testing.T) {
	n := 120
	if os.Getenv("PARFAIT_LONG") != "" {
		n = 1000
	}
	faults := map[string]evaluator.State{
		"die": evaluator.Failed, "shot": evaluator.Failed, "mute": evaluator.Failed, "error": evaluator.Failed, "nothing": evaluator.Failed,
		"other": evaluator.Failed, "nan": evaluator.Failed, "missing": evaluator.Failed, "undeclared": evaluator.Failed,
		"leaves": evaluator.Done, "twice": evaluator.Done, // who is hurt by these is another
	}
	names := slices.Sorted(maps.Keys(faults))
	random := rand.New(rand.NewPCG(uint64(n), 15))
	o := options()
	o.Parallel = 4
	ev := mustNew(t, o)
	want, count := map[string]evaluator.State{}, 0
	var batch []evaluator.Candidate
	for i := range n {
		name := "good"
		if random.IntN(100) < 15 {
			name, count = names[count%len(names)], count+1
		}
		c := behaving(name)(t)
		c.Key, c.ID, c.Attempt, c.Split = fmt.Sprintf("s/%d", i), fmt.Sprintf("x-%d-0", i), 1, evaluator.Validation
		if want[c.Key] = faults[name]; name == "good" {
			want[c.Key] = evaluator.Done
		}
		batch = append(batch, c)
	}
	var mu sync.Mutex
	failed := 0
	if err := ev.Submit(t.Context(), batch, func(e evaluator.Event) error {
		mu.Lock()
		defer mu.Unlock()
		if !e.State.Final() {
			return nil
		}
		i, _ := strconv.Atoi(strings.TrimPrefix(e.Key, "s/"))
		if name := batch[i].At[0].Name; e.State != want[e.Key] {
			t.Errorf("%s, which does %q, is %s, want %s: %v", e.Key, name, e.State, want[e.Key], e.Err)
		}
		if e.State == evaluator.Failed {
			failed++
		} else if e.Metrics["b"] != (evaluator.Metric{Value: .1, N: 100}) {
			t.Errorf("%s: %v, want its own figures", e.Key, e.Metrics)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d candidates, %d faults, %d failed", n, count, failed)
	if count < len(names) || failed == 0 {
		t.Errorf("%d faults of %d kinds, %d failed: want all kinds", count, len(names), failed)
	}
}

func TestStart(t *testing.T) {
	o := options()
	o.Command = []string{"no-such-program"}
	if e, _ := measure(t, mustNew(t, o), "good"); !errors.Is(e.Err, evaluator.CannotStart) || !strings.Contains(e.Err.Error(), "no-such-program") {
		t.Errorf("%v, expected %s", e.Err, evaluator.CannotStart)
	}
	if _, log := measure(t, mustNew(t, options()), "good"); !strings.Contains(log, "slot 0 place=0") && !strings.Contains(log, "slot 1 place=1") {
		t.Errorf("the worker does not know its place:\n%s", log)
	}
}

// Each slot sees its own device, and without a word there is a slot for each.
func TestDevices(t *testing.T) {
	o := options()
	o.Parallel, o.Devices = 0, []string{"3", "0,1"}
	ev := mustNew(t, o)
	if n := ev.Limits().InFlight; n != 2 {
		t.Errorf("%d at once on 2 devices", n)
	}
	seen := map[string]bool{}
	for range 2 { // one after the other: slots are taken in turn
		_, log := measure(t, ev, "good")
		for _, want := range []string{"slot 0 place=0 on GPU 3\n", "slot 1 place=1 on GPU 0,1\n"} {
			if strings.Contains(log, want) {
				seen[want] = true
			}
		}
	}
	if len(seen) != 2 {
		t.Errorf("seen were %v", seen)
	}
}

func TestTimeout(t *testing.T) {
	o := options()
	o.Timeout = 300 * time.Millisecond
	if e, _ := measure(t, mustNew(t, o), "hang"); !errors.Is(e.Err, evaluator.TimedOut) {
		t.Errorf("%v, expected %s", e.Err, evaluator.TimedOut)
	}
}

// runnerMain measures one that hangs, until it is killed.
func runnerMain(dir string) {
	ev, err := New(options())
	if err != nil {
		panic(err)
	}
	c := evaluator.Candidate{
		Key: "k", Tasks: []string{"a"}, Split: evaluator.Validation, At: []evaluator.Coefficient{{Name: "hang"}},
		Model: func(context.Context, evaluator.Form) (evaluator.Lease, error) { return evaluator.Lease{Path: dir}, nil },
	}
	if err := ev.Submit(context.Background(), []evaluator.Candidate{c}, func(evaluator.Event) error { return nil }); err != nil {
		panic(err)
	}
}

// A worker does not outlive its runner, even one that does not look at its standard input.
func TestRunnerIsKilled(t *testing.T) {
	dir := t.TempDir()
	runner := exec.Command(os.Args[0])
	runner.Env = append(os.Environ(), asRunner+"="+dir, "GORACE=atexit_sleep_ms=0")
	if err := runner.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if gone, err := process.WaitUntilNot(func() (bool, error) {
		b, _ := os.ReadFile(filepath.Join(dir, "hangs"))
		n, _ := fmt.Sscan(string(b), &pid)
		return n != 1, nil
	}, 30*time.Second); err != nil || !gone {
		t.Fatalf("the worker was not started (%v)", err)
	}
	if err := runner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = runner.Wait() // killed
	if gone, err := process.WaitUntilNot(func() (bool, error) {
		p, ok, err := process.LookUp(pid)
		return ok && !p.Zombie, err
	}, 30*time.Second); err != nil || !gone {
		t.Errorf("the worker lives on when its runner is killed (%v)", err)
	}
}

func TestParseOptions(t *testing.T) {
	o, errs := ParseOptions(map[string]any{
		"worker": "python serve.py --gpu '{slot}'", "parallel": 2, "timeout": "30m", "grace": "5s", "dir": "eval", "env": map[string]any{"CUDA_VISIBLE_DEVICES": "{slot}"},
		"model": false, "form": "adapter", "max_rank": 256, "splits": []any{"validation", "test"}, "metrics": map[string]any{"gsm8k": "accuracy"},
	})
	want := Options{
		Command: []string{"python", "serve.py", "--gpu", "{slot}"}, Parallel: 2, Timeout: 30 * time.Minute, Grace: 5 * time.Second, Dir: "eval",
		Env: map[string]string{"CUDA_VISIBLE_DEVICES": "{slot}"}, NoModel: true, Form: evaluator.Adapter, MaxRank: 256,
		Splits: []evaluator.Split{evaluator.Validation, evaluator.Test}, Metrics: map[string]string{"gsm8k": "accuracy"},
	}
	if len(errs) > 0 || !reflect.DeepEqual(o, want) {
		t.Errorf("%+v, %v; expected %+v", o, errs, want)
	}
	for wants, m := range map[string]map[string]any{
		"worker: expected a program": {},
		"no placeholder {model}":     {"worker": "serve {model}"},
		"env: A: there is no":        {"worker": "serve", "env": map[string]any{"A": "{trial}"}},
		"for a worker":               {"command": "serve"},
		"validation is missing":      {"worker": "serve", "splits": []any{"test"}},
		"folder or adapter":          {"worker": "serve", "form": "gguf"},
		"only adapters have a rank":  {"worker": "serve", "max_rank": 8},
	} {
		_, errs := ParseOptions(m)
		if err := errors.Join(errs...); !errors.Is(err, evaluator.BadOptions) || !strings.Contains(err.Error(), wants) {
			t.Errorf("%v: %v, expected %q", m, err, wants)
		}
	}
}
