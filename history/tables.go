package history

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"
)

// Table is a kind of row. Its rows are what the journal's lines give; the database keeps the newest of each.
type Table struct {
	Name    string
	columns []column // the first is the key
}

// column of a table.
type column struct {
	name string
	kind kind
}

// kind of a column's values.
type kind string

const (
	integer  kind = "INTEGER"
	text     kind = "TEXT"
	document kind = "JSON" // any JSON, as it was written
)

// The tables. Numbers of trials, batches and the others are given once; times are in milliseconds since 1970, 0
// where there is none.
var (
	// Meta says of the study what has one value: its id, what it was measured with, whether it is paused.
	Meta = &Table{"meta", []column{{"key", text}, {"value", text}}}
	// Batches are the strategy's answers: when it was asked, what it saw, and why it waits or what is expected.
	Batches = &Table{"batches", []column{{"id", integer}, {"asked", integer}, {"saw", document}, {"wait", text}, {"advice", document}}}
	// Trials are points to be measured; x has the coefficients in the order of the study's names, since is the attempt
	// from which on measurements answer what is asked now, 0 for all.
	Trials = &Table{"trials", []column{
		{"id", integer},
		{"batch", integer},
		{"origin", text},
		{"why", text},
		{"x", document},
		{"state", text},
		{"attempt", integer},
		{"since", integer},
		{"error", text},
		{"created", integer},
		{"started", integer},
		{"ended", integer},
	}}
	// Measurements are evaluators' answers, for one trial, split and set of tasks each; never changed.
	Measurements = &Table{"measurements", []column{
		{"id", integer}, {"trial", integer}, {"attempt", integer}, {"evaluator", text}, {"split", text}, {"at", integer}, {"tasks", document},
	}}
	// Commands are what people asked for.
	Commands = &Table{"commands", []column{{"id", integer}, {"at", integer}, {"who", text}, {"body", document}}}
	// Picks are trade-offs that people chose.
	Picks = &Table{"picks", []column{{"id", integer}, {"at", integer}, {"x", document}, {"body", document}}}
	// Exports are checkpoints that were written; dropped where one did not come to be.
	Exports = &Table{"exports", []column{{"id", integer}, {"at", integer}, {"x", document}, {"body", document}, {"dropped", integer}}}

	tables = []*Table{Meta, Batches, Trials, Measurements, Commands, Picks, Exports}
)

// schema makes the tables. Every row knows the line of the journal that gave it last, and has a sum over its values.
// What stands in views and progress may be lost.
var schema = func() string {
	var b strings.Builder
	for _, t := range tables {
		fmt.Fprintf(&b, "CREATE TABLE %s (", t.Name)
		for i, c := range t.columns {
			fmt.Fprintf(&b, "%s %s NOT NULL", c.name, map[kind]string{integer: "INTEGER", text: "TEXT", document: "TEXT"}[c.kind])
			if i == 0 {
				b.WriteString(" PRIMARY KEY")
			}
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "line INTEGER NOT NULL, sum TEXT NOT NULL);\nCREATE INDEX %s_line ON %[1]s (line);\n", t.Name)
	}
	b.WriteString(`CREATE TABLE journal (id INTEGER PRIMARY KEY CHECK (id = 0), study TEXT NOT NULL, lines INTEGER NOT NULL, bytes INTEGER NOT NULL, sum TEXT NOT NULL, rows INTEGER NOT NULL);
CREATE TABLE views (who TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE progress (trial INTEGER PRIMARY KEY, body TEXT NOT NULL);
`)
	return b.String()
}()

// tableNames are those of the schema, in the order of their names.
var tableNames = func() []string {
	out := []string{"journal", "progress", "views"}
	for _, t := range tables {
		out = append(out, t.Name)
	}
	slices.Sort(out)
	return out
}()

// Row is some columns of a row by name, the key among them. Of a row that is there already the others stay as they
// are; of a new one they are 0, "" or null. Integers are ints, text is any kind of string, a document is anything
// that can be written as JSON.
type Row map[string]any

// put is a row of a table.
type put struct {
	table *Table
	row   Row
}

// encode appends the row as a JSON object, its columns in the table's order.
func (p put) encode(dst []byte) ([]byte, error) {
	left := len(p.row)
	dst = append(dst, '{')
	for _, c := range p.table.columns {
		v, ok := p.row[c.name]
		if !ok {
			continue
		}
		left--
		b, err := c.encode(v)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", p.table.Name, c.name, err)
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(append(append(append(dst, '"'), c.name...), '"', ':'), b...)
	}
	if left > 0 {
		return nil, fmt.Errorf("%s: a column that the table does not have in %v", p.table.Name, p.row)
	}
	return append(dst, '}'), nil
}

// encode is the value as JSON.
func (c column) encode(v any) ([]byte, error) {
	r := reflect.ValueOf(v)
	switch {
	case c.kind == integer && r.CanInt():
		return strconv.AppendInt(nil, r.Int(), 10), nil
	case c.kind == text && r.Kind() == reflect.String:
		return marshal(strings.ToValidUTF8(r.String(), "\ufffd")) // as it would be read
	case c.kind == document:
		return marshal(v)
	}
	return nil, fmt.Errorf("a %T is no %s", v, c.kind)
}

// marshal writes JSON on one line, without escapes that only browsers need.
func marshal(v any) ([]byte, error) {
	if raw, ok := v.(json.RawMessage); ok {
		var b bytes.Buffer // on one line, also where others wrote it
		err := json.Compact(&b, raw)
		return b.Bytes(), err
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return []byte(strings.TrimSuffix(b.String(), "\n")), err
}

// decode is what encode wrote, as the database keeps it: an int64 or a string.
func (c column) decode(b []byte) (any, error) {
	switch c.kind {
	case integer:
		return strconv.ParseInt(string(b), 10, 64)
	case text:
		var s string
		err := json.Unmarshal(b, &s)
		return s, err
	}
	return string(b), nil
}

// empty is the value of a column that nobody gave.
func (c column) empty() any {
	switch c.kind {
	case integer:
		return int64(0)
	case document:
		return "null"
	}
	return ""
}

// apply brings the row into the database, as the line gives it. It says whether the row is new.
func (p put) apply(tx *Tx, line int64) (added bool, err error) {
	t := p.table
	values, _, err := t.row(tx, p.row[t.columns[0].name])
	if added = errors.Is(err, sql.ErrNoRows); added {
		values = make([]any, len(t.columns))
		for i, c := range t.columns {
			values[i] = c.empty()
		}
	} else if err != nil {
		return false, err
	}
	for i, c := range t.columns {
		v, ok := p.row[c.name]
		if !ok {
			continue
		}
		b, err := c.encode(v)
		if err == nil {
			values[i], err = c.decode(b)
		}
		if err != nil {
			return false, fmt.Errorf("%s.%s: %w", t.Name, c.name, err)
		}
	}
	insert, err := tx.prepare(t.insert())
	if err == nil {
		_, err = insert.ExecContext(tx.ctx, append(values, line, sumOf(tx.study, t, values))...)
	}
	return added, err
}

// insert puts a row, with its line and its sum, in the place of the one before.
func (t *Table) insert() string {
	return "INSERT OR REPLACE INTO " + t.Name + " (" + t.names() + ", line, sum) VALUES (?" + strings.Repeat(", ?", len(t.columns)+1) + ")"
}

// names are the columns' names, with commas.
func (t *Table) names() string {
	out := make([]string, len(t.columns))
	for i, c := range t.columns {
		out[i] = c.name
	}
	return strings.Join(out, ", ")
}

// row reads the row with a key, and the line that gave it; sql.ErrNoRows where there is none.
func (t *Table) row(tx *Tx, key any) (values []any, line int64, err error) {
	find, err := tx.prepare(t.query("WHERE " + t.columns[0].name + " = ?"))
	if err != nil {
		return nil, 0, err
	}
	rows, err := find.QueryContext(tx.ctx, key)
	if err != nil {
		return nil, 0, err
	}
	err = t.read(tx, rows, func(n int64, v []any) error {
		values, line = v, n
		return nil
	})
	if err == nil && values == nil {
		err = sql.ErrNoRows
	}
	return values, line, err
}

// query asks for the rows that the clause selects.
func (t *Table) query(clause string) string {
	return "SELECT " + t.names() + ", line, sum FROM " + t.Name + " " + clause
}

// each calls f with the values of the rows that the clause selects: int64 and string, in the order of the columns. A row
// whose sum is not that of its values is damage.
func (t *Table) each(tx *Tx, clause string, args []any, f func(line int64, values []any) error) error {
	rows, err := tx.Query(t.query(clause), args...)
	if err != nil {
		return err
	}
	return t.read(tx, rows, f)
}

func (t *Table) read(tx *Tx, rows *sql.Rows, f func(line int64, values []any) error) error {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		values := make([]any, len(t.columns))
		var line int64
		var sum string
		if err := rows.Scan(append(pointers(values), &line, &sum)...); err != nil {
			return fmt.Errorf("%w: a row of %s: %w", errDamaged, t.Name, err)
		}
		if sumOf(tx.study, t, values) != sum {
			return fmt.Errorf("%w: the row %v of %s is not as it was written", errDamaged, values[0], t.Name)
		}
		if err := f(line, values); err != nil {
			return err
		}
	}
	return rows.Err()
}

func pointers(values []any) []any {
	out := make([]any, len(values))
	for i := range values {
		out[i] = &values[i]
	}
	return out
}

// sumOf is the sum over a row's values in the history of a study, so that a page of another study's is told. It tells
// decay, not people.
func sumOf(study string, t *Table, values []any) string {
	b := append(append(make([]byte, 0, 256), study...), t.Name...)
	for _, v := range values {
		switch v := v.(type) {
		case int64:
			b = strconv.AppendInt(append(b, 0, 'i'), v, 10)
		case string:
			b = strconv.AppendInt(append(b, 0, 's'), int64(len(v)), 10)
			b = append(append(b, ':'), v...)
		default: // of a kind that is never written
			b = fmt.Appendf(append(b, 0, '?'), "%T", v)
		}
	}
	return fmt.Sprintf("%016x", xxh3.Hash(b))
}

// Rows calls f with every row that a line after the given one has changed, in the order of their keys. What scan is
// given are pointers, one for each column of the table: to an int, an int64, a string, or for a document to
// anything that JSON can be read into.
func (t *Table) Rows(tx *Tx, after int64, f func(scan func(dst ...any) error) error) error {
	clause := "ORDER BY " + t.columns[0].name
	var args []any
	if after > 0 {
		clause, args = "WHERE line > ? "+clause, []any{after}
	}
	return t.each(tx, clause, args, func(_ int64, values []any) error {
		return f(func(dst ...any) error { return t.scan(values, dst) })
	})
}

// scan stores a row's values where dst points to.
func (t *Table) scan(values, dst []any) error {
	if len(dst) != len(values) {
		return fmt.Errorf("%s: %d columns are read into %d values", t.Name, len(values), len(dst))
	}
	for i, c := range t.columns {
		if dst[i] == nil {
			continue
		}
		if err := c.scan(values[i], dst[i]); err != nil {
			return fmt.Errorf("%w: %s of the row %v of %s: %w", errDamaged, c.name, values[0], t.Name, err)
		}
	}
	return nil
}

func (c column) scan(v, dst any) error {
	switch v := v.(type) {
	case int64:
		if d := reflect.ValueOf(dst).Elem(); d.CanInt() {
			d.SetInt(v)
			return nil
		}
	case string:
		if c.kind == document {
			return json.Unmarshal([]byte(v), dst)
		}
		if d := reflect.ValueOf(dst).Elem(); d.Kind() == reflect.String {
			d.SetString(v)
			return nil
		}
	}
	return fmt.Errorf("a %T cannot be read into a %T", v, dst)
}

// asRow is a row's values as a Row.
func (t *Table) asRow(values []any) Row {
	out := Row{}
	for i, c := range t.columns {
		out[c.name] = values[i]
		if s, ok := values[i].(string); ok && c.kind == document {
			out[c.name] = json.RawMessage(s)
		}
	}
	return out
}

// finite refuses what JSON cannot keep exactly.
func finite(x []float64) error {
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%g is no number that can be recorded", v)
		}
	}
	return nil
}
