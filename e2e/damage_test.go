//go:build e2e

package e2e

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // to find the pages of each table
)

// precious is a finished study of which copies are damaged, in one place after the other since answers name it.
type precious struct {
	*testing.T
	dir     string            // where the copies are
	files   map[string][]byte // of the study, whole
	answers string
}

// newPrecious makes a study with trials, a pick and an export.
func newPrecious(t *testing.T) *precious {
	t.Helper()
	home := t.TempDir()
	p := &precious{T: t, dir: filepath.Join(home, "s.study"), files: map[string][]byte{}}
	good(t, ".", "demo", "--headless", "--tasks", "3", "--budget", "30", "--dir", p.dir)
	good(t, ".", "pick", p.dir, "--knee", "--name", "knee", "--why", "it is one")
	good(t, ".", "pick", p.dir, "--best", "rotated")
	good(t, ".", "export", p.dir, "--pick", "knee", "--out", filepath.Join(home, "out"))
	for _, name := range []string{"study.db", "history.jsonl"} {
		p.files[name] = p.read(name)
	}
	p.answers = p.asked()
	return p
}

func (p *precious) read(name string) []byte {
	p.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.Fatal(err)
	}
	return b
}

// put has the study's history be these files, and no other; a file that is nil is missing.
func (p *precious) put(db, journal []byte) {
	p.Helper()
	for _, pattern := range []string{"study.db*", "history.jsonl*"} {
		old, _ := filepath.Glob(filepath.Join(p.dir, pattern))
		for _, path := range old {
			need(p.T, os.Remove(path), "a file to delete")
		}
	}
	for name, b := range map[string][]byte{"study.db": db, "history.jsonl": journal} {
		if b != nil {
			need(p.T, os.WriteFile(filepath.Join(p.dir, name), b, 0o644), "a file to write")
		}
	}
}

// asked is what commands answer.
func (p *precious) asked() string {
	p.Helper()
	var b strings.Builder
	for _, args := range [][]string{{"trials", p.dir, "--json"}, {"front", p.dir, "--json"}, {"pick", p.dir, "--list", "--json"}} {
		r := parfait(p.T, ".", args...)
		fmt.Fprintf(&b, "%s: %d\n%s", args[0], r.code, r.out)
		if r.code != 0 {
			fmt.Fprintln(&b, r.errors)
		}
	}
	return b.String()
}

// repaired has the study repaired, and wants every answer as it was.
func (p *precious) repaired(what string) {
	p.Helper()
	if r := parfait(p.T, ".", "repair", p.dir); r.code != 0 {
		p.Errorf("%s: a repair ends with %d:\n%s%s", what, r.code, r.out, r.errors)
		return
	}
	if r := parfait(p.T, ".", "check", p.dir); r.code != 0 {
		p.Errorf("%s: a check after the repair ends with %d:\n%s%s", what, r.code, r.out, r.errors)
	}
	p.sameAnswers(what + ", repaired")
}

func (p *precious) sameAnswers(what string) {
	p.Helper()
	if got := p.asked(); got != p.answers {
		a, b := strings.Split(got, "\n"), strings.Split(p.answers, "\n")
		for i := range a {
			if i >= len(b) || a[i] != b[i] {
				p.Errorf("%s: line %d of the answers is\n%s\nwant\n%s", what, i, a[i], strings.Join(b[min(i, len(b)):min(i+1, len(b))], ""))
				return
			}
		}
		p.Errorf("%s: the answers are shorter", what)
	}
}

// pages are the numbers of the pages of each table and index, from 0.
func (p *precious) pages() map[string][]int {
	p.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.dir, "study.db")+"?mode=ro")
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query("SELECT name, pageno FROM dbstat")
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string][]int{}
	for rows.Next() {
		var name string
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			p.Fatal(err)
		}
		out[name] = append(out[name], n-1)
	}
	if err := rows.Err(); err != nil {
		p.Fatal(err)
	}
	return out
}

const pageSize = 4096

// corruption is one way of damaging a database.
type corruption struct {
	what string
	do   func(b []byte) []byte
}

// corruptions of a database with these pages: each table and index has a bit flipped and a page zeroed, pages change
// places, and the file is cut.
func corruptions(pages map[string][]int, random *rand.Rand, size int) (out []corruption) {
	pick := func(of []int) int { return of[random.IntN(len(of))] }
	for name, of := range pages {
		zeroed, at, bit := pick(of), pageSize*pick(of)+random.IntN(pageSize), random.IntN(8)
		out = append(out,
			corruption{fmt.Sprintf("page %d of %s is zeroed", zeroed, name), func(b []byte) []byte {
				clear(b[pageSize*zeroed : pageSize*(zeroed+1)])
				return b
			}},
			corruption{fmt.Sprintf("bit %d of byte %d, in %s, is flipped", bit, at, name), func(b []byte) []byte { b[at] ^= 1 << bit; return b }},
		)
	}
	last := size / pageSize
	for range 4 {
		to, from, end, torn := random.IntN(last), random.IntN(last), pageSize*random.IntN(last), random.IntN(size)
		out = append(out,
			corruption{fmt.Sprintf("page %d is that of %d", to, from), func(b []byte) []byte {
				copy(b[pageSize*to:pageSize*(to+1)], b[pageSize*from:])
				return b
			}},
			corruption{fmt.Sprintf("it ends after %d bytes", end), func(b []byte) []byte { return b[:end] }},
			corruption{fmt.Sprintf("it ends after %d bytes", torn), func(b []byte) []byte { return b[:torn] }},
		)
	}
	return out
}

// TestCorruptedStudies damages a study's database in every part of it: `check` ends with 10, or nothing that anybody
// answers has changed; meanwhile commands answer as before, from the journal, and a repair brings all of it back.
func TestCorruptedStudies(t *testing.T) {
	p := newPrecious(t)
	random := rand.New(rand.NewPCG(11, 11))
	todo := corruptions(p.pages(), random, len(p.files["study.db"]))
	random.Shuffle(len(todo), func(i, j int) { todo[i], todo[j] = todo[j], todo[i] })
	noticed, harmless, refused := 0, 0, 0
	for _, c := range todo[:min(len(todo), scale(6, 1000))] {
		p.put(c.do(bytes.Clone(p.files["study.db"])), p.files["history.jsonl"])
		switch r := parfait(t, ".", "check", p.dir); {
		case r.code == 10:
			noticed++
		case r.code != 0:
			t.Errorf("%s: a check ends with %d, want 10:\n%s%s", c.what, r.code, r.out, r.errors)
		default:
			harmless++
		}
		p.sameAnswers(c.what)
		p.repaired(c.what)
	}
	t.Logf("%d corruptions were noticed, %d changed nothing, %d were refused", noticed, harmless, refused)
	if noticed == 0 {
		t.Error("none was noticed: want most")
	}
}

// TestTornJournals tears the journal in its last line, which was being written: nothing is lost, nothing is wrong, and
// the study goes on. The line before it is not touched.
func TestTornJournals(t *testing.T) {
	p := newPrecious(t)
	journal := p.files["history.jsonl"]
	start := bytes.LastIndexByte(journal[:len(journal)-1], '\n') + 1
	whole := p.answers
	// What was there before the last line: the database is made from the journal alone.
	p.put(nil, journal[:start])
	p.repairs("before the last line")
	before := p.asked()
	step := max(1, (len(journal)-start)/scale(2, 12))
	for cut := start + 1; cut < len(journal); cut += step {
		what := fmt.Sprintf("torn at byte %d of the last line", cut-start)
		p.answers = before
		p.put(nil, journal[:cut])
		p.repaired(what + ", without a database")
		p.answers = whole
		p.put(p.files["study.db"], journal[:cut])
		if r := parfait(t, ".", "check", p.dir); r.code != 10 {
			t.Errorf("%s, beside a database that has come to it: a check ends with %d, want 10", what, r.code)
		}
		p.sameAnswers(what)
		p.repaired(what)
	}
}

func (p *precious) repairs(what string) {
	p.Helper()
	if r := parfait(p.T, ".", "repair", p.dir); r.code != 0 {
		p.Fatalf("%s: a repair ends with %d:\n%s%s", what, r.code, r.out, r.errors)
	}
}
