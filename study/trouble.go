package study

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"parfait/evaluator"
	"parfait/internal/stage"
)

// Trouble of our own (no room, no descriptors, no memory, a disk that may not be written) is never a trial's failure.
// The trial stays begun, in the same attempt, until it can be measured: what passes is tried again, later and later;
// what does not ends the run with what to do, once what is being measured has ended.

const (
	firstHold = time.Second // before it is tried again, doubled with each time that fails
	maxHold   = 30 * time.Second
	// maxBlamed is how often a trial is measured again whose evaluator failed itself and perhaps for want of room. It
	// may be to blame: that ends some time.
	maxBlamed = 3
)

// pausedByTrouble is meta.paused where the runner holds by itself, and goes on by itself.
const pausedByTrouble = "trouble"

// trouble is what keeps a trial from being measured and is not its doing.
type trouble struct {
	what   string // in words, with the place
	fix    string
	err    error
	passes bool
	fewer  bool   // perhaps not where fewer are measured at once
	at     string // where room is needed, "" where that is not what it is about
	need   int64  // bytes
}

// says is the trouble in a line.
func (t trouble) says() string {
	text := t.what
	switch {
	case t.at == "":
	case t.roomFor():
		text += ": " + t.room()
	default: // first what changes, and what a narrow screen has to show
		text = t.room() + ": " + t.what
	}
	if t.fix == "" {
		return text
	}
	return text + "; " + t.fix
}

// room says what is free and what is needed, now.
func (t trouble) room() string {
	s, err := stage.Stat(t.at)
	switch {
	case err != nil:
		return err.Error()
	case s.NoFiles():
		return fmt.Sprintf("%s are free, and %d files more may be made (inodes: `df -i`) in %s", stage.Bytes(s.Free), s.Files, t.at)
	case s.Free >= t.need:
		return fmt.Sprintf("%s are free in %s, and yet nothing may be written: a quota (`quota -s`), or a full device below it (`dmesg`)", stage.Bytes(s.Free), t.at)
	}
	return fmt.Sprintf("%s free, %s needed in %s", stage.Bytes(s.Free), stage.Bytes(t.need), t.at)
}

// roomFor says whether what is needed is there, as far as can be seen.
func (t trouble) roomFor() bool {
	if t.at == "" {
		return true
	}
	s, err := stage.Stat(t.at)
	return err != nil || s.Free >= t.need && !s.NoFiles()
}

// error is the trouble as what ends a run.
func (t trouble) error() error {
	code := CodeSpace
	if errors.Is(t.err, fs.ErrPermission) {
		code = CodeReadOnly
	}
	return &Error{Code: code, What: t.what, Err: t.err, Fix: t.fix}
}

// shortage is an error that says how much room there has to be before something is tried again.
type shortage struct {
	problem *Error
	at      string
	need    int64
}

func (s *shortage) Error() string { return s.problem.Error() }

// Unwrap gives the problem, so that it is known by its code.
func (s *shortage) Unwrap() error { return s.problem }

// troubleOf says what is not the trial's doing in the error of its evaluation; false where nothing is.
func (r *runner) troubleOf(e executorEvent, j *job, err error) (trouble, bool) {
	var s *shortage
	if errors.As(err, &s) {
		return trouble{what: s.problem.What, fix: s.problem.Fix, err: err, passes: true, at: s.at, need: s.need}, true
	}
	if t, ok := evaluator.TroubleOf(err); ok {
		out := trouble{what: t.What, fix: t.Fix, err: err, passes: t.Passes, fewer: t.Fewer}
		if t.Errno == syscall.ENOSPC || t.Errno == syscall.EDQUOT {
			out.at, out.need = r.shortest(cmp.Or(placeOf(err), r.dir))
			return fills(e, j, out)
		}
		if path := placeOf(err); path != "" {
			out.what += " (" + path + ")"
		}
		return out, true
	}
	if dir := r.forbidden(err); dir != "" {
		return trouble{what: "nothing may be written in " + dir, fix: stage.Unlock(dir), err: err}, true
	}
	if j.blamed < blames(e) {
		if t, ok := r.suspicion(e, j, err); ok {
			j.blamed++
			return t, true
		}
	}
	return trouble{}, false
}

// fills says whether a disk is full by the doing of the trial itself: what it has printed is more than was missing. Then
// it is measured again only so often.
func fills(e executorEvent, j *job, t trouble) (trouble, bool) {
	if e.disk.held < max(1, t.need) {
		return t, true
	}
	t.what, t.fix = e.disk.filledBy(e.id), lessOutput
	j.blamed++
	return t, j.blamed <= blames(e)
}

// diskSeen is what the disk was like when an evaluation had failed.
type diskSeen struct {
	at   string // where there was too little room, "": nowhere
	need int64  // how much there should have been
	held int64  // by what the evaluation has printed
}

func (d diskSeen) filledBy(id int) string {
	return fmt.Sprintf("trial %d has filled the disk itself, with %s of output", id, stage.Bytes(d.held))
}

const lessOutput = "see whether its evaluator has to print so much"

// diskAfter looks at the disk where an evaluation of a batch has failed. It is called by evaluators.
func (r *runner) diskAfter(batch []evaluator.Candidate, e evaluator.Event) (d diskSeen) {
	if e.State != evaluator.Failed {
		return d
	}
	d.at, d.need = r.shortest("")
	for _, c := range batch {
		if c.Key == e.Key {
			d.held = heldBy(c.Log)
		}
	}
	return d
}

// heldBy is how many bytes of the disk a trial's log takes, and what is kept beside it.
func heldBy(log string) (n int64) {
	left, _ := filepath.Glob(log + evaluator.RunInfix + "*/*")
	for _, path := range append(left, log) {
		if fi, err := os.Stat(path); err == nil {
			if st, ok := fi.Sys().(*syscall.Stat_t); ok {
				n += int64(st.Blocks) * 512 //nolint:unconvert // the types differ between systems
			}
		}
	}
	return n
}

// places are the folders that evaluations and we write to.
func (r *runner) places() []string {
	list := []string{filepath.Join(r.dir, "logs"), r.dir}
	for _, form := range forms {
		if p := r.pools[form]; p != nil {
			list = append(list, p.dir)
		}
	}
	return append(list, os.TempDir())
}

// shortest is the first of the places, at first, where there is too little room to write a log, and how much that
// would be; "" where all have enough. at is returned whatever there is, where it is given.
func (r *runner) shortest(at string) (string, int64) {
	list := r.places()
	if strings.HasPrefix(at, list[0]) {
		at = list[0] // the folders in there go with their trials
	}
	if at != "" {
		list = append([]string{nearest(at)}, list...)
	}
	for i, dir := range list {
		s, err := stage.Stat(dir)
		if err != nil {
			continue
		}
		need := min(minRoom, s.Total/50)
		if s.Free < need || s.NoFiles() || i == 0 && at != "" {
			return dir, need
		}
	}
	return "", 0
}

// minRoom is what a disk has to have free, in bytes, for logs and reports not to fail; a small one a fiftieth of it.
const minRoom = 1 << 20

// nearest is path, or the nearest folder above it that is there.
func nearest(path string) string {
	for {
		if fi, err := os.Stat(path); err == nil && fi.IsDir() || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

// placeOf is the path in an error of the system, "" where none is.
func placeOf(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) && filepath.IsAbs(p.Path) {
		return p.Path
	}
	var e *Error
	if errors.As(err, &e) && filepath.IsAbs(e.Where) {
		return e.Where
	}
	return ""
}

// forbidden is the folder of ours in which nothing may be written, which err comes from; "" where it comes from
// something else: what an evaluator makes and nobody may read is its own affair.
func (r *runner) forbidden(err error) string {
	if !errors.Is(err, fs.ErrPermission) {
		return ""
	}
	path := placeOf(err)
	for _, dir := range []string{filepath.Join(r.dir, "logs"), r.candidates()} {
		if path == dir || strings.HasPrefix(path, dir+string(filepath.Separator)) {
			if at := nearest(filepath.Dir(path)); stage.Writable(at) != nil {
				return at
			}
			if at := nearest(path); stage.Writable(at) != nil {
				return at
			}
		}
	}
	return ""
}

// troubles is what a runner knows of them. Only its loop touches it.
type troubles struct {
	ends  error    // why nothing is started any more; the run ends when nothing is measured
	wait  *waiting // nil: nothing is held
	why   trouble
	next  time.Time // when it is tried again
	delay time.Duration
	tried time.Time // when it was tried, zero: it waits
	base  int       // evaluations at work then: one more may be
	told  bool      // it is in the history
	most  int       // at once, 0: as the evaluators say
	full  time.Time // when a disk was last seen to be full
	ooms  int       // processes that the system has killed for want of memory, as far as we know
}

// meets takes up that a trial met trouble.
func (r *runner) meets(id int, t trouble) {
	h := &r.troubles
	if t.at != "" {
		h.full = time.Now()
	}
	switch busy := r.busy(); {
	case h.ends != nil:
	case !t.passes:
		h.ends = t.error()
		r.note("trial %d waits: %s", id, t.says())
		if busy > 0 {
			r.note("the run ends when what is being measured has ended: %d", busy)
		}
	case t.fewer && busy > 0 && (h.most == 0 || busy < h.most):
		if h.most == 0 {
			r.note("trial %d waits: %s", id, t.says())
		}
		h.most = busy
		r.note("from now on %d at once are measured", busy)
	default:
		r.hold(t)
	}
}

// hold starts nothing until it is worth trying again.
func (r *runner) hold(t trouble) {
	h := &r.troubles
	if h.wait == nil {
		h.wait, h.delay = r.waits("the run waits"), r.firstHold()
	} else if !h.tried.IsZero() {
		h.delay = min(2*h.delay, maxHold)
	}
	h.why, h.tried, h.next = t, time.Time{}, time.Now().Add(h.delay)
	r.sayHeld()
}

func (r *runner) firstHold() time.Duration { return cmp.Or(r.options.hold, firstHold) }

// sayHeld says why nothing is started, to people and, as soon as that can be written, in the history.
func (r *runner) sayHeld() {
	h := &r.troubles
	again := h.wait.say(h.why.says())
	if p := r.hist.meta["paused"]; (again || !h.told) && (p == "" || p == pausedByTrouble) {
		why := clip(h.why.says(), maxNote)
		h.told = r.store.setMeta("paused", map[string]string{"note": why, "paused": pausedByTrouble}) == nil
		if h.told {
			r.hist.meta["paused"], r.hist.meta["note"] = pausedByTrouble, why
		}
		r.changed()
	}
}

// held says whether trouble keeps anything from being started now, or ends the run. It is asked at every tick.
func (r *runner) held() (bool, error) {
	h := &r.troubles
	switch {
	case h.ends != nil && r.busy() > 0:
		return true, nil
	case h.ends != nil:
		return true, h.ends
	case h.wait == nil:
		return false, nil
	case h.told && r.hist.meta["paused"] == "": // a person lets it go on
		h.told, h.next = false, time.Time{}
	}
	now := time.Now()
	switch {
	case !h.tried.IsZero():
		if now.Sub(h.tried) > r.firstHold()+h.delay {
			r.relieved() // nothing has come of it since
		}
		return false, nil
	case !h.why.roomFor():
		h.next, h.full = time.Time{}, now // as soon as there is
		r.sayHeld()
		return true, nil
	case now.Before(h.next):
		r.sayHeld()
		return true, nil
	}
	h.tried, h.base = now, r.busy()
	return false, nil
}

// relieved ends a hold.
func (r *runner) relieved() {
	h := &r.troubles
	if h.wait == nil {
		return
	}
	h.wait.over()
	if r.hist.meta["paused"] == pausedByTrouble && r.store.setMeta("resumed", map[string]string{"note": "", "paused": ""}) == nil {
		r.hist.meta["paused"], r.hist.meta["note"] = "", ""
		r.changed()
	}
	h.wait, h.tried, h.told = nil, time.Time{}, false
}

// troubled keeps the trouble that made an evaluation end, if that is what it was. The trial stays open in the executor
// until that has cleaned up and given back what it held.
func (r *runner) troubled(e executorEvent, j *job, err error) bool {
	if j.ctx.Err() != nil || j.trouble == nil {
		return false
	}
	t, ok := r.troubleOf(e, j, err)
	if ok {
		j.trouble[e.executor] = t
	}
	return ok
}

// returned makes trials wait that met trouble in an executor, now that it has given back what it held for them.
func (r *runner) returned(x *executor, batch []evaluator.Candidate) {
	for _, c := range batch {
		id := trialOf(c.Key)
		j := r.jobs[id]
		if j == nil || j.attempt != c.Attempt {
			continue
		}
		t, ok := j.trouble[x]
		if !ok {
			continue
		}
		delete(j.trouble, x)
		delete(j.open, x)
		j.held = true
		x.busy--
		if j.ctx.Err() == nil {
			r.progress[id] = evaluator.Progress{Note: clip("waits: "+t.what, maxNote)}
			r.giveBack(id, t)
			r.meets(id, t)
		}
		r.settle(r.hist.trial(id), j, outcome{})
	}
}

// giveBack deletes what is kept on the disk for a trial that waits, where it waits for room; and what is kept for
// others that are not being measured: it is made again.
func (r *runner) giveBack(id int, t trouble) {
	for _, p := range r.pools {
		said := func(err error) { r.note("candidates: %v", err) }
		if t.at != "" {
			p.shed(said)
		} else if p.lost(id) {
			p.done(id, said)
		}
	}
}

// busy is how many evaluations are in evaluators.
func (r *runner) busy() (n int) {
	for _, x := range r.executors {
		n += x.busy
	}
	return n
}

// mayStart is how many evaluations may be started beside those at work: one, to try, where something has kept them.
func (r *runner) mayStart() int {
	h, n := &r.troubles, math.MaxInt
	if h.most > 0 {
		n = max(0, h.most-r.busy())
	}
	if h.wait != nil {
		n = min(n, max(0, h.base+1-r.busy()))
	}
	return n
}
