package study

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"parfait/search"
)

// asked is what a study.yaml asks for. Nobody changes one.
type asked struct {
	spec     *Spec
	space    search.Space
	identity string // of what is measured, as JSON
	text     []byte // as it stands in the file
}

// readAsked reads and checks dir/study.yaml.
func readAsked(dir string) (*asked, error) {
	path := filepath.Join(dir, SpecFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, notAStudy(dir, err)
	}
	var pinned map[string]string
	if bytes.Contains(text, []byte("glob")) {
		pinned = pinnedModels(dir)
	}
	spec, err := parseSpec(path, text, pinned)
	if err != nil {
		return nil, err
	}
	space, err := spec.space()
	if err != nil {
		return nil, err
	}
	return &asked{spec, space, mustJSON(spec.identity(space)), text}, nil
}

// sum is the text's.
func (a *asked) sum() string {
	sum := sha256.Sum256(a.text)
	return hex.EncodeToString(sum[:8])
}

// sameColumns says whether both have the same tasks and coefficients, in the same order.
func (a *asked) sameColumns(b *asked) bool {
	return slices.EqualFunc(a.spec.Tasks, b.spec.Tasks, func(s, t Task) bool { return s.Name == t.Name }) &&
		slices.EqualFunc(a.space.Coefficients, b.space.Coefficients, func(c, d search.Coefficient) bool { return c.Name == d.Name })
}

// edition tells one state of a file from another by what a look at the folder shows.
type edition struct {
	changed time.Time
	size    int64
	inode   uint64
}

// editionOf is the zero edition where the file cannot be seen.
func editionOf(path string) edition {
	fi, err := os.Stat(path)
	if err != nil {
		return edition{}
	}
	e := edition{changed: fi.ModTime(), size: fi.Size()}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		e.inode = st.Ino
	}
	return e
}

// sheet is study.yaml as it was read last, which is not always what is in use: it may be broken, or ask for
// something else than was measured.
type sheet struct {
	edition edition
	asked   *asked
	err     error // why it cannot be used
}

// readSheet reads dir/study.yaml. Where its text is that of before, so is what it asks.
func readSheet(dir string, before *asked) sheet {
	s := sheet{edition: editionOf(filepath.Join(dir, SpecFile))} // first: what is written meanwhile is read again
	s.asked, s.err = readAsked(dir)
	if s.err == nil && before != nil && bytes.Equal(s.asked.text, before.text) {
		s.asked = before
	}
	return s
}

// spec is what study.yaml asks, as it is in use.
func (s *Study) spec() *Spec { return s.asked.Load().spec }

// space is where the coefficients live.
func (s *Study) space() search.Space { return s.asked.Load().space }

// edited says whether study.yaml is another than the one that was read last, and which. While this process
// runs the study it stays with the one that it has begun with.
func (s *Study) edited() (bool, edition) {
	now := editionOf(filepath.Join(s.dir, SpecFile))
	s.loading.Lock()
	defer s.loading.Unlock()
	return now != s.sheet.edition && !s.runs.Load(), now
}

// reread reads study.yaml again.
func (s *Study) reread() {
	s.loading.Lock()
	defer s.loading.Unlock()
	s.sheet = readSheet(s.dir, s.asked.Load())
}

// adopt takes study.yaml into use, as it was read last, for the history h. It says why it cannot be, and
// whether what is in use then is what h was measured with. The caller holds loading.
func (s *Study) adopt(h *record) (fits bool, err error) {
	for again := range 2 {
		if err = s.sheet.err; err == nil {
			err = s.sheet.asked.against(s.dir, h)
		}
		if err == nil {
			s.use(s.sheet.asked)
			return true, nil
		}
		if again == 0 && !s.runs.Load() { // what is said of it is said of the file as it is now
			s.sheet = readSheet(s.dir, s.asked.Load())
		}
	}
	return s.asked.Load().against(s.dir, h) == nil, err
}

// use takes another study.yaml into use. The analysis of the one before stays until there is another, unless
// it is of other tasks or coefficients.
func (s *Study) use(next *asked) {
	before := s.asked.Swap(next)
	if before == next {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = analysisFailure{}
	if !before.sameColumns(next) {
		snap := *s.snap
		snap.Analysis = nil
		s.snap = &snap
	}
}

// still is the study as it is now: for work that takes long and must not be asked something else half-way.
func (s *Study) still() *Study {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &Study{dir: s.dir, store: s.store, flags: s.flags, life: s.life, hist: s.hist, snap: s.snap}
	out.asked.Store(s.asked.Load())
	return out
}
