package study

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"parfait/evaluator"
	"parfait/problem"
)

// What parfait deletes by itself it has made itself: models for evaluators have the study's token in their name. Two
// studies may share a scratch folder, by candidates.path, by a link, or because one is a copy of the other; there
// may be anything else in it.

// token is what marks a study's own: who it is, and where it lies. A copy has the same id elsewhere.
type token struct{ id, place string }

func (t token) String() string { return t.id + t.place }

// owner is the token as text, "" where the study may only be looked at and has none.
func (s *Study) owner() string {
	t, err := s.token()
	if err != nil {
		return ""
	}
	return t.String()
}

// half is how many digits each part of a token has.
const half = 8

// token is the study's. Its place is the path of its folder and the number that the file system gives it, so that a
// copy at the same path (in another container, say) is another.
func (s *Study) token() (token, error) {
	id, err := s.store.ownID()
	if err != nil {
		return token{}, s.store.Explain(err)
	}
	place := s.dir
	if real, err := filepath.EvalSymlinks(s.dir); err == nil {
		place = real
	}
	if fi, err := os.Stat(s.dir); err == nil {
		if st, ok := fi.Sys().(*syscall.Stat_t); ok {
			place += fmt.Sprintf("\x00%d", st.Ino)
		}
	}
	return token{short(id), short(place)}, nil
}

func short(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:half]
}

// modelName is the name of the folder of a trial's merged model; n tells those of one trial apart.
func (t token) modelName(trial, n int) string { return fmt.Sprintf("trial-%04d-%d-%s", trial, n, t) }

// modelNames are the names of merged models, finished and half-written. Those without a token are an older
// parfait's.
var modelNames = regexp.MustCompile(`^(?:trial-\d{4,}-\d+(?:-([0-9a-f]{8})([0-9a-f]{8}))?|\.trial-\d{4,}-\d+(?:-([0-9a-f]{8})([0-9a-f]{8}))?\.parfait-staging-[^-]+-\d+-[0-9a-f]{8}(?:-[0-9a-f]{16})?(?:\.lock)?)$`)

// owns says whether a model of that name is the study's own. Within the study's own folder (home) it is, wherever the
// folder was before it was moved, and also where an older parfait has made it, without a token.
func (t token) owns(name string, home bool) bool {
	m := modelNames.FindStringSubmatch(name)
	if m == nil {
		return false
	}
	id, place := m[1]+m[3], m[2]+m[4]
	if home {
		return id == "" || id == t.id
	}
	return id == t.id && place == t.place
}

// runNames are the names of the folders in which evaluators keep what has to outlive a runner: see evaluator.RunInfix.
// An older parfait's have a hash in the place of a study's id and what is asked.
var runNames = regexp.MustCompile(`^trial-\d{4,}\.log\.run-\d+-(?:[0-9a-f]{16}|([A-Za-z0-9]+)-\d+-[0-9a-f]{32})$`)

// ownRun says whether a folder beside the logs is of a run of the study with this id.
func ownRun(name, id string) bool {
	m := runNames.FindStringSubmatch(name)
	return m != nil && (m[1] == "" || m[1] == id)
}

// leaves says what is not the study's and stays where it is.
func (r *runner) leaves(paths []string) {
	if len(paths) > 0 {
		r.note("not this study's, and left alone: %s", clip(problem.And(paths), maxNote))
	}
}

// reclaim deletes the study's own models, on the disk and in memory, finished and half-written, and the folders where that
// leaves nothing in them. It returns what else is there, which stays. Behind a link nothing is deleted, nor written later.
func (s *Study) reclaim(m memory) (left []string, err error) {
	left, err = s.reclaimIn(s.candidates(), s.spec().Candidates.Path == "")
	if CodeOf(err) == CodeForeign {
		return left, err
	}
	if dir := s.inMemory(m); dir != "" && !m.foreign() {
		more, e := s.reclaimIn(dir, false)
		left, err = append(left, more...), errors.Join(err, e)
		_ = os.Remove(m.home())
	}
	return left, err
}

// reclaimIn is reclaim in one folder; home says whether it is the study's own.
func (s *Study) reclaimIn(top string, home bool) (left []string, err error) {
	const fix = "delete the link; candidates.path in study.yaml names another place for merged models, where each study has a folder of its own"
	if err := plainFolder(top, fix); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(top); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	own, err := s.token()
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, form := range forms {
		dir := filepath.Join(top, string(form))
		if err := plainFolder(dir, fix); err != nil {
			return nil, err
		}
		entries, err := os.ReadDir(dir)
		if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if strings.HasPrefix(e.Name(), evaluator.KeptPrefix) {
				continue // an evaluation that outlived its runner may read it; its evaluator deletes it
			}
			if own.owns(e.Name(), home) {
				errs = append(errs, os.RemoveAll(path))
			} else {
				left = append(left, path)
			}
		}
		_ = os.Remove(dir)
	}
	_ = os.Remove(top)
	return left, errors.Join(errs...)
}
