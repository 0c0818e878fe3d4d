package merge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"parfait/internal/stage"
	"parfait/merge/codes"
	"parfait/merge/safetensors"
)

// WriteOptions say how to write; the zero value is right for candidates.
type WriteOptions struct {
	Durable   bool  // fsync files and folders before the rename
	Workers   int   // 0: as many as there are processors, at most 8; never changes a byte
	ShardSize int64 // bytes of tensors a file; 0: 5 GB
	// Owner says who writes. What the same owner left beside a target that died before it was done is taken away, and
	// nothing of anybody else's. "": whoever writes to the same target.
	Owner string

	disk stage.Disk // nil: the operating system's
	hash bool       // hash what is read and written
}

// defaultShardSize is the most bytes of tensors that one file holds.
const defaultShardSize = 5_000_000_000

// Write makes all outputs in one pass over the inputs: either all of them appear under their names,
// or none does and nothing is left. The inputs are read once for element-wise methods. progress may be
// nil; it is called a few times a second from one goroutine.
func (p *Plan) Write(ctx context.Context, outs []Output, o WriteOptions, progress func(Progress)) ([]Written, error) {
	if len(outs) == 0 {
		return nil, nil
	}
	j, err := p.stage(ctx, outs, o, progress)
	if err != nil {
		return nil, err
	}
	if err := j.commit(ctx, o.Durable); err != nil {
		return nil, err
	}
	written := make([]Written, len(j.outs))
	for i, out := range j.outs {
		written[i] = out.written()
		written[i].Notes, written[i].Zeros, written[i].Cut = j.notes, j.sparsity(i), j.cut(i)
	}
	return written, nil
}

// stage writes the outputs into staging folders beside their targets. With an error nothing is left.
func (p *Plan) stage(ctx context.Context, outs []Output, o WriteOptions, progress func(Progress)) (*job, error) {
	if o.disk == nil {
		o.disk = stage.OS{}
	}
	if o.ShardSize <= 0 {
		o.ShardSize = defaultShardSize
	}
	list := make([]*output, len(outs))
	for i, out := range outs {
		list[i] = &output{Output: out}
		list[i].Target = filepath.Clean(out.Target)
	}
	j, err := newJob(p, list, o.Workers)
	if err != nil {
		return nil, err
	}
	j.shardSize = o.ShardSize
	shards, err := p.shards(o.ShardSize)
	if err != nil {
		return nil, formatProblems(p.layoutInput().path, err)
	}
	sidecars, err := p.sidecars()
	if err != nil {
		return nil, err
	}
	for _, out := range list {
		out.token = tokenOf(o.Owner, out.Target)
	}
	if err := p.checkTargets(list, sidecars); err != nil {
		return nil, err
	}
	if err := j.stageAll(ctx, o, shards, sidecars, progress); err != nil {
		return nil, errors.Join(err, j.abandon())
	}
	return j, nil
}

// commit makes the outputs appear. With an error nothing is left.
func (j *job) commit(ctx context.Context, durable bool) error {
	err := ctx.Err()
	for _, out := range j.outs {
		if err == nil {
			err = out.stage.Commit(durable)
		}
	}
	if err != nil {
		return errors.Join(writeProblem("", err), j.abandon())
	}
	for _, out := range j.outs {
		out.stage.Close()
	}
	return nil
}

// abandon removes what there is of the outputs.
func (j *job) abandon() error {
	var errs []error
	for _, out := range j.outs {
		errs = append(errs, out.abandon())
	}
	return errors.Join(errs...)
}

// stageAll writes everything into the staging folders.
func (j *job) stageAll(ctx context.Context, o WriteOptions, shards []safetensors.Shard, sidecars []sidecar, progress func(Progress)) error {
	for _, out := range j.outs {
		if err := out.begin(o.disk, shards, o.Durable); err != nil {
			return err
		}
	}
	if o.hash {
		j.hashAll()
	}
	return j.fill(ctx, sidecars, o.Durable, progress)
}

// fill writes what belongs into the files that have begun, and what belongs beside them.
func (j *job) fill(ctx context.Context, sidecars []sidecar, durable bool, progress func(Progress)) error {
	if err := j.prepareMatrices(ctx, progress); err != nil {
		return err
	}
	total := j.bytes()
	if total == 0 { // everything was prepared
		progress = nil
	}
	j.meter = startMeter("merge", total, progress)
	err := j.run(ctx)
	j.meter.end(err == nil)
	if err != nil {
		return err
	}
	if err := j.plan.unchanged(); err != nil {
		return err
	}
	for _, out := range j.outs {
		for _, f := range sidecars {
			if err := f.into(out, durable); err != nil {
				return err
			}
		}
		if err := out.finish(ctx, durable); err != nil {
			return err
		}
	}
	return nil
}

// bytesWith is what an output takes with the files beside its weights.
func (p *Plan) bytesWith(sidecars []sidecar) int64 {
	size := p.Bytes()
	for _, f := range sidecars {
		size += f.size()
	}
	return size
}

// checkTargets says everything that keeps the outputs from being written where they are to go.
func (p *Plan) checkTargets(list []*output, sidecars []sidecar) error {
	var found problems
	each := p.bytesWith(sidecars)
	need := map[string]int64{}
	seen := map[string]bool{}
	for _, out := range list {
		if seen[out.Target] {
			found.add(codes.Duplicate, out.Target, "two outputs go to one folder", "a folder for each", "")
		}
		seen[out.Target] = true
		dir := parent(out.Target)
		need[dir] += each
		found.list = append(found.list, checkTarget(out.Target)...)
	}
	left := map[string][]string{}
	for _, out := range list { // what a dead process left may be what fills the disk
		dir := parent(out.Target)
		_, left[dir], _ = stage.Clean(dir, out.token)
	}
	for _, dir := range sortedKeys(need) {
		if free, _, err := stage.Space(dir); err == nil && free < need[dir] {
			fix := "make room or write somewhere else"
			if len(left[dir]) > 0 {
				fix += "; " + strings.Join(left[dir], ", ") + " was left half-written by another merge that has died: delete it if it is yours"
			}
			found.add(codes.Space, dir, fmt.Sprintf("%s are free", stage.Bytes(free)), fmt.Sprintf("%s for what is to be written", stage.Bytes(need[dir])), fix)
		}
	}
	return found.err()
}

// tokenOf marks what an owner writes, or whoever writes to the target.
func tokenOf(owner, target string) string {
	if owner != "" {
		return stage.Token("owner", owner)
	}
	if abs, err := filepath.Abs(target); err == nil {
		target = abs
	}
	return stage.Token("target", target)
}

// checkTarget says everything that keeps a folder from being made at target, without making it.
func checkTarget(target string) []Problem {
	if _, err := os.Lstat(target); err == nil {
		return []Problem{{Code: codes.Exists, Where: target, What: "it exists already", Expected: "a new folder: nothing is ever overwritten", Fix: "choose another name or move the old one away"}}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return []Problem{{Code: codes.Permission, Where: target, What: "it cannot be looked at: " + reason(err), Fix: "choose another folder"}}
	}
	dir := parent(target)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Problem{{Code: codes.Open, Where: dir, What: "the folder does not exist", Expected: "the folder that the target is made in", Fix: "make it with mkdir -p"}}
	case err != nil:
		return []Problem{{Code: codes.Permission, Where: dir, What: "it cannot be looked at: " + reason(err), Fix: "choose another folder"}}
	case !info.IsDir():
		return []Problem{{Code: codes.Open, Where: dir, What: "it is a file", Expected: "a folder", Fix: "choose another target"}}
	}
	if err := stage.Writable(dir); err != nil {
		return []Problem{{Code: codes.Permission, Where: dir, What: "it may not be written: " + reason(err), Expected: "a folder that may be written", Fix: "choose another folder or change its permissions"}}
	}
	return nil
}

// bytes is about how much will be read and written: tensors with statistics are read twice.
func (j *job) bytes() int64 {
	n := int64(len(j.outs)) * j.plan.Bytes()
	for _, t := range j.plan.matrices {
		n -= int64(len(j.outs)) * t.bytes()
	}
	copied, merged := j.plan.byRole()
	merged = j.plan.unprepared(merged)
	for _, t := range copied {
		n += t.layout.tensor.Size
	}
	for _, t := range merged {
		n += j.plan.reads(t, j.uses(t).need)
	}
	for _, t := range j.scanned(merged) {
		n += j.plan.reads(t, j.uses(t).need)
	}
	return n
}
