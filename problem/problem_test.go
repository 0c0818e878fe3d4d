package problem

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

var (
	disk = Problem{Code: "space", Where: "/data", What: "no room", Expected: "3 GB", Fix: "make room"}
	typo = Problem{Code: "task", What: `unknown task "x"`}
)

func TestAProblemSaysAllOnOneLine(t *testing.T) {
	for want, p := range map[string]Problem{
		"/data: no room; expected 3 GB; make room": disk,
		`unknown task "x"`:                         typo,
		"f: cannot be read: file does not exist":   {Where: "f", What: "cannot be read", Err: os.ErrNotExist},
		"said: file does not exist; wait":          {What: "said: file does not exist", Err: os.ErrNotExist, Fix: "wait"},
	} {
		if got := p.Error(); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
	if got := (List{disk, typo}).Error(); got != "2 problems:\n  - /data: no room; expected 3 GB; make room\n  - unknown task \"x\"" {
		t.Errorf("a list: %q", got)
	}
	var many List
	for i := range 1000 {
		many.Add("x", "point %d", i)
	}
	if got := many.Error(); !strings.HasSuffix(got, "point 99\n  … and 900 more") || strings.Count(got, "\n") != 101 {
		t.Errorf("a thousand: %s", got)
	}
	if many = nil; many.Err() != nil {
		t.Error("nothing is wrong, and there is an error")
	}
}

func TestProblemsAreFoundByTheirCodes(t *testing.T) {
	for name, err := range map[string]error{
		"value": disk, "pointer": &disk, "wrapped": fmt.Errorf("x: %w", disk), "wrapped pointer": fmt.Errorf("x: %w", &disk), "list": List{typo, disk},
		"joined": errors.Join(os.ErrExist, List{disk}), "within": Problem{Code: "outer", What: "x", Err: disk},
	} {
		var value Problem
		var pointer *Problem
		if !errors.Is(err, Code("space")) || !errors.Is(err, Problem{Code: "space"}) || errors.Is(err, Code("exists")) || errors.Is(err, Problem{Code: "space", What: "other"}) {
			t.Errorf("%s: its code is not found, or another", name)
		}
		if !errors.As(err, &value) || !errors.As(err, &pointer) || value.Code != pointer.Code {
			t.Errorf("%s: %+v and %+v", name, value, pointer)
		}
	}
	if CodeOf(Problem{Code: "outer", Err: disk}) != "outer" || CodeOf(List{typo, disk}) != "task" || CodeOf(os.ErrExist) != "" || CodeOf(nil) != "" {
		t.Error("CodeOf does not give the outermost, first")
	}
}

func TestSplit(t *testing.T) {
	for name, c := range map[string]struct {
		err       error
		what, fix string
	}{
		"nothing":          {nil, "", ""},
		"plain":            {os.ErrExist, "file already exists", ""},
		"one":              {disk, "/data: no room; expected 3 GB", "make room"},
		"a list of one":    {List{disk}, "/data: no room; expected 3 GB", "make room"},
		"pointer, wrapped": {fmt.Errorf("a.study: %w", &disk), "a.study: /data: no room; expected 3 GB", "make room"},
		"in the middle":    {fmt.Errorf("first %w, then the rest", disk), "first /data: no room; expected 3 GB, then the rest", "make room"},
		"a cause":          {Problem{Where: "x", What: "is not written", Err: disk, Fix: "choose another"}, "x: is not written: /data: no room; expected 3 GB", "make room\n  → choose another"},
		"two":              {List{disk, typo}, "2 problems:\n  - /data: no room; expected 3 GB\n      → make room\n  - unknown task \"x\"", ""},
		"two within":       {fmt.Errorf("study: %w", List{typo, typo}), "study: 2 problems:\n  - unknown task \"x\"\n  - unknown task \"x\"", ""},
		"joined":           {errors.Join(disk, os.ErrExist), "/data: no room; expected 3 GB\nfile already exists", "make room"},
	} {
		if what, fix := Split(c.err); what != c.what || fix != c.fix {
			t.Errorf("%s: %q and %q, expected %q and %q", name, what, fix, c.what, c.fix)
		}
	}
}

func TestEach(t *testing.T) {
	for want, err := range map[string]error{
		"/data: no room; expected 3 GB\n  → make room|unknown task \"x\"": fmt.Errorf("study: %w", List{disk, typo}),
		"file already exists": os.ErrExist,
	} {
		if got := strings.Join(Each(err), "|"); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
}

func TestUnknown(t *testing.T) {
	known := []string{"models", "method", "search", "tasks"}
	for word, want := range map[string]string{"model": "models", "serach": "search", "Tasks": "tasks", "banana": "", "": ""} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q: %q, expected %q", word, got, want)
		}
	}
	if got := Nearest("grid", []string{"greedy", "adaptive", "map"}); got != "" {
		t.Errorf("grid is no %s", got)
	}
	for want, p := range map[string]Problem{
		`s.yaml: unknown key "serach"; did you mean "search"?`:                 Unknown("k", "s.yaml", "key", "serach", known),
		`unknown task "banana"; expected one of models, method, search, tasks`: Unknown("k", "", "task", "banana", known),
		`unknown task "x"`:                Unknown("k", "", "task", "x", nil),
		`unknown task "x"; expected only`: Unknown("k", "", "task", "x", []string{"only"}),
		`unknown name "a"; expected one of ` + strings.Repeat("bcde, ", 23) + "bcde and 6 others": Unknown("k", "", "name", "a", slicesOf("bcde", 30)),
	} {
		if got := p.Error(); got != want || p.Code != "k" {
			t.Errorf("%q, expected %q", got, want)
		}
	}
	if Meant("tasks", known) != "" {
		t.Error("asks for what was said")
	}
}

func slicesOf(s string, n int) []string { return strings.Fields(strings.Repeat(s+" ", n)) }
