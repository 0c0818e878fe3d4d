//go:build linux

package slurm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parfait/evaluator"
)

func (b bench) candidates(t testing.TB, n int) (cs []evaluator.Candidate) {
	for i := range n {
		cs = append(cs, b.candidate(t, fmt.Sprint(i+1), "out"))
	}
	return cs
}

// What is asked for together goes out as one array, whose tasks measure as many as group says.
func TestOneArray(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	e := b.with(t, func(o *Options) { o.Throttle, o.Group, o.Poll = 7, 3, 3*time.Second })
	cs := b.candidates(t, 7)
	s := e.measureAll(t, cs...)
	for _, c := range cs {
		s.is(t, c, evaluator.Done, "")
	}
	if n := b.slurm.Calls("sbatch"); n != 2 { // the first asks whether the options are taken
		t.Errorf("sbatch was called %d times, expected 2", n)
	}
	if n := len(b.slurm.States()); n != 3 {
		t.Errorf("%d tasks were started, expected 3", n)
	}
	if left, _ := os.ReadDir(filepath.Join(b.dir, "slurm")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// A result that the full disk cuts short is none, and stands in the way of none.
func TestHalfAResultIsNone(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	c := b.candidate(t, "1", "full")
	b.with(t, nil).measureAll(t, c).is(t, c, evaluator.Done, "")
	if n := b.paid("1"); n != 2 {
		t.Errorf("it was measured %d times, expected once more", n)
	}
}

// A task that Slurm loses is submitted again, and what it measures is measured once.
func TestLostTasksAreSubmittedAgain(t *testing.T) {
	t.Parallel()
	for _, fate := range []string{"NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "CANCELLED", "GONE", "COMPLETED"} {
		t.Run(fate, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, t.TempDir())
			b.slurm.Set(t, "fates", fate+"\nRUN\n"+fate+"\n")
			cs := b.candidates(t, 3)
			s := b.with(t, nil).measureAll(t, cs...)
			for i, c := range cs {
				s.is(t, c, evaluator.Done, "")
				if n := b.paid(fmt.Sprint(i + 1)); n != 1 {
					t.Errorf("%s was measured %d times", c.Key, n)
				}
			}
			if fate != "GONE" && !s.noted(fate) {
				t.Errorf("nobody is told of %s: %q", fate, s.notes)
			}
		})
	}
}

// What a command reports whose task was told to end is not believed, although it ends well: a part of it was killed.
func TestToldToEndIsNoResult(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	c := b.candidate(t, "1", "stubborn")
	done := make(chan *seen)
	go func() { done <- b.with(t, nil).measureAll(t, c) }()
	until(t, "it waits to be told", func() bool { return exists(b.file("again")) })
	b.slurm.Cancel(t, "1_1")
	s := <-done
	s.is(t, c, evaluator.Done, "")
	if v := s.finals[c.Key].Metrics["a"].Value; v != .5 {
		t.Errorf("a is %v, which is what it reported when it was told to end; expected .5", v)
	}
}

// A task that is lost again and again fails, and says how it ended.
func TestLostTooOften(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.slurm.Set(t, "fates", "NODE_FAIL\nPREEMPTED\nRUN\n")
	c := b.candidate(t, "1", "out")
	s := b.with(t, func(o *Options) { o.Tries = 2 }).measureAll(t, c)
	s.is(t, c, evaluator.Failed, "lost 2 times and has left no result: NODE_FAIL on n1, PREEMPTED on n1")
	if !errors.Is(s.finals[c.Key].Err, Lost) {
		t.Errorf("%v has not the code %s", s.finals[c.Key].Err, Lost)
	}
}

// Where a node has lost two tasks, others are asked for, while there are any.
func TestNodesAreAvoided(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	e := b.with(t, func(o *Options) { o.Sbatch = []string{"--exclude=n7", "--time=1"} })
	e.blame["n1"], e.blame["n2"] = 2, 1
	if got := strings.Join(e.options.arguments(e.avoided()), " "); got != "--exclude=n7,n1 --time=1" {
		t.Errorf("the options are %q", got)
	}
}

// What Slurm ends for what it takes is the candidate's failure, with advice, where it had begun; and where nobody is
// to blame it is measured again.
func TestLimitsFailWithAdvice(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]struct {
		code evaluator.Code
		part string
	}{
		"TIMEOUT":       {evaluator.TimedOut, "--time="},
		"OUT_OF_MEMORY": {evaluator.Killed, "--mem="},
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, t.TempDir())
			e := b.with(t, nil)
			c := b.candidate(t, "1", "hang")
			t.Cleanup(func() { b.slurm.Set(t, "fates", "") })
			b.slurm.Set(t, "fates", state+"\n") // before it has begun: tried again
			done := make(chan *seen)
			go func() { done <- e.measureAll(t, c) }()
			until(t, "it is at work", func() bool { return b.paid("1") == 1 })
			for task, s := range b.slurm.States() {
				if s == "RUNNING" {
					b.slurm.Set(t, "jobs/"+task+"/cancelled", "x")
					b.slurm.Cancel(t, task)
					b.slurm.Set(t, "jobs/"+task+"/state", state)
				}
			}
			s := <-done
			s.is(t, c, evaluator.Failed, want.part)
			if !errors.Is(s.finals[c.Key].Err, want.code) {
				t.Errorf("%v has not the code %s", s.finals[c.Key].Err, want.code)
			}
		})
	}
}

// A controller that does not answer says nothing: neither is anything lost, nor submitted twice.
func TestControllerAway(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	e := b.with(t, func(o *Options) { o.Throttle = 4 })
	let := b.gate(t)
	cs := b.candidates(t, 4)
	done := make(chan *seen)
	go func() { done <- e.measureAll(t, cs...) }()
	until(t, "all run", func() bool { return exists(b.file("started-4")) && exists(b.file("started-1")) })
	b.slurm.Set(t, "down", "x")
	calls := b.slurm.Calls("squeue")
	until(t, "the queue was asked often enough for all to seem lost", func() bool { return b.slurm.Calls("squeue") > calls+6 })
	b.slurm.Set(t, "down", "")
	let()
	s := <-done
	for i, c := range cs {
		s.is(t, c, evaluator.Done, "")
		if n := b.paid(fmt.Sprint(i + 1)); n != 1 {
			t.Errorf("%s was measured %d times", c.Key, n)
		}
	}
	if !s.noted("the queue does not answer: squeue: error: Unable to contact") {
		t.Errorf("nobody is told: %q", s.notes)
	}
}

// An sbatch that fails may have submitted, and one that succeeds may not have: the queue says which.
func TestSbatchIsNotBelieved(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"swallow", "forget"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, t.TempDir())
			b.slurm.Set(t, fault, "x")
			cs := b.candidates(t, 2)
			s := b.with(t, nil).measureAll(t, cs...)
			for i, c := range cs {
				s.is(t, c, evaluator.Done, "")
				if n := b.paid(fmt.Sprint(i + 1)); n != 1 {
					t.Errorf("%s was measured %d times", c.Key, n)
				}
			}
		})
	}
}

// More tasks than a person may have in the queue wait, and fail nobody.
func TestQuota(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.slurm.Set(t, "limit", "2")
	let := b.gate(t)
	cs := b.candidates(t, 5)
	done := make(chan *seen)
	go func() { done <- b.with(t, func(o *Options) { o.Throttle = 5 }).measureAll(t, cs...) }()
	calls := func() bool { return b.slurm.Calls("sbatch") > 12 }
	until(t, "sbatch has refused", calls)
	let()
	s := <-done
	for _, c := range cs {
		s.is(t, c, evaluator.Done, "")
	}
	if !s.noted("waits until it may be submitted: sbatch: error: QOSMaxSubmitJobPerUserLimit") {
		t.Errorf("nobody is told: %q", s.notes)
	}
}

// What sbatch does not take is said before anything else, in its own words; so is a Slurm that is not there.
func TestRefusedAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	for part, change := range map[string]func(*Options){
		"invalid partition specified: nowhere": func(o *Options) { o.Sbatch = []string{"--partition=nowhere"} },
		"Slurm's program sbatch is not here":   func(o *Options) { o.Bin = b.dir },
	} {
		o := b.options()
		change(&o)
		if _, err := New(o); !errors.Is(err, evaluator.CannotStart) || !strings.Contains(err.Error(), part) {
			t.Errorf("%v, expected %s, %q", err, evaluator.CannotStart, part)
		}
	}
	b.slurm.Set(t, "down", "x")
	if _, err := New(b.options()); err != nil {
		t.Errorf("a controller that is away keeps a run from waiting for it: %v", err)
	}
	b.slurm.Set(t, "down", "")
}

// A folder that the nodes do not see is told as that.
func TestFolderThatNodesDoNotSee(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.slurm.Set(t, "fates", "FAILED\nFAILED\n")
	c := b.candidate(t, "1", "out")
	s := b.with(t, nil).measureAll(t, c)
	s.is(t, c, evaluator.Failed, "exit code 0:53): the nodes have to see the folder "+filepath.Join(b.dir, "slurm"))
}

// A merged model on a disk of this machine alone is told as that.
func TestModelThatNodesDoNotSee(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	let := b.gate(t)
	c := b.candidate(t, "1", "out")
	e := b.with(t, func(o *Options) { o.Throttle = 1 })
	b.leaveWhen(t, e, []evaluator.Candidate{c}, func() bool { return exists(b.file("started-1")) })
	r := e.run(c.ID)
	if err := errors.Join(os.RemoveAll(filepath.Join(r.dir, resultName)), os.RemoveAll(filepath.Join(r.dir, taskName))); err != nil {
		t.Fatal(err)
	}
	kept, err := os.Readlink(filepath.Join(r.dir, "model"))
	if err != nil {
		t.Fatal(err)
	}
	for task := range b.slurm.States() {
		b.slurm.Cancel(t, task)
	}
	if err := os.RemoveAll(kept); err != nil {
		t.Fatal(err)
	}
	let()
	s := b.with(t, nil).measureAll(t, c)
	s.is(t, c, evaluator.Failed, "is not there on the node n1: let candidates.path")
}

// A task goes on when the runner has to leave, and the next one takes it up: with its model, which the first runner has
// given back and others have deleted.
func TestTakenUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	let := b.gate(t)
	c := b.candidate(t, "1", "out")
	lease, err := c.Model(t.Context(), evaluator.Folder)
	if err != nil {
		t.Fatal(err)
	}
	b.leaveWhen(t, b.with(t, nil), []evaluator.Candidate{c}, func() bool { return exists(b.file("started-1")) })
	if err := os.RemoveAll(lease.Path); err != nil {
		t.Fatal(err)
	}
	e := b.with(t, nil)
	if unknown, err := e.Recover(t.Context(), []evaluator.Candidate{c}, func(evaluator.Event) error { return nil }); err != nil || len(unknown) != 1 {
		t.Fatalf("unknown are %v, %v", unknown, err)
	}
	if err := e.Sweep(func(id string) bool { return id == c.ID }); err != nil {
		t.Fatal(err)
	}
	c.Attempt++
	c.Model = func(context.Context, evaluator.Form) (evaluator.Lease, error) {
		t.Error("the model was made again")
		return evaluator.Lease{}, errors.New("no")
	}
	done := make(chan *seen)
	go func() { done <- e.measureAll(t, c) }()
	let()
	(<-done).is(t, c, evaluator.Done, "")
	if n := b.paid("1"); n != 1 {
		t.Errorf("it was measured %d times", n)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(lease.Path), evaluator.KeptPrefix+"*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	text, err := os.ReadFile(c.Log)
	if err != nil || !strings.Contains(string(text), "half way") || !strings.Contains(string(text), "ended with exit status 0") {
		t.Errorf("the log says %q, %v", text, err)
	}
}

// What is asked for no more is cancelled: by the runner that is told, and by the next one where that was killed.
func TestCancelled(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.gate(t)
	e := b.with(t, nil)
	c, other := b.candidate(t, "1", "out"), b.candidate(t, "2", "out")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		until(t, "it runs", func() bool { return exists(b.file("started-1")) })
		cancel()
	}()
	if err := e.Submit(ctx, []evaluator.Candidate{c}, func(evaluator.Event) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if !b.slurm.Idle() {
		t.Errorf("a task that nobody wants goes on: %v", b.slurm.States())
	}
	until(t, "its command has ended", func() bool { return !b.slurm.Lives("1_1") })
	b.leaveWhen(t, e, []evaluator.Candidate{other}, func() bool { return exists(b.file("started-2")) })
	if b.slurm.Idle() {
		t.Error("nothing goes on when the runner leaves")
	}
	next := b.with(t, nil)
	if err := errors.Join(next.Sweep(func(string) bool { return false }), next.Close()); err != nil {
		t.Error(err)
	}
	if !b.slurm.Idle() {
		t.Errorf("what the first runner left goes on: %v", b.slurm.States())
	}
	last := b.with(t, nil)
	if err := errors.Join(last.Sweep(func(string) bool { return false }), last.Close()); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Join(b.dir, "slurm")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// The queue is asked once for all, however many there are.
func TestOneCallOfSqueue(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	let := b.gate(t)
	e := b.with(t, func(o *Options) { o.Throttle = 20 })
	cs := b.candidates(t, 20)
	done := make(chan *seen)
	go func() { done <- e.measureAll(t, cs...) }()
	until(t, "all run", func() bool { return len(b.slurm.States()) == 20 })
	before := b.slurm.Calls("squeue")
	until(t, "it is asked again", func() bool { return b.slurm.Calls("squeue") > before+2 })
	let()
	s := <-done
	for _, c := range cs {
		s.is(t, c, evaluator.Done, "")
	}
	if n := b.slurm.Calls("scontrol"); n != 1 {
		t.Errorf("scontrol was called %d times, expected once", n)
	}
	if !s.noted("RUNNING on n1, 0:01 of 1:00") {
		t.Errorf("nobody is told what the queue says: %q", s.notes)
	}
}

func TestOptions(t *testing.T) {
	o, errs := ParseOptions(map[string]any{"command": []any{"./eval.sh", "{model}"}, "sbatch": []any{"--partition=gpu", "-t", "1:00:00"}, "throttle": 16, "group": 4, "poll": "20s"})
	if len(errs) > 0 || o.Throttle != 16 || o.Group != 4 || len(o.Sbatch) != 3 {
		t.Errorf("%+v, %v", o, errs)
	}
	_, errs = ParseOptions(map[string]any{"command": []any{"./eval.sh", "{slot}"}, "sbatch": []any{"--array=1-4", "run.sh", "--output=x"}, "throttle": 0})
	if len(errs) != 1 {
		t.Errorf("%v, expected what cannot be read first", errs)
	}
	_, errs = ParseOptions(map[string]any{"command": []any{"./eval.sh", "{slot}"}, "sbatch": []any{"--array=1-4", "run.sh", "--output=x"}})
	text := errors.Join(errs...).Error()
	for _, want := range []string{"no placeholder {slot}", "--array is parfait's own: throttle and group", `"run.sh" is no option of sbatch`, "--output is parfait's own"} {
		if !strings.Contains(text, want) {
			t.Errorf("the errors do not say %q:\n%s", want, text)
		}
	}
}

// A report is kept for the script that made it: one that was mended meanwhile is asked itself.
func TestAScriptMendedWhileItRuns(t *testing.T) {
	b := newBench(t, t.TempDir())
	write(t, b.file("evaluate.sh"), `echo x >>paid-1
[ ! -e mend ] || echo '# mended' >>evaluate.sh
echo '{"results": {"a": {"acc,none": 0.5}, "b": {"acc,none": 0.25}, "c": {"acc,none": 0.75}}}'
exit
`)
	e := b.with(t, func(o *Options) { o.Command.Command = []string{"sh", "evaluate.sh"} })
	c := b.candidate(t, "1", "")
	c.Merge = "m1"
	ask := func(task string, paid int) {
		t.Helper()
		c.ID, c.Tasks = fmt.Sprintf("STUDY-1-%d", c.Attempt), []string{task}
		e.measureAll(t, c).is(t, c, evaluator.Done, "")
		if got := b.paid("1"); got != paid {
			t.Errorf("%s: measured %d times, expected %d", task, got, paid)
		}
		c.Attempt++
	}
	ask("a", 1)
	ask("b", 1)
	write(t, b.file("mend"), "")
	ask("b", 2) // once more
	ask("c", 3)
}

// What an evaluation took is the time of its command, by the node's clock, and what it cost is that of its task: without
// the queue. So it is of one that another runner has seen off.
func TestQueueingIsLeftOut(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	let := b.gate(t)
	c := b.candidate(t, "1", "out")
	c.Timed = []string{"took"}
	b.leaveWhen(t, b.with(t, nil), []evaluator.Candidate{c}, func() bool { return exists(b.file("started-1")) })
	let()
	e := b.with(t, nil)
	r := e.run(c.ID)
	until(t, "it has ended", func() bool { _, ok := r.result(); return ok })
	res, _ := r.result()
	if res.took() <= 0 || res.held() < res.took() || res.held() > time.Minute {
		t.Errorf("it took %v of %v", res.took(), res.held())
	}
	res.Begun, res.From, res.Ended = "100.5", "130.25", "190.75"
	text := fmt.Sprintf(`{"try": %q, "begun": "100.5", "from": "130.25", "ended": "190.75"}`, res.Try)
	write(t, filepath.Join(r.dir, resultName), text)
	var got evaluator.Event
	if _, err := e.Recover(t.Context(), []evaluator.Candidate{c}, func(ev evaluator.Event) error { got = ev; return errors.New("not on record") }); err != nil {
		t.Fatal(err)
	}
	again := e.measureAll(t, c).finals[c.Key]
	for _, ev := range []evaluator.Event{got, again} {
		if ev.State != evaluator.Done || ev.Metrics["took"].Value != 60.5 || ev.Elapsed != 90250*time.Millisecond {
			t.Errorf("%+v, expected 60.5 s of 90.25 s", ev)
		}
	}
}

// A queue that does not answer is not asked faster for what is to be cancelled.
func TestCancellingIsPatient(t *testing.T) {
	t.Parallel()
	b := newBench(t, t.TempDir())
	b.gate(t)
	e := b.with(t, func(o *Options) { o.Poll = 2 * time.Second })
	c := b.candidate(t, "1", "out")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		until(t, "it runs", func() bool { return exists(b.file("started-1")) })
		b.slurm.Set(t, "down", "x")
		cancel()
	}()
	if err := e.Submit(ctx, []evaluator.Candidate{c}, func(evaluator.Event) error { return nil }); err != nil {
		t.Fatal(err)
	}
	before := b.slurm.Calls("squeue")
	begin := time.Now()
	until(t, "it is asked again", func() bool { return b.slurm.Calls("squeue") >= before+3 })
	if took := time.Since(begin); took < 3*time.Second {
		t.Errorf("a queue that does not answer is asked three times within %v", took)
	}
	b.slurm.Set(t, "down", "")
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}
