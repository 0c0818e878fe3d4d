package study

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"parfait/evaluator"
	"parfait/internal/stage"
	"parfait/merge"
)

// Merged models for evaluators go to memory (a tmpfs) where study.yaml does not say where, they are so large that a disk
// would be waited for, and there is room for those that are needed at once in half of what programs may still take. Where
// an evaluator measures on another machine, they do not.

// memory is a place in memory, and what is known of it. Tests put another in its place.
type memory struct {
	dir       string                // a tmpfs that everybody may write to
	least     int64                 // bytes of a model below which a disk does as well: it is in memory, too, for as long as it lives
	available func() (int64, error) // bytes that programs may still take
}

// sharedMemory is that of this machine; without a folder where it has none.
func sharedMemory() memory {
	m := memory{dir: "/dev/shm", least: 256 << 20, available: availableMemory}
	if fsys, err := stage.FileSystemOf(m.dir); err != nil || fsys.Name != "tmpfs" {
		m.dir = ""
	}
	return m
}

// home is the folder of this user's studies, which has to be nobody else's.
func (m memory) home() string { return filepath.Join(m.dir, fmt.Sprintf("parfait-%d", os.Getuid())) }

// inMemory is the study's folder there, "" where it has none.
func (s *Study) inMemory(m memory) string {
	own, err := s.token()
	if m.dir == "" || err != nil {
		return ""
	}
	return filepath.Join(m.home(), filepath.Base(s.dir)+"-"+own.String())
}

// placed is where models go, and why, in words; "" where nobody needs to be told.
type placed struct {
	dir string // "": to the disk
	max int64  // bytes that they may take there
	why string
}

// place says where the models of a plan go, which evaluators want in a form.
func (r *runner) place(plan *merge.Plan, form evaluator.Form) placed {
	m, size := r.memory, plan.Bytes()
	atOnce, elsewhere := 0, false
	for _, x := range r.executors {
		if x.needs(form) {
			lim := x.eval.Limits()
			atOnce, elsewhere = atOnce+lim.InFlight, elsewhere || lim.Elsewhere
		}
	}
	dir := r.inMemory(m)
	if r.spec().Candidates.Path != "" || dir == "" || size < m.least {
		return placed{}
	}
	need := size * int64(atOnce+1) // one is deleted while the next is written
	if r.spec().Candidates.Max > 0 {
		need = min(need, r.spec().Candidates.Max)
	}
	each := fmt.Sprintf("merged models take %s each, %s for the %d that are measured at once and one more", stage.Bytes(size), stage.Bytes(need), atOnce)
	onDisk := func(why string) placed {
		return placed{why: fmt.Sprintf("%s, and go to the disk, %s: %s", each, r.candidates(), why)}
	}
	if elsewhere {
		return onDisk("they may be measured on another machine or in a container")
	}
	if err := m.own(); err != nil {
		return onDisk(err.Error())
	}
	available, err := m.available()
	if err != nil {
		return onDisk("how much memory is available is not known: " + err.Error())
	}
	free, _, err := stage.Space(m.dir)
	if err != nil {
		return onDisk(err.Error())
	}
	if room := min(free, available/2) - r.reserved; room < need {
		return onDisk(fmt.Sprintf("memory has %s for them (half of what is available, and what is free in %s)", stage.Bytes(max(0, room)), m.dir))
	}
	r.reserved += need
	return placed{dir: dir, max: need, why: fmt.Sprintf("%s, and go to memory, %s, of which %s are available; `candidates: {path: candidates}` in study.yaml keeps them on the disk", each, dir, stage.Bytes(available))}
}

// own makes the folder of this user, or says why it is not his alone.
func (m memory) own() error {
	home := m.home()
	if err := os.Mkdir(home, 0o700); err == nil {
		return nil
	}
	info, err := os.Lstat(home)
	if err != nil {
		return err
	}
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 || !ownedByUs(info) {
		return &fs.PathError{Op: "use", Path: home, Err: fmt.Errorf("it is not a folder that is ours alone (0700)")}
	}
	return nil
}

// foreign says whether the folder of this user is another's, or not there.
func (m memory) foreign() bool {
	info, err := os.Lstat(m.home())
	return err != nil || !info.IsDir() || !ownedByUs(info)
}

// memoryOf is what is given, or this machine's.
func memoryOf(given *memory) memory {
	if given != nil {
		return *given
	}
	return sharedMemory()
}
