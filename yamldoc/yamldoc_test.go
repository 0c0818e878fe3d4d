package yamldoc

import (
	"errors"
	"strings"
	"testing"
)

func read(t *testing.T, text string, f func(Node)) []Problem {
	t.Helper()
	n, d, err := Parse("x.yaml", []byte(text))
	if err == nil {
		f(n)
		err = d.Err()
	}
	if err == nil {
		return nil
	}
	var p *Problems
	if !errors.As(err, &p) {
		t.Fatalf("error %v (%T) is not *Problems", err, err)
	}
	return p.List
}

func TestEverythingWrongIsSaidAtOnceWithItsLine(t *testing.T) {
	got := read(t, "nam: x\nsize: big\nsize: 3\nitems:\n  - {a: 1}\n  - {b: 2}\n", func(n Node) {
		n.Fields(map[string]func(Node){
			"name": func(v Node) { v.Text() },
			"size": func(v Node) { v.Float() },
			"items": func(v Node) {
				for _, i := range v.List() {
					i.Fields(map[string]func(Node){"a": func(v Node) { v.Float() }})
				}
			},
		})
	})
	want := []struct {
		line int
		text string
	}{{1, `did you mean "name"?`}, {2, "expected a number"}, {3, "stands twice (first on line 2)"}, {6, `unknown key "b"`}}
	if len(got) != len(want) {
		t.Fatalf("got %d problems, want %d: %v", len(got), len(want), got)
	}
	for i, w := range want {
		if got[i].Line != w.line || !strings.Contains(got[i].Msg, w.text) {
			t.Errorf("problem %d: line %d %q, want line %d with %q", i, got[i].Line, got[i].Msg, w.line, w.text)
		}
	}
}

func TestScalars(t *testing.T) {
	p := read(t, "f: 1e-3\ni: 7\nb: true\ns: 3.5\nz: -0.25\n", func(n Node) {
		n.Fields(map[string]func(Node){
			"f": func(v Node) { eq(t, v.Float(), 1e-3) },
			"i": func(v Node) { eq(t, v.Int(1), 7) },
			"b": func(v Node) { eq(t, v.Bool(), true) },
			"s": func(v Node) { eq(t, v.Text(), "3.5") },
			"z": func(v Node) { eq(t, v.Float(), -0.25) },
		})
	})
	if p != nil {
		t.Fatalf("want no problem: %v", p)
	}
}

// What a number is does not depend on who asks.
func TestNumbers(t *testing.T) {
	for text, want := range map[string]float64{
		"5e-1": 0.5, "1E3": 1000, "-1.5e+2": -150, ".5": 0.5, "5.": 5, "+3": 3, "1_000": 1000, "60.0": 60,
		"0x1": 1, "-0x1F": -31, "0o17": 15, "0b11": 3, "00.5": 0.5, "0": 0, `"0.5"`: 0.5, "'7'": 7, "!!int 3": 3,
	} {
		p := read(t, "a: "+text+"\n", func(n Node) {
			n.Each(func(_ string, v Node) {
				eq(t, v.Float(), want)
				got := Numbers(v.Value())
				if i, ok := got.(int); ok {
					got = float64(i)
				}
				eq(t, got, any(want))
				if want == float64(int(want)) {
					eq(t, v.Int(-200), int(want))
				}
			})
		})
		if p != nil {
			t.Errorf("%s: want no problem: %v", text, p)
		}
	}
	for text, want := range map[string]string{
		"010":  "without leading zeros, as some programs take 010 for 8 and others for 10, found 010",
		"08":   "without leading zeros",
		"-007": "without leading zeros",
		"1:30": `expected a number, found the text "1:30"`, "big": "expected a number", ".inf": "expected a number, found .inf",
		".nan": "expected a number", "NaN": "expected a number", "Infinity": "expected a number", "1e400": "at most 1.8e308",
		"0x": "expected a number", "1e": "expected a number", "true": "expected a number", "[1]": "expected a number", "": "found nothing",
	} {
		p := read(t, "a: "+text+"\n", func(n Node) { n.Each(func(_ string, v Node) { v.Float() }) })
		if len(p) != 1 || !strings.Contains(p[0].Msg, want) {
			t.Errorf("%q: %v, want %q", text, p, want)
		}
	}
}

func TestWholeNumbers(t *testing.T) {
	for text, want := range map[string]uint64{"18446744073709551615": 1<<64 - 1, "0x1f": 31, "6e1": 60, "60.0": 60, "0": 0, `"7"`: 7} {
		if p := read(t, "a: "+text+"\n", func(n Node) { n.Each(func(_ string, v Node) { eq(t, v.Uint64(), want) }) }); p != nil {
			t.Errorf("%s: want no problem: %v", text, p)
		}
	}
	for _, text := range []string{"010", "1.5", "-1", "18446744073709551616", "x", "1e30", "{b: 1}"} {
		if p := read(t, "a: "+text+"\n", func(n Node) { n.Each(func(_ string, v Node) { v.Uint64() }) }); len(p) != 1 {
			t.Errorf("%s as 64 bits: %v", text, p)
		}
		if p := read(t, "a: "+text+"\n", func(n Node) { n.Each(func(_ string, v Node) { eq(t, v.Int(0), 0) }) }); len(p) != 1 {
			t.Errorf("%s as a whole number: %v", text, p)
		}
	}
}

// Directives belong to the beginnings of documents; a % anywhere else is what it is.
func TestDirectivesOfEachDocument(t *testing.T) {
	docs, _, err := ParseAll("x", []byte("%YAML 1.2\n%TAG ! tag:x,2000:\n---\na: |\n  %one\nb: 5%\n...\n%YAML 1.1\n%FOO\n---\na: 2\n"))
	if err != nil || len(docs) != 2 {
		t.Fatalf("%d documents, %v; want 2", len(docs), err)
	}
	docs[0].Fields(map[string]func(Node){"a": func(v Node) { eq(t, v.Text(), "%one\n") }, "b": func(v Node) { eq(t, v.Text(), "5%") }})
	docs[1].Fields(map[string]func(Node){"a": func(v Node) { eq(t, v.Int(0), 2) }})
}

// Marks, directives and encodings are skipped, or called what they are.
func TestBeginningsOfFiles(t *testing.T) {
	for _, head := range []string{"\xef\xbb\xbf", "%YAML 1.2\n---\n", "\xef\xbb\xbf%YAML 1.1\n---\n", "---\n", "# what\n", "%YAML 1.2\n%TAG ! tag:x,2000:\n---\n", "# what\n\n%FOO bar\r\n%YAML 1.2 # so\n--- # here\n"} {
		p := read(t, head+"a: 1\n", func(n Node) {
			n.Fields(map[string]func(Node){"a": func(v Node) { eq(t, v.Int(0), 1) }})
		})
		if p != nil {
			t.Errorf("%q: want no problem: %v", head, p)
		}
	}
	for text, want := range map[string]string{
		"\xff\xfea\x00:\x00": "found UTF-16", "\xfe\xff\x00a\x00:": "found UTF-16", "a\x00:\x00 \x001\x00": "found UTF-16",
		"a: 1\n\x00\x00": "another kind of file",
	} {
		if p := read(t, text, func(Node) {}); len(p) != 1 || !strings.Contains(p[0].Msg, want) {
			t.Errorf("%q: %v, want %q", text, p, want)
		}
	}
}

func eq[T comparable](t *testing.T, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a: {b: [1, 2, x]}\nc: &x 1\nd: *x\n")
	f.Add("- 1\n- 2\n")
	f.Add("a: |\n  text\nb: !!str 3\n? x\n: y\n")
	f.Fuzz(func(_ *testing.T, s string) {
		n, d, err := Parse("x", []byte(s))
		if err == nil {
			n.Value()
			n.Fields(map[string]func(Node){"a": func(v Node) { v.Float(); v.Int(0); v.Bool(); v.List() }})
			_ = d.Err()
		}
	})
}
