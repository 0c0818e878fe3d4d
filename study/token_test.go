package study

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestOnlyRunsOfTheStudyAreSwept(t *testing.T) {
	s := open(t, makeStudy(t, 4))
	id, err := s.store.ownID()
	if err != nil {
		t.Fatal(err)
	}
	logs := filepath.Join(s.Dir(), "logs")
	hash := "0123456789abcdef"
	runs := map[string]bool{ // whether it stays
		"trial-0001.log.run-1-" + id + "-1-" + hash + hash:           false,
		"trial-0001.log.run-1-" + hash:                               false, // an older parfait's
		"trial-0001.log.run-1-OTHER-1-" + hash + hash:                true,
		"trial-0001.log.run-precious":                                true,
		"trial-0001.log.run-1-" + id + "-1-" + hash + hash + ".mine": true,
	}
	for name := range runs {
		if err := os.MkdirAll(filepath.Join(logs, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var said spoken
	if err := s.Run(t.Context(), said.options(1)); err != nil {
		t.Fatal(err)
	}
	for name, stays := range runs {
		if _, err := os.Stat(filepath.Join(logs, name)); (err == nil) != stays {
			t.Errorf("%s: there %t, want %t", name, err == nil, stays)
		}
	}
	if !said.said("left alone") || !said.said("trial-0001.log.run-precious") {
		t.Errorf("it is not said what is left:\n%s", said.all())
	}
}

// Behind a link nothing is swept: the folder may be another study's too.
func TestRunsBehindALinkStay(t *testing.T) {
	s := open(t, makeStudy(t, 4))
	elsewhere := t.TempDir()
	if err := os.Symlink(elsewhere, filepath.Join(s.Dir(), "logs")); err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(elsewhere, "trial-0001.log.run-1-0123456789abcdef")
	if err := os.Mkdir(run, 0o755); err != nil {
		t.Fatal(err)
	}
	var said spoken
	if err := s.Run(t.Context(), said.options(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(run); err != nil || !said.said("left alone") {
		t.Errorf("what is behind a link: %v; said\n%s", err, said.all())
	}
}

// Two studies, and a copy of one, share a scratch folder in which there is something of somebody's: each takes away
// what it has left there itself, and nothing else.
func TestOnlyWhatCarriesTheTokenIsDeleted(t *testing.T) {
	s := modelStudy(t, 4, 1, 0, func(string) error { return nil })
	if _, err := s.store.ownID(); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), filepath.Base(s.Dir()))
	if err := os.CopyFS(copied, os.DirFS(s.Dir())); err != nil {
		t.Fatal(err)
	}
	other := modelStudy(t, 4, 1, 0, func(string) error { return nil })
	twin := open(t, copied)
	mine, err := s.token()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := other.token()
	if err != nil {
		t.Fatal(err)
	}
	its, err := twin.token()
	if err != nil {
		t.Fatal(err)
	}
	if its.id != mine.id || its.place == mine.place || theirs.id == mine.id {
		t.Fatalf("tokens %v, of a copy %v, of another study %v", mine, its, theirs)
	}
	for name, want := range map[string]struct{ scratch, home bool }{
		mine.modelName(1, 1):      {true, true},
		mine.modelName(12345, 67): {true, true},
		"." + mine.modelName(2, 7) + ".parfait-staging-some_host-99-0123abcd":      {true, true},
		"." + mine.modelName(2, 7) + ".parfait-staging-some_host-99-0123abcd.lock": {true, true},
		its.modelName(1, 1):    {false, true}, // the folder was moved
		theirs.modelName(1, 1): {false, false},
		"." + theirs.modelName(2, 7) + ".parfait-staging-some_host-99-0123abcd": {false, false},
		"trial-0001-1": {false, true}, // an older parfait's
		".trial-0001-1.parfait-staging-some_host-99-0123abcd": {false, true},
		"trial-precious":                    {false, false},
		"trial-0001":                        {false, false},
		"trial-1-1":                         {false, false},
		"trial-0001-1-mine":                 {false, false},
		mine.modelName(1, 1) + "-kept":      {false, false},
		"my-" + mine.modelName(1, 1):        {false, false},
		"." + mine.modelName(1, 1) + ".swp": {false, false},
		"model.safetensors":                 {false, false},
	} {
		if mine.owns(name, false) != want.scratch || mine.owns(name, true) != want.home {
			t.Errorf("%s: owned %t on the scratch and %t at home, want %+v", name, mine.owns(name, false), mine.owns(name, true), want)
		}
	}

	folder := filepath.Join(s.candidates(), "folder")
	stays := []string{its.modelName(3, 1), "notes.txt", theirs.modelName(1, 1), "trial-precious"}
	for _, name := range append([]string{mine.modelName(1, 1), "." + mine.modelName(2, 1) + ".parfait-staging-h-1-0123abcd"}, stays...) {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	edit(t, s.Dir(), "candidates: {", "candidates: {path: "+t.TempDir()+", ")
	scratch := open(t, s.Dir())
	if err := os.MkdirAll(filepath.Dir(scratch.candidates()), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(s.candidates(), scratch.candidates()); err != nil {
		t.Fatal(err)
	}
	left, err := scratch.reclaim(memory{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range left {
		names = append(names, filepath.Base(path))
		if _, err := os.Stat(path); err != nil {
			t.Errorf("said to be left, and is not: %v", err)
		}
	}
	slices.Sort(names)
	slices.Sort(stays)
	if !slices.Equal(names, stays) {
		t.Errorf("left %q, want %q", names, stays)
	}
	var said spoken
	if err := scratch.Run(t.Context(), said.options(1)); err != nil {
		t.Fatal(err)
	}
	if !said.said("left alone") || !said.said("trial-precious") {
		t.Errorf("it is not said what was left:\n%s", said.all())
	}
	if there, err := os.ReadDir(filepath.Join(scratch.candidates(), "folder")); err != nil || len(there) != len(stays) {
		t.Errorf("%v (%v) are there after a run, want %q", there, err, stays)
	}
}
