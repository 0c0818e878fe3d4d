package history

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"parfait/internal/stage"
)

// JournalFile is the journal's name in a study's folder; docs/history.md has its format.
const JournalFile = "history.jsonl"

// formatVersion is that of the journal's lines.
const formatVersion = 1

// position is a place between two lines of the journal: how many are before it, how many bytes they take, and the sum of
// the last.
type position struct {
	lines, bytes int64
	sum          string
	rows         int64  // that the lines have made, in all tables
	study        string // of the first line: whose journal it is
}

// line is a change of the history as the journal has it: what happened, and the rows that it gave.
type line struct {
	n, at int64
	kind  string
	study string // on the first line: random, so that no two studies have the same
	rows  []put
}

// sumField begins the end of a line: what is before it is summed.
const sumField = `,"sum":"`

// lineSum is the sum of a line whose text is before: it is chained to that of the line before it, so that a line that is
// missing, moved or another's is told as one that was changed.
func lineSum(previous string, before []byte) string {
	h := sha256.New()
	h.Write([]byte(previous))
	h.Write(before)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// encode appends the line that follows p, and moves p behind it.
func (p *position) encode(dst []byte, l line) ([]byte, error) {
	start := len(dst)
	dst = fmt.Appendf(dst, `{"n":%d,"at":%d,"kind":%s`, p.lines+1, l.at, strconv.Quote(l.kind))
	if p.lines == 0 {
		if p.study == "" {
			p.study = rand.Text()
		}
		dst = fmt.Appendf(dst, `,"format":%d,"study":%s`, formatVersion, strconv.Quote(p.study))
	}
	var err error
	for _, t := range tables {
		any := false
		for _, r := range l.rows {
			if r.table != t {
				continue
			}
			if any {
				dst = append(dst, ',')
			} else {
				dst = fmt.Appendf(dst, `,"%s":[`, t.Name)
			}
			if dst, err = r.encode(dst); err != nil {
				return nil, err
			}
			any = true
		}
		if any {
			dst = append(dst, ']')
		}
	}
	p.sum = lineSum(p.sum, dst[start:])
	dst = append(append(append(dst, sumField...), p.sum...), "\"}\n"...)
	p.lines++
	p.bytes += int64(len(dst) - start)
	return dst, nil
}

// decode reads the line that text, without its end, should be after p, and moves p behind it.
func (p *position) decode(b []byte) (line, error) {
	l, sum, err := parseLine(b)
	switch {
	case err != nil:
		return line{}, err
	case len(b) != len(before(b))+len(sumField)+len(sum)+len(`"}`): // such as an end of line that an editor has made
		return line{}, errors.New("it has more than was written")
	case l.n == 1 && l.study == "":
		return line{}, errors.New("it is the first, and does not say whose journal it is")
	case l.n != p.lines+1:
		return line{}, fmt.Errorf("it is line %d, where %d belongs", l.n, p.lines+1)
	case lineSum(p.sum, before(b)) != sum:
		return line{}, errors.New("its sum is not that of its text after the line before")
	}
	p.lines, p.bytes, p.sum = l.n, p.bytes+int64(len(b))+1, sum
	if l.n == 1 {
		p.study = l.study
	}
	return l, nil
}

// before is what is summed of a line.
func before(b []byte) []byte { return b[:max(0, bytes.LastIndex(b, []byte(sumField)))] }

// parseLine reads a line whatever came before it; its sum is not looked at.
func parseLine(b []byte) (l line, sum string, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return l, "", fmt.Errorf("it is not JSON: %w", err)
	}
	var format int
	for name, dst := range map[string]any{"n": &l.n, "at": &l.at, "kind": &l.kind, "study": &l.study, "sum": &sum, "format": &format} {
		if raw, ok := fields[name]; ok {
			if err := json.Unmarshal(raw, dst); err != nil {
				return l, "", fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if l.n < 1 || sum == "" || l.kind == "" {
		return l, "", errors.New("it has not what a line has: n, at, kind and sum")
	}
	if format > formatVersion {
		return l, "", errNewer
	}
	for _, t := range tables {
		raw, ok := fields[t.Name]
		if !ok {
			continue
		}
		var rows []map[string]json.RawMessage
		if err := json.Unmarshal(raw, &rows); err != nil {
			return l, "", fmt.Errorf("%s: %w", t.Name, err)
		}
		for _, r := range rows {
			p, err := t.decodeRow(r)
			if err != nil {
				return l, "", err
			}
			l.rows = append(l.rows, p)
		}
	}
	return l, sum, nil
}

// decodeRow is a row as a line has it.
func (t *Table) decodeRow(fields map[string]json.RawMessage) (put, error) {
	p := put{t, Row{}}
	for _, c := range t.columns {
		raw, ok := fields[c.name]
		if !ok {
			continue
		}
		v, err := c.decode(raw)
		if err != nil {
			return p, fmt.Errorf("%s.%s: %w", t.Name, c.name, err)
		}
		if c.kind == document {
			v = raw
		}
		p.row[c.name] = v
	}
	if _, ok := p.row[t.columns[0].name]; !ok {
		return p, fmt.Errorf("a row of %s has no %s", t.Name, t.columns[0].name)
	}
	return p, nil
}

// openFlags are for files that nobody else may have put in their place.
const openFlags = unix.O_NOFOLLOW | unix.O_NONBLOCK

// readJournal reads the journal from a position on. A journal that is not there has nothing.
func readJournal(path string, from position) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if from.bytes > 0 {
			return nil, fmt.Errorf("%w: %s is missing", errDamaged, JournalFile)
		}
		return nil, nil
	}
	if err != nil {
		return nil, journalOpen(path, err)
	}
	defer func() { _ = f.Close() }()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, NotOurs(path, fi, "the journal belongs here, beside study.yaml")
	}
	if fi.Size() < from.bytes {
		return nil, fmt.Errorf("%w: %s ends %d bytes before what is recorded in %s", errDamaged, JournalFile, from.bytes-fi.Size(), DatabaseFile)
	}
	// The end of the line before tells whether it is still the journal that the position is in.
	end := []byte(sumField + from.sum + "\"}\n")
	if from.lines == 0 {
		end = nil
	}
	start := max(0, from.bytes-int64(len(end)))
	b, err := io.ReadAll(io.NewSectionReader(f, start, fi.Size()-start))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if !bytes.HasPrefix(b, end) {
		return nil, fmt.Errorf("%w: line %d of %s is another than %s has come to", errDamaged, from.lines, JournalFile, DatabaseFile)
	}
	return b[len(end):], nil
}

// journalOpen says why a journal cannot be opened.
func journalOpen(path string, err error) error {
	if fi, serr := os.Lstat(path); serr == nil && !fi.Mode().IsRegular() {
		return NotOurs(path, fi, "the journal belongs here, beside study.yaml")
	}
	return err
}

// replay calls f with every line of text, which follows p, and moves p behind the last that counts; f says how many rows
// the line has made. The last line does not count where it is torn: nobody was told that it was written.
func (p *position) replay(text []byte, f func(line) (added int64, err error)) error {
	for len(text) > 0 {
		b, rest, whole := bytes.Cut(text, []byte{'\n'})
		next := *p
		l, err := next.decode(b)
		if errors.Is(err, errNewer) {
			return err
		}
		if !whole || err != nil && len(rest) == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: line %d of %s, at byte %d: %w", errDamaged, p.lines+1, JournalFile, p.bytes, err)
		}
		added, err := f(l)
		if err != nil {
			return err
		}
		next.rows += added
		*p, text = next, rest
	}
	return nil
}

// sound says whether text, which follows a position in the journal, is of lines whose sums follow from each other. It does
// not read what they say, and costs what hashing them does.
func sound(text []byte, after position) error {
	sum := after.sum
	for n := after.lines + 1; len(text) > 0; n++ {
		b, rest, whole := bytes.Cut(text, []byte{'\n'})
		has := sumIn(b)
		if !whole || lineSum(sum, before(b)) != has || len(b) != len(before(b))+len(sumField)+len(has)+len(`"}`) {
			return fmt.Errorf("%w: line %d of %s is not as it was written", errDamaged, n, JournalFile)
		}
		sum, text = has, rest
	}
	return nil
}

// studyOf is whose journal it is, as far as its first line can be read.
func studyOf(text []byte) string {
	b, _, _ := bytes.Cut(text, []byte{'\n'})
	var p position
	if l, err := p.decode(b); err == nil {
		return l.study
	}
	return ""
}

// appendJournal writes text behind a position and returns once it is on the disk. What stands there already is a line
// that was torn. With an error the journal ends where it did.
func appendJournal(path string, at position, text []byte) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|openFlags, 0o666)
	if err != nil {
		return journalOpen(path, err)
	}
	defer func() { _ = f.Close() }() // what was synced is there
	fi, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !fi.Mode().IsRegular():
		return NotOurs(path, fi, "the journal belongs here, beside study.yaml")
	case fi.Size() < at.bytes:
		return fmt.Errorf("%w: %s ends before what is recorded in %s", errDamaged, JournalFile, DatabaseFile)
	case fi.Size() > at.bytes:
		if err := f.Truncate(at.bytes); err != nil {
			return err
		}
	}
	if _, err = f.WriteAt(text, at.bytes); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(at.bytes))
	}
	if fi.Size() == 0 {
		return stage.OS{}.SyncDir(filepath.Dir(path))
	}
	return nil
}
