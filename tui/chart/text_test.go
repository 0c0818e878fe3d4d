package chart

import (
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

func TestTextDrawsWhatEveryTerminalAgreesOn(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "gsm8k", "gsm8k"},
		{"wide", "数学", "数学"},
		{"combining", "e\u0301te\u0301", "e\u0301te\u0301"},
		{"emoji", "🚀!", "🚀!"},
		{"joined emoji", "👩‍🚀!", "👩!"},
		{"skin tone", "👍🏽!", "👍!"},
		{"variation selector", "❤\ufe0f!", "❤!"},
		{"keycap", "1\ufe0f\u20e3!", "1!"},
		{"flag", "🇫🇷!", "?!"},
		{"tab and newline", "a\tb\nc\rd", "a b c d"},
		{"crlf is one", "a\r\nb", "a b"},
		{"escape", "\x1b[31mred", "?[31mred"},
		{"c1 control", "a\u009bb", "a?b"},
		{"line separator", "a\u2028b", "a b"},
		{"bidirectional override", "a\u202eb", "ab"},
		{"zero width", "a\u200bb\ufeffc", "abc"},
		{"lone combining mark", "\u0301a", "a"},
		{"invalid", "a\xffb", "a?b"},
		{"private use", "a\ue0a0b", "a?b"},
		{"no-break space", "a\u00a0b", "a\u00a0b"},
		{"ideographic space", "a\u3000b", "a\u3000b"},
		{"stacked marks", "a" + strings.Repeat("\u0301", 20) + "b", "ab"},
		{"conjunct", "नमस्ते", "नमसते"},
		{"hangul jamo", "\u1112\u1161\u11ab", "한"},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := NewCanvas(30, 1, Braille)
			n := c.Text(0, 0, tt.in, Style{})
			got := strings.TrimRight(c.Plain(), " \n")
			if got != strings.TrimRight(tt.want, " ") {
				t.Errorf("drew %q, want %q", got, tt.want)
			}
			if n != Width(tt.in) || n != ansi.StringWidth(tt.want) {
				t.Errorf("took %d columns, Width says %d, the terminal %d", n, Width(tt.in), ansi.StringWidth(tt.want))
			}
		})
	}
}

func TestASCIIFoldsText(t *testing.T) {
	c := NewCanvas(40, 1, ASCII)
	c.Text(0, 0, "╭─ ≥ .90 ✓ ±.01 数 é ñ … ⠂ Ωλ ─╮", Style{})
	if got, want := strings.TrimRight(c.Plain(), " \n"), "+- > .90 v+-.01 ?? e n . . ?l -+"; got != want {
		t.Errorf("drew %q, want %q", got, want)
	}
}

func TestFitAndClip(t *testing.T) {
	for _, tt := range []struct {
		in        string
		w         int
		clip, fit string
	}{
		{"rotated", 10, "rotated", "rotated   "},
		{"rotated", 7, "rotated", "rotated"},
		{"rotated", 4, "rot…", "rot…"},
		{"rotated", 1, "…", "…"},
		{"rotated", 0, "", ""},
		{"rotated", -3, "", ""},
		{"数学模型", 6, "数学…", "数学… "},
		{"数学模型", 2, "…", "… "},
		{"", 2, "", "  "},
	} {
		if got := Clip(tt.in, tt.w); got != tt.clip {
			t.Errorf("Clip(%q, %d) = %q, want %q", tt.in, tt.w, got, tt.clip)
		}
		if got := Fit(tt.in, tt.w); got != tt.fit {
			t.Errorf("Fit(%q, %d) = %q, want %q", tt.in, tt.w, got, tt.fit)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{
		"rotated", "数学", "👩‍🚀🇫🇷❤\ufe0f", "\x1b[31mred\t\n\u009b", "e\u0301\u0301", "\u202e\u200b", "a\xff\xfe",
		"\u1112\u1161\u11ab", "\U000e0041\U0001f3f4", "नमस्ते", "1\ufe0f\u20e3", "0\u0605", "0\xe5",
	} {
		f.Add(s, 3, uint8(7))
	}
	f.Fuzz(func(t *testing.T, s string, x int, w uint8) {
		for g := Braille; g <= ASCII; g++ {
			c := NewCanvas(int(w), 3, g)
			c.Text(x, 1, s, Style{})
			if n := Width(Fit(s, int(w))); n != int(w) {
				t.Fatalf("Fit(%q, %d) is %d wide", s, w, n)
			}
			checkLines(t, c)
			lines := strings.Split(c.Plain(), "\n")
			if lines[0] != strings.Repeat(" ", int(w)) || lines[2] != lines[0] {
				t.Fatalf("Text(%q) left its line", s)
			}
		}
	})
}

// checkLines checks what holds for every canvas: lines exactly as wide as the canvas, to terminals that know
// grapheme clusters and to those that do not, without control characters, and ASCII where asked for.
func checkLines(t interface {
	Helper()
	Fatalf(string, ...any)
}, c *Canvas,
) {
	t.Helper()
	w, h := c.Size()
	lines := strings.Split(strings.TrimSuffix(c.Plain(), "\n"), "\n")
	if h > 0 && len(lines) != h {
		t.Fatalf("%d lines, want %d", len(lines), h)
	}
	for _, line := range lines[:h] {
		if a, b := ansi.StringWidth(line), ansi.StringWidthWc(line); a != w || b != w {
			t.Fatalf("line %q is %d or %d wide, want %d", line, a, b, w)
		}
		for _, r := range line {
			if unicode.IsControl(r) || r == unicode.ReplacementChar || c.Glyphs() == ASCII && r > 0x7e {
				t.Fatalf("line %q holds %U with %v glyphs", line, r, c.Glyphs())
			}
			if c.Glyphs() == Block && r > 0x2800 && r <= 0x28ff {
				t.Fatalf("line %q holds braille", line)
			}
		}
	}
}
