// Package yamldoc reads a YAML document with positions, so that everything wrong in it is said at
// once: file, line, key, what was expected, what was found, and the nearest known key.
//
// To read a file, [Parse] it, ask the root [Node] for its Fields, each with a function that takes the value
// (Text, Float, Int, List, …), and return [Document.Err] at the end: a value that is not what it should be is
// noted as a problem where it stands, and reading goes on.
//
// In comes a file's bytes; out come typed values by Node, and Problems. It is a thin layer over the
// syntax tree of goccy/go-yaml, a leaf that knows nothing of studies or recipes.
package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"parfait/problem"
)

// Problem is one thing that is wrong, and where. Line and Column count from 1; 0 means the whole file.
type Problem struct {
	Line, Column int
	Path         string // tasks[1].sense
	Msg          string
}

// Problems is everything that is wrong with one file. It is an error.
type Problems struct {
	File string
	List []Problem
}

// Error lists every problem on a line of its own, in the order of the file.
func (p *Problems) Error() string {
	var b strings.Builder
	for i, q := range p.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.File)
		if q.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", q.Line, q.Column)
		}
		b.WriteString(": ")
		if q.Path != "" {
			b.WriteString(q.Path + ": ")
		}
		b.WriteString(q.Msg)
	}
	return b.String()
}

// Document is a parsed file that gathers problems.
type Document struct {
	file string
	list []Problem
}

// Err returns all problems so far in the order of their lines, or nil.
func (d *Document) Err() error {
	if len(d.list) == 0 {
		return nil
	}
	var list []Problem
	for _, p := range d.list { // a node that is read twice fails once
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Line < list[j].Line })
	return &Problems{File: d.file, List: list}
}

// Node is a place in the document. The zero Node is one that is not there.
type Node struct {
	doc       *Document
	node      ast.Node
	path      string
	line, col int
}

// mark is the byte order mark that some editors write before UTF-8.
var mark = []byte("\xef\xbb\xbf")

// Parse reads one document whose root is a mapping, in UTF-8 with or without a byte order mark. Syntax errors
// and aliases to unknown anchors are returned as *Problems.
func Parse(file string, b []byte) (Node, *Document, error) {
	docs, d, err := ParseAll(file, b)
	if err != nil {
		return Node{}, d, err
	}
	if len(docs) != 1 {
		return Node{}, d, &Problems{File: file, List: []Problem{{Msg: fmt.Sprintf("expected one YAML document, found %d", len(docs))}}}
	}
	return docs[0], d, nil
}

// ParseAll is Parse for a file of any number of documents.
func ParseAll(file string, b []byte) ([]Node, *Document, error) {
	d := &Document{file: file}
	b = undirected(bytes.TrimPrefix(b, mark))
	if why := notText(b); why != "" {
		return nil, d, &Problems{File: file, List: []Problem{{Msg: why}}}
	}
	f, err := parser.ParseBytes(b, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		p := Problem{Line: 1, Column: 1, Msg: err.Error()}
		var se *yaml.SyntaxError
		if errors.As(err, &se) {
			p.Msg = "not YAML: " + se.Message
			if se.Token != nil && se.Token.Position != nil {
				p.Line, p.Column = se.Token.Position.Line, se.Token.Position.Column
			}
		}
		return nil, d, &Problems{File: file, List: []Problem{p}}
	}
	var docs []Node
	for _, doc := range f.Docs {
		if doc.Body != nil {
			docs = append(docs, d.at(doc.Body, "", 1, 1))
		}
	}
	return docs, d, nil
}

// undirected is a document whose directives (%YAML 1.2, %TAG) are comments: none changes what is read here, and the parser
// takes one at most. They stand before the "---" of a document.
func undirected(b []byte) []byte {
	out, head := bytes.Clone(b), true
	for start := 0; start < len(out); {
		end := len(out)
		if n := bytes.IndexByte(out[start:], '\n'); n >= 0 {
			end = start + n + 1
		}
		switch line := bytes.TrimRight(out[start:end], " \t\r\n"); {
		case head && len(line) > 0 && line[0] == '%':
			out[start] = '#'
		case string(line) == "...":
			head = true
		case len(line) > 0 && line[0] != '#':
			head = false
		}
		start = end
	}
	return out
}

// notText says why b cannot be YAML in UTF-8, or "".
func notText(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")), len(b) > 1 && (b[0] == 0) != (b[1] == 0):
		return "expected text in UTF-8, found UTF-16: save it as UTF-8, or convert it (iconv -f UTF-16 -t UTF-8)"
	case bytes.IndexByte(b, 0) >= 0:
		return "expected text, found bytes that are 0: this is another kind of file"
	}
	return ""
}

func (d *Document) at(n ast.Node, path string, line, col int) Node {
	for {
		switch v := n.(type) {
		case *ast.TagNode:
			n = v.Value
			continue
		case *ast.AnchorNode:
			n = v.Value
			continue
		}
		break
	}
	if n != nil {
		tok := n.GetToken()
		switch v := n.(type) {
		case *ast.MappingNode: // a block mapping's token is its first colon
			if !v.IsFlowStyle && len(v.Values) > 0 {
				tok = v.Values[0].Key.GetToken()
			}
		case *ast.MappingValueNode:
			tok = v.Key.GetToken()
		}
		if tok != nil && tok.Position != nil {
			line, col = tok.Position.Line, tok.Position.Column
		}
	}
	return Node{doc: d, node: n, path: path, line: line, col: col}
}

// Present says whether the node is there and not null.
func (n Node) Present() bool {
	if n.node == nil {
		return false
	}
	_, null := n.node.(*ast.NullNode)
	return !null
}

// Line returns the node's line, from 1.
func (n Node) Line() int { return n.line }

// Failf records a problem at the node.
func (n Node) Failf(format string, args ...any) {
	n.doc.list = append(n.doc.list, Problem{Line: n.line, Column: n.col, Path: n.path, Msg: fmt.Sprintf(format, args...)})
}

// Kind says in words what stands at the node.
func (n Node) Kind() string {
	switch v := n.node.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode:
		return fmt.Sprintf("the text %q", v.Value)
	case *ast.AliasNode:
		return "an alias (write the value out)"
	default:
		return v.String()
	}
}

func (n Node) pairs() ([]*ast.MappingValueNode, bool) {
	switch v := n.node.(type) {
	case *ast.MappingNode:
		return v.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{v}, true
	}
	return nil, false
}

// Each calls f for every key of a mapping in order. Duplicate keys are problems.
func (n Node) Each(f func(key string, value Node)) {
	if !n.Present() {
		return
	}
	pairs, ok := n.pairs()
	if !ok {
		n.Failf("expected a mapping, found %s", n.Kind())
		return
	}
	seen := map[string]int{}
	for _, kv := range pairs {
		tok := kv.Key.GetToken()
		key, line, col := strings.TrimSpace(tok.Value), tok.Position.Line, tok.Position.Column
		child := n.doc.at(kv.Value, join(n.path, key), line, col)
		if first, dup := seen[key]; dup {
			child.line, child.col = line, col
			child.Failf("stands twice (first on line %d); keep one", first)
			continue
		}
		seen[key] = line
		f(key, child)
	}
}

// Fields calls the handler of each key. A key without a handler is a problem that names the nearest one.
func (n Node) Fields(handlers map[string]func(Node)) {
	known := make([]string, 0, len(handlers))
	for k := range handlers {
		known = append(known, k)
	}
	sort.Strings(known)
	n.Each(func(key string, v Node) {
		if h, ok := handlers[key]; ok {
			h(v)
			return
		}
		v.Unknown("key", key, known)
	})
}

// Unknown records that word is not one of the known ones, and names the nearest.
func (n Node) Unknown(what, word string, known []string) {
	hint := ""
	if meant := problem.Meant(word, known); meant != "" {
		hint = "; " + meant
	}
	n.Failf("unknown %s %q%s (known: %s)", what, word, hint, strings.Join(known, ", "))
}

// Has says whether a mapping has a key.
func (n Node) Has(key string) bool {
	pairs, _ := n.pairs()
	for _, kv := range pairs {
		if strings.TrimSpace(kv.Key.GetToken().Value) == key {
			return true
		}
	}
	return false
}

// List returns the items of a sequence.
func (n Node) List() []Node {
	if !n.Present() {
		return nil
	}
	s, ok := n.node.(*ast.SequenceNode)
	if !ok {
		n.Failf("expected a list, found %s", n.Kind())
		return nil
	}
	out := make([]Node, len(s.Values))
	for i, v := range s.Values {
		out[i] = n.doc.at(v, fmt.Sprintf("%s[%d]", n.path, i), n.line, n.col)
	}
	return out
}

// IsList says whether the node is a sequence.
func (n Node) IsList() bool { _, ok := n.node.(*ast.SequenceNode); return ok }

// IsMapping says whether the node is a mapping.
func (n Node) IsMapping() bool { _, ok := n.pairs(); return ok }

// Text returns a scalar as it is written; anything else is a problem and gives "".
func (n Node) Text() string {
	switch v := n.node.(type) {
	case *ast.StringNode:
		return v.Value
	case *ast.LiteralNode:
		return v.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return v.GetToken().Value
	}
	n.Failf("expected text, found %s", n.Kind())
	return ""
}

// Word returns a scalar that must be one of the known words.
func (n Node) Word(what string, known ...string) string {
	w := n.Text()
	for _, k := range known {
		if w == k {
			return w
		}
	}
	if w != "" {
		n.Unknown(what, w, known)
	}
	return ""
}

// Bool returns true or false.
func (n Node) Bool() bool {
	if b, ok := n.node.(*ast.BoolNode); ok {
		return b.Value
	}
	n.Failf("expected true or false, found %s", n.Kind())
	return false
}

// Value returns what stands at the node as plain Go values: map[string]any, []any, string, float64,
// int, bool or nil. What YAML calls text stays text, 5e-1 and quoted numbers too: Numbers makes numbers of them
// where a setting can be nothing else. Duplicate keys inside are problems.
func (n Node) Value() any {
	switch v := n.node.(type) {
	case nil, *ast.NullNode:
		return nil
	case *ast.MappingNode, *ast.MappingValueNode:
		m := map[string]any{}
		n.Each(func(k string, c Node) { m[k] = c.Value() })
		return m
	case *ast.SequenceNode:
		l := []any{}
		for _, c := range n.List() {
			l = append(l, c.Value())
		}
		return l
	case *ast.BoolNode:
		return v.Value
	case *ast.IntegerNode:
		if negative, size, err := Whole(n.scalar()); err == nil && size <= math.MaxInt {
			if negative {
				return -int(size)
			}
			return int(size)
		}
		return n.Float()
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.Float()
	}
	return n.Text()
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
