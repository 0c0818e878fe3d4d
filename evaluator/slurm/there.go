//go:build linux || darwin

package slurm

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"parfait/evaluator"
	"parfait/evaluator/internal/report"
)

// Differs is the failure of a candidate that was merged on a node to other bytes than here, or than before.
const Differs evaluator.Code = "merged_otherwise"

// What lies in Options.Folder where tasks merge.
const (
	programPrefix = "program-"     // this program, under its SHA-256: what is installed meanwhile is another
	mergedName    = "merged.jsonl" // a line for every merge that was made there
)

// What a task that merges leaves in the folder of its try.
const (
	mergeName     = "merge.json" // what `parfait merge --json` has said
	processorName = "processor"  // on what kind
	fullName      = "full"       // there where the node's disk had no room
)

// merging is what is known of merges on the nodes.
type merging struct {
	program string // its copy; this and its SHA-256 are under cluster.mu
	sum     string

	mu       sync.Mutex        // held while a merge is made here to be compared with
	compared map[string]bool   // kinds of processors one of whose merges is, byte for byte, what it is here; with formFlags
	digests  map[string]string // of merges that were made, by Candidate.Merge with formFlags
}

// mergedThere is a line of mergedName.
type mergedThere struct {
	Merge     string `json:"merge"`
	Form      string `json:"form,omitempty"` // formFlags
	Digest    string `json:"digest"`         // SHA-256 of the names and hashes of the files of weights
	Node      string `json:"node"`
	Processor string `json:"processor"`
	Program   string `json:"program"`            // its SHA-256
	Compared  bool   `json:"compared,omitempty"` // with the merge made here
}

// mergesThere says whether the task merges this candidate itself. An export is there already.
func (e *cluster) mergesThere(c evaluator.Candidate) bool { return e.options.There && c.Written == "" }

// bring puts this program where the nodes find it, the same whatever is installed meanwhile, and reads what is known of
// merges there.
func (e *cluster) bring() (err error) {
	m := &e.merging
	from := e.options.Program
	if from == "" {
		if from, err = os.Executable(); err != nil {
			return evaluator.Errorf(evaluator.CannotStart, "this program, which is to merge on the nodes, cannot be found: %w", err)
		}
	}
	if err := os.MkdirAll(e.options.Folder, 0o755); err != nil {
		return err
	}
	part := filepath.Join(e.options.Folder, fmt.Sprintf(".%s%d", programPrefix, os.Getpid()))
	if m.sum, err = copyProgram(from, part); err != nil {
		return errors.Join(evaluator.Errorf(evaluator.CannotStart, "this program cannot be copied to %s, where the nodes are to find it for merging: %w", e.options.Folder, err), os.RemoveAll(part))
	}
	m.program = filepath.Join(e.options.Folder, programPrefix+m.sum[:16])
	if err := os.Rename(part, m.program); err != nil || m.digests != nil {
		return err
	}
	m.compared, m.digests = map[string]bool{}, map[string]string{}
	f, err := os.Open(filepath.Join(e.options.Folder, mergedName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line mergedThere
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue // one that was being written
		}
		m.digests[line.Merge+line.Form] = line.Digest
		if line.Compared && line.Program == m.sum {
			m.compared[line.Processor+line.Form] = true
		}
	}
	return nil
}

// hasProgram brings the program again where somebody has deleted it.
func (e *cluster) hasProgram() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := os.Stat(e.merging.program); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return e.bring()
}

// copyProgram copies a program, and returns its SHA-256.
func copyProgram(from, to string) (sum string, err error) {
	in, err := os.Open(from)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, h), in)
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, out.Sync(), out.Close())
}

// mergeScript is what a task does first that merges itself: %[1]s is the program, %[2]s its SHA-256, %[3]s the folders of
// the node's own disk that may serve, %[4]s the first part of what it makes there, %[5]s flags. What is merged is deleted
// with its evaluation, or when the task ends; what a task has left that was killed, the next one on the node
// deletes. The names there are of one study, one host, one job and one process.
const mergeScript = `program=%[1]s
trap '[ -z "$room" ] || rm -rf "$room"' EXIT
place() { # $room: a folder on the node's own disk
	for dir in %[3]s; do
		[ -n "$dir" ] && mkdir -p "$dir" 2>/dev/null && [ -w "$dir" ] && break
	done
	for left in "$dir/"%[4]s"-$(uname -n)-"*; do
		grep -q . "/proc/${left##*-}/cmdline" 2>/dev/null || rm -rf "$left" # of a zombie it is empty
	done
	room=$dir/%[4]s-$(uname -n)-${SLURM_JOB_ID:-0}-$$
	mkdir "$room" 2>/dev/null || { room=; return 1; }
}
merged() {
	sum=$(sha256sum <"$program")
	[ "${sum%%%% *}" = %[2]s ] || { fault=', "code": "cannot_start", "error": "the program that is to merge, '$program', is not on the node '$node' what it is for the runner: does the node see the same folder?"'; return 1; }
	[ -n "$room" ] || place || { : >"$run/$try/full"; full=1; return 1; }
	{ uname -m; sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1; } >"$run/$try/processor"
	export PARFAIT_MODEL="$room/$id"
	"$program" merge "$run/recipe.json" "$PARFAIT_MODEL" --json%[5]s </dev/null >"$run/$try/merge.json" 2>"$run/$try/stderr" &
	merging=1
	await
	merging=
	case $status in
	0) return 0 ;;
	8) : >"$run/$try/full"; full=1; return 1 ;; # another node may have room
	esac
	fault=', "merging": true'
	return 1
}
`

// mergeScript is the script for the tasks of an array, "" where they do not merge.
func (e *cluster) mergeScript() string {
	if !e.options.There {
		return ""
	}
	dirs := `"$SLURM_TMPDIR" "$TMPDIR" /tmp`
	if e.options.NodeDir != "" {
		dirs = `"` + e.options.NodeDir + `"`
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return fmt.Sprintf(mergeScript, quoted(e.merging.program), e.merging.sum, dirs, e.jobName(), e.formFlags())
}

// formFlags are the flags of `parfait merge` for the form in which candidates are merged: a merge has other bytes in each.
func (e *cluster) formFlags() string {
	o := e.options.Command
	switch {
	case o.Form != evaluator.Adapter:
		return ""
	case o.MaxRank > 0:
		return fmt.Sprintf(" --form adapter --max-rank %d", o.MaxRank)
	}
	return " --form adapter"
}

// takeAway deletes the copy of this program, once no task needs it.
func (e *cluster) takeAway() {
	e.mu.Lock() // a question that comes meanwhile has its folder before it looks for the program
	defer e.mu.Unlock()
	for _, prefix := range []string{runPrefix, arrayPrefix} {
		if left, _ := filepath.Glob(filepath.Join(e.options.Folder, prefix+"*")); len(left) > 0 {
			return
		}
	}
	if e.merging.program != "" {
		_ = os.Remove(e.merging.program) // it is brought again
	}
}

// full says whether a task has found no room on its node.
func (r run) full(array string) bool {
	found, _ := filepath.Glob(filepath.Join(r.dir, tryPrefix+array+"-*", fullName))
	return len(found) > 0
}

// saidOfMerge is why `parfait merge --json` has failed, in its own words.
func saidOfMerge(try string) string {
	text, _ := os.ReadFile(filepath.Join(try, "stderr"))
	for line := range strings.Lines(string(text)) {
		var said struct {
			Error struct{ What, Fix string } `json:"error"`
		}
		if json.Unmarshal([]byte(line), &said) == nil && said.Error.What != "" {
			return report.Printable(strings.TrimSuffix(said.Error.What+" ("+said.Error.Fix+")", " ()"))
		}
	}
	return report.Printable(strings.TrimSpace(string(text)))
}

// compare holds the hashes of what was merged on a node against those of the same merge before, and the first merge on
// every kind of processor against the merge made here. They are in the candidate's log, and a line for each is kept.
func (e *cluster) compare(ctx context.Context, c evaluator.Candidate, r run, res result) error {
	try := filepath.Join(r.dir, res.Try)
	if res.Merging {
		return evaluator.Errorf(evaluator.NoModel, "the candidate could not be merged on the node %s (exit status %d): %s", res.Node, res.Status, saidOfMerge(try))
	}
	there, err := digestsOf(filepath.Join(try, mergeName))
	if err != nil {
		return evaluator.Errorf(evaluator.NoModel, "what was merged on the node %s cannot be told: %w", res.Node, err)
	}
	b, _ := os.ReadFile(filepath.Join(try, processorName)) // one that is not known is a kind, too
	e.mu.Lock()
	sum := e.merging.sum
	e.mu.Unlock()
	line := mergedThere{Merge: c.Merge, Form: e.formFlags(), Digest: digestOf(there), Node: res.Node, Processor: strings.Join(strings.Fields(string(b)), " "), Program: sum}
	merge, kind := line.Merge+line.Form, line.Processor+line.Form
	e.merging.mu.Lock()
	defer e.merging.mu.Unlock()
	before, again := e.merging.digests[merge]
	again = again && c.Merge != ""
	if again && before != line.Digest {
		return differs(res, "the same candidate was merged before to files with the digest "+before+", and there to "+line.Digest)
	}
	words := ""
	if !e.merging.compared[kind] && c.Digests != nil {
		here, err := c.Digests(ctx, e.options.Command.Form)
		if err != nil {
			return evaluator.Errorf(evaluator.NoModel, "the merge cannot be made here to be compared with that on %s: %w", res.Node, err)
		}
		for _, name := range slices.Sorted(maps.Keys(here)) {
			if there[name] != here[name] {
				return differs(res, fmt.Sprintf("%s has the hash %s there and %s here", name, there[name], here[name]))
			}
		}
		line.Compared = true
		words = ": the same bytes as merged here"
	}
	if log, err := evaluator.OpenLog(c.Log, 0); err == nil {
		log.Say("merged on %s (%s), digest %s%s", res.Node, line.Processor, line.Digest, words)
		log.Close()
	}
	if again && !line.Compared {
		return nil
	}
	if err := appendLine(filepath.Join(e.options.Folder, mergedName), line); err != nil {
		return evaluator.Errorf(evaluator.Internal, "what was merged there cannot be noted: %w", err)
	}
	e.merging.digests[merge] = line.Digest
	e.merging.compared[kind] = e.merging.compared[kind] || line.Compared
	return nil
}

func differs(res result, what string) error {
	err := evaluator.Errorf(Differs, "the node %s (task %s) has merged to other bytes: %s; a recipe has to give the same bytes everywhere: keep both, report it, and go on with materialise: here", res.Node, res.Job, what)
	err.Setup, err.Option = true, "materialise"
	return err
}

// digestsOf are the hashes of the files of weights in what `parfait merge --json` has said.
func digestsOf(path string) (map[string]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var said struct {
		Files []struct{ Name, Hash string }
	}
	if err := json.Unmarshal(b, &said); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, f := range said.Files {
		if filepath.Ext(f.Name) == ".safetensors" {
			out[f.Name] = f.Hash
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no file of weights is named")
	}
	return out, nil
}

// digestOf is one digest of the hashes of files.
func digestOf(files map[string]string) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		_, _ = fmt.Fprintf(h, "%s %s\n", name, files[name]) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil))
}

// appendLine adds a line to a file, lasting.
func appendLine(path string, line any) (err error) {
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err = f.Write(append(b, '\n')); err != nil {
		return err
	}
	return f.Sync()
}
