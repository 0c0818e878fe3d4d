package merge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/zeebo/xxh3"

	"parfait/internal/stage"
	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// Prepared is one model that was written.
type Prepared struct {
	Target string
	Receipt
}

// Unfinished is the error of a preparation that stopped with matrices written: they stay beside the target, and the same
// call goes on with the others.
type Unfinished struct {
	Folder   string
	Done, Of int // matrices
	Err      error
}

func (u *Unfinished) Error() string { return u.Err.Error() }

// Unwrap gives what it stopped for.
func (u *Unfinished) Unwrap() error { return u.Err }

// Prepare writes what is prepared: for tsv and knots a folder target with a model in it for each of the models, by their
// names, so that task arithmetic on them is the method; for iso-c and iso-cts one model, of the sum of all task vectors.
// Every model is checked and has its recipe and receipt, as Export has it; the folder appears whole or not at all. What an
// earlier call for the same target had written when it was ended is taken up, if models, options and program are the same:
// the error is *Unfinished then.
func (p *Plan) Prepare(ctx context.Context, target string, o ExportOptions, progress func(Progress)) ([]Prepared, error) {
	target = filepath.Clean(target)
	names, outs := p.preparedOutputsAt(target)
	j, err := newJob(p, outs, o.Workers)
	if err != nil {
		return nil, err
	}
	if j.shardSize = o.ShardSize; j.shardSize <= 0 {
		j.shardSize = defaultShardSize
	}
	shards, err := p.shards(j.shardSize)
	if err != nil {
		return nil, formatProblems(p.layoutInput().path, err)
	}
	sidecars, err := p.sidecars()
	if err != nil {
		return nil, err
	}
	if err := CheckTarget(target); err != nil {
		return nil, err
	}
	folder, begun, err := stage.Resume(target)
	switch {
	case errors.Is(err, stage.ErrTaken):
		return nil, Problem{Code: codes.Exists, Where: target, What: "another process is writing it", Expected: "one writer", Fix: "wait for it, or choose another folder"}
	case err != nil:
		return nil, writeProblem(target, err)
	}
	defer folder.Close()
	j.ledger, err = openLedger(folder.Path("")+".journal", p.begunAs(names, shards), begun)
	if err != nil {
		return nil, err
	}
	made, err := j.writePrepared(ctx, folder, names, o, shards, sidecars, progress)
	if err == nil {
		return made, nil
	}
	if n := j.ledger.count(); n > 0 {
		return nil, &Unfinished{folder.Path(""), n, len(p.matrices), errors.Join(err, j.closeFiles(), j.ledger.close(false))}
	}
	return nil, errors.Join(err, j.closeFiles(), j.ledger.close(true), folder.Discard())
}

// CheckTarget says everything that keeps a folder from being made at target, without making it; its parents need not be there.
func CheckTarget(target string) error {
	dir := filepath.Clean(target)
	for {
		if _, err := os.Lstat(parent(dir)); !errors.Is(err, fs.ErrNotExist) || dir == parent(dir) {
			break
		}
		dir = parent(dir)
	}
	found := problems{list: checkTarget(dir)}
	return found.err()
}

// preparedOutputsAt are the outputs, and the folders of the target that they are in.
func (p *Plan) preparedOutputsAt(target string) (names []string, outs []*output) {
	if !p.r.spec.Prepare.each() {
		return []string{""}, []*output{{Output: Output{At: p.everywhere(1), Target: target}}}
	}
	for _, m := range p.r.spec.Models {
		at := p.everywhere(0)
		at[m.Name] = 1
		names = append(names, m.Name)
		outs = append(outs, &output{Output: Output{At: at, Target: filepath.Join(target, m.Name)}})
	}
	return names, outs
}

// everywhere gives every model's coefficient one value.
func (p *Plan) everywhere(v float64) map[string]float64 {
	at := map[string]float64{}
	for _, m := range p.r.spec.Models {
		at[m.Name] = v
	}
	return at
}

// writePrepared writes everything into the folder and gives it its name.
func (j *job) writePrepared(ctx context.Context, folder *stage.Folder, names []string, o ExportOptions, shards []safetensors.Shard, sidecars []sidecar, progress func(Progress)) ([]Prepared, error) {
	if err := j.checkSpace(parent(folder.Path("")), sidecars); err != nil {
		return nil, err
	}
	if j.ledger.count() == 0 {
		if err := empty(folder.Path("")); err != nil {
			return nil, err
		}
	}
	for k, out := range j.outs {
		out.stage = stage.Existing(resumed{}, folder.Path(names[k]))
		if err := out.takeUp(shards); err != nil {
			return nil, err
		}
	}
	j.hashAll()
	if err := j.ledger.check(ctx, j); err != nil {
		return nil, err
	}
	if err := j.fill(ctx, sidecars, true, progress); err != nil {
		return nil, err
	}
	made := make([]Prepared, len(j.outs))
	for k, out := range j.outs {
		if err := out.addIndex(shards, true); err != nil {
			return nil, err
		}
		r, err := j.seal(ctx, k, o, progress)
		if err != nil {
			return nil, err
		}
		data, err := r.JSON()
		if err == nil {
			err = out.addFile(ReceiptFile, data, true)
		}
		if err == nil {
			err = stage.OS{}.SyncDir(out.stage.Path(""))
		}
		if err != nil {
			return nil, err
		}
		made[k] = Prepared{out.Target, r}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := folder.Commit(true); err != nil {
		return nil, writeProblem("", err)
	}
	return made, j.ledger.close(true)
}

// checkSpace says where there is too little room, unless it is taken already.
func (j *job) checkSpace(dir string, sidecars []sidecar) error {
	if j.ledger.count() > 0 {
		return nil
	}
	need := j.plan.bytesWith(sidecars) * int64(len(j.outs))
	if free, _, err := stage.Space(dir); err == nil && free < need {
		return Problem{Code: codes.Space, Where: dir, What: stage.Bytes(free) + " are free", Expected: stage.Bytes(need) + " for what is to be written", Fix: "make room or write somewhere else"}
	}
	return nil
}

// empty takes away what is in a folder.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	if err != nil {
		return writeProblem(dir, err)
	}
	return nil
}

// resumed is the disk of files that may be there already.
type resumed struct{ stage.OS }

// Create opens a file, and makes it where it is not there.
func (resumed) Create(path string) (stage.File, error) { return stage.OS{}.Open(path) }

// takeUp begins the weight files, or opens them as an earlier writer left them; everything else of theirs goes.
func (o *output) takeUp(shards []safetensors.Shard) error {
	dir := o.stage.Path("")
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return writeProblem(dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return writeProblem(dir, err)
	}
	for _, e := range entries {
		if !slices.ContainsFunc(shards, func(s safetensors.Shard) bool { return s.Name == e.Name() }) {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return writeProblem(dir, err)
			}
		}
	}
	return o.beginFiles(shards, true)
}

// closeFiles closes what is open.
func (j *job) closeFiles() error {
	var errs []error
	for _, out := range j.outs {
		errs = append(errs, out.finish(context.Background(), false))
	}
	return errors.Join(errs...)
}

// begunAs says what is written: whoever goes on has to want the same.
func (p *Plan) begunAs(names []string, shards []safetensors.Shard) string {
	var inputs []stamp
	for _, in := range p.inputs() {
		for _, s := range in.stat {
			inputs = append(inputs, stamp{Size: s.Size, ModTime: s.ModTime.UTC()})
		}
	}
	data, _ := json.Marshal([]any{toolVersion(), string(p.Recipe(p.everywhere(1)).YAML()), names, shards, inputs}) // all of it is text and numbers
	return shaText(data)
}

// ledger is which matrices are written, with the digests of what stands in each output: a file of lines, each on the disk
// when the matrix is.
type ledger struct {
	path string
	file *os.File

	mu   sync.Mutex
	done map[string][]string
}

type ledgerLine struct {
	Begun  string   `json:"begun,omitempty"` // the first line
	Tensor string   `json:"tensor,omitempty"`
	Sums   []string `json:"sums,omitempty"` // an output
}

// has says whether a matrix is written.
func (l *ledger) has(tensor string) bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.done[tensor] != nil
}

func (l *ledger) count() int { return len(l.done) }

// openLedger goes on with a ledger, or begins one. What was begun as something else is not touched.
func openLedger(path, as string, begun bool) (*ledger, error) {
	l := &ledger{path: path, done: map[string][]string{}}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, writeProblem(path, err)
	}
	good := 0
	for line := range bytes.Lines(data) {
		var said ledgerLine
		if !begun || json.Unmarshal(line, &said) != nil || line[len(line)-1] != '\n' {
			break // the rest was not on the disk
		}
		if good == 0 && said.Begun != as {
			folder := strings.TrimSuffix(path, ".journal")
			return nil, Problem{
				Code: codes.Exists, Where: folder, What: "an unfinished preparation is there, of other models or options or by another version of the program",
				Expected: "the same, to go on with it", Fix: "give the same models and options, or give it up: delete " + folder,
			}
		}
		if good += len(line); said.Tensor != "" {
			l.done[said.Tensor] = said.Sums
		}
	}
	if l.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return nil, writeProblem(path, err)
	}
	err = l.file.Truncate(int64(good))
	if err == nil {
		_, err = l.file.Seek(int64(good), io.SeekStart)
	}
	if err == nil && good == 0 {
		err = l.line(ledgerLine{Begun: as})
	}
	if err != nil {
		return nil, errors.Join(writeProblem(path, err), l.close(false))
	}
	return l, nil
}

func (l *ledger) line(line ledgerLine) error {
	data, err := json.Marshal(line)
	if err == nil {
		_, err = l.file.Write(append(data, '\n'))
	}
	return errors.Join(err, l.file.Sync())
}

// add notes a matrix whose bytes are written, when they are on the disk.
func (l *ledger) add(j *job, t *tensor, sums []string) error {
	if l == nil {
		return nil
	}
	for _, out := range j.outs {
		f := out.files[out.places[t.outName()].file]
		if err := f.file.Sync(); err != nil {
			return writeProblem(f.path, err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.line(ledgerLine{Tensor: t.Name, Sums: sums}); err != nil {
		return writeProblem(l.path, err)
	}
	l.done[t.Name] = sums
	return nil
}

// check reads what an earlier writer has written: what is not as it said is written again.
func (l *ledger) check(ctx context.Context, j *job) error {
	if len(l.done) == 0 {
		return nil
	}
	for _, in := range j.plan.inputs() {
		for _, f := range in.set.Files() {
			j.hash.inputs[f].seen.Store(true) // by the earlier writer
		}
	}
	var mu sync.Mutex
	return each(j.workers, len(j.plan.matrices), func(n int) error {
		t := j.plan.matrices[n]
		mu.Lock()
		sums := l.done[t.Name]
		mu.Unlock()
		for k, sum := range sums {
			if err := ctx.Err(); err != nil {
				return err
			}
			place := j.outs[k].places[t.outName()]
			h := xxh3.New()
			_, err := io.Copy(h, io.NewSectionReader(j.outs[k].files[place.file].file, place.offset, t.bytes()))
			if err != nil || digestText(h.Sum128()) != sum {
				mu.Lock()
				delete(l.done, t.Name)
				mu.Unlock()
				break
			}
		}
		return nil
	})
}

// close closes the ledger, and takes it away where nothing is left to go on with.
func (l *ledger) close(remove bool) error {
	err := l.file.Close()
	if remove {
		err = errors.Join(err, os.Remove(l.path))
	}
	if err != nil {
		return writeProblem(l.path, err)
	}
	return nil
}
