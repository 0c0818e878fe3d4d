package chart

import (
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

var nasty = []string{
	"rotated", "数学模型", "🚀", "👩‍🚀x", "e\u0301", "\x1b[31m", "a\tb", "🇫🇷", "\u202e", "नमस्ते", "ᄒ", "ᅡ", "ൎ", "क्", "त",
	"\u0301", "❤\ufe0f", "\u200d", "●◦▲", "", "⠂⣿", "\xff", "ﷺ", "\u0600", "ฉัน",
}

// scribble draws at random on c, also far outside.
func scribble(t *rapid.T, c *Canvas) {
	coord := rapid.OneOf(rapid.IntRange(-6, 14), rapid.SampledFrom([]int{math.MinInt, math.MaxInt, 1 << 40}))
	for range rapid.IntRange(0, 12).Draw(t, "strokes") {
		x, y := coord.Draw(t, "x"), coord.Draw(t, "y")
		style := Style{FG: Color(rapid.Uint32().Draw(t, "fg")), BG: Color(rapid.Uint32().Draw(t, "bg")), Attr: Attr(rapid.Uint8().Draw(t, "attr"))}
		switch rapid.IntRange(0, 4).Draw(t, "stroke") {
		case 0, 1:
			c.Text(x, y, rapid.SampledFrom(nasty).Draw(t, "text"), style)
		case 2:
			c.Set(x, y, rapid.Rune().Draw(t, "rune"), style)
		case 3:
			scribbleSub := c.Sub(x, y, coord.Draw(t, "w"), coord.Draw(t, "h"))
			scribbleSub.Fill('数', style)
			scribbleSub.Text(0, 0, "数学模型", style)
		case 4:
			src := NewCanvas(5, 2, Braille)
			src.Text(0, 0, rapid.SampledFrom(nasty).Draw(t, "drawn"), style)
			src.Text(1, 1, "数学", style)
			c.Draw(src.Sub(1, 0, 4, 2), x, y)
		}
	}
}

func TestCanvasStaysWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(-1, 12).Draw(t, "w"), rapid.IntRange(-1, 6).Draw(t, "h")
		c := NewCanvas(w, h, Glyphs(rapid.IntRange(0, 2).Draw(t, "glyphs")))
		scribble(t, c)
		checkLines(t, c)
		checkPairs(t, c)
		checkRendering(t, c)
	})
}

func TestWindowsKeepToThemselves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := NewCanvas(12, 6, Braille)
		c.Fill('x', Style{})
		x, y := rapid.IntRange(-2, 13).Draw(t, "wx"), rapid.IntRange(-2, 7).Draw(t, "wy")
		w, h := rapid.IntRange(-2, 14).Draw(t, "ww"), rapid.IntRange(-2, 8).Draw(t, "wh")
		scribble(t, c.Sub(x, y, w, h))
		checkOutside(t, c, x, y, w, h)
	})
}

// checkOutside checks that a canvas full of x is untouched outside the window.
func checkOutside(t *rapid.T, c *Canvas, x, y, w, h int) {
	cw, ch := c.Size()
	for cy := range ch {
		for cx := range cw {
			if (cx < x || cx >= x+w || cy < y || cy >= y+h) && c.At(cx, cy) != (Cell{"x", 1, Style{}}) {
				t.Fatalf("cell %d,%d outside the window shows %+v", cx, cy, c.At(cx, cy))
			}
		}
	}
}

// checkPairs checks that wide characters have both halves.
func checkPairs(t *rapid.T, c *Canvas) {
	w, h := c.Size()
	for y := range h {
		for x := range w {
			cell := c.At(x, y)
			if cell.Width == 2 && c.At(x+1, y).Width != 0 || cell.Width == 0 && c.At(x-1, y).Width != 2 {
				t.Fatalf("half a wide character at %d,%d", x, y)
			}
		}
	}
}

// checkRendering reads rendered lines back as a terminal would and compares the cells.
func checkRendering(t *rapid.T, c *Canvas) {
	theme := NewTheme(rapid.SampledFrom([]colorprofile.Profile{
		colorprofile.NoTTY, colorprofile.ASCII, colorprofile.ANSI, colorprofile.ANSI256, colorprofile.TrueColor,
	}).Draw(t, "profile"), rapid.Bool().Draw(t, "light"))
	w, h := c.Size()
	lines := c.Lines(theme)
	if s := c.String(theme); s != strings.Join(lines, "\n") {
		t.Fatalf("String and Lines differ")
	}
	for y := range h {
		if theme.profile == colorprofile.NoTTY && strings.Contains(lines[y], "\x1b") {
			t.Fatalf("escape sequence without a terminal: %q", lines[y])
		}
		for _, method := range []ansi.Method{ansi.GraphemeWidth, ansi.WcWidth} {
			read := uv.NewStyledString(lines[y] + "x").Lines(method)[0]
			x := 0
			for _, got := range read[:len(read)-1] {
				cell := c.At(x, y)
				if got.Content != cell.Text || got.Width != cell.Width {
					t.Fatalf("cell %d,%d is read as %q (%d), want %q (%d) in %q", x, y, got.Content, got.Width, cell.Text, cell.Width, lines[y])
				}
				want, again := theme.look(cell.Style), theme.look(fromTerminal(got.Style))
				if cell.Text == " " { // only what can be seen on a space counts
					want, again = theme.look(spaceStyle(cell.Style)), theme.look(spaceStyle(fromTerminal(got.Style)))
				}
				if again != want {
					t.Fatalf("cell %d,%d is read in style %+v, want %+v in %q", x, y, again, want, lines[y])
				}
				x += got.Width
			}
			if last := read[len(read)-1]; x != w || last.Content != "x" || !last.Style.Equal(&uv.Style{}) {
				t.Fatalf("line %q leaves its width or its style", lines[y])
			}
		}
	}
}

func TestEqualCellsGiveEqualLines(t *testing.T) {
	theme := NewTheme(colorprofile.TrueColor, false)
	draw := func(w, h int, other string) string {
		c := NewCanvas(w, h, Braille)
		c.Text(0, 0, other, Ink(Bad))
		c.Text(0, h-1, "e\u0301 数", Ink(Good).On(Surface))
		return c.Lines(theme)[h-1]
	}
	if a, b := draw(10, 2, ""), draw(10, 4, "o\u0301 学"); a != b {
		t.Errorf("%q and %q show the same cells", a, b)
	}
}

func TestMinimalEscapeSequences(t *testing.T) {
	theme := NewTheme(colorprofile.ANSI256, false)
	for _, tt := range []struct {
		name string
		draw func(*Canvas)
		want string
	}{
		{"plain", func(c *Canvas) { c.Text(0, 0, "ab", Style{}) }, "ab    "},
		{"spaces have no foreground but between words", func(c *Canvas) { c.Text(0, 0, "a b", Ink(ANSI(1))); c.Text(3, 0, "   ", Ink(ANSI(2))) }, "\x1b[31ma b\x1b[m   "},
		{"only what changes", func(c *Canvas) {
			c.Text(0, 0, "a", Ink(ANSI(1)))
			c.Text(1, 0, "b", Ink(ANSI(2)).With(Bold))
			c.Text(2, 0, "c", Ink(ANSI(2)).With(Bold|Underline))
			c.Text(3, 0, "d", Ink(ANSI(2)).With(Underline))
			c.Text(4, 0, "e", Style{BG: ANSI(4)}.With(Underline))
		}, "\x1b[31ma\x1b[1;32mb\x1b[4mc\x1b[0;4;32md\x1b[39;44me\x1b[m "},
	} {
		c := NewCanvas(6, 1, Braille)
		tt.draw(c)
		if got := c.Lines(theme)[0]; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestWithoutColours(t *testing.T) {
	c := NewCanvas(3, 1, Braille)
	c.Text(0, 0, "a", Ink(Bad).With(Bold))
	c.Text(1, 0, "b", Ink(Good).On(Selection))
	c.Text(2, 0, "c", Ink(Good).On(Surface))
	for profile, want := range map[colorprofile.Profile]string{
		colorprofile.Unknown: "abc",
		colorprofile.NoTTY:   "abc",
		colorprofile.ASCII:   "\x1b[1ma\x1b[0;7mb\x1b[mc",
		colorprofile.ANSI:    "\x1b[1;91ma\x1b[0;7;92mb\x1b[0;92mc\x1b[m",
	} {
		if got := c.Lines(NewTheme(profile, false))[0]; got != want {
			t.Errorf("%v: %q, want %q", profile, got, want)
		}
	}
	if got := c.Lines(nil)[0]; got != "abc" {
		t.Errorf("without a theme: %q", got)
	}
}

func TestDrawComposes(t *testing.T) {
	src := NewCanvas(4, 2, Braille)
	src.Text(0, 0, "数e\u0301x", Ink(Good))
	src.Text(0, 1, "abcd", Style{})
	c := NewCanvas(6, 3, Braille)
	c.Fill('.', Style{})
	c.Draw(src, 1, 1)
	c.Draw(src, -1, 0) // cuts the wide character: its right half is a space
	if got, want := c.Plain(), " e\u0301x...\nbcde\u0301x.\n.abcd.\n"; got != want {
		t.Errorf("got\n%s want\n%s", got, want)
	}
	if c.At(0, 0).Style != Ink(Good) {
		t.Errorf("style of the cut half is %v", c.At(0, 0).Style)
	}
}

func TestResizeForgets(t *testing.T) {
	c := NewCanvas(4, 2, Block)
	c.Text(0, 0, "数e\u0301", Ink(Good))
	c.Resize(3, 1)
	if got := c.Plain(); got != "   \n" || c.At(0, 0).Style != (Style{}) || c.Glyphs() != Block {
		t.Errorf("resized canvas shows %q", got)
	}
	if w, h := NewCanvas(math.MaxInt, -1, Braille).Size(); w != MaxSide || h != 0 {
		t.Errorf("canvas of an absurd size is %d×%d", w, h)
	}
	var zero Canvas
	zero.Text(0, 0, "a", Style{})
	zero.Resize(1, 1)
	zero.Text(0, 0, "a", Style{})
	if zero.Plain() != "a\n" {
		t.Errorf("zero canvas shows %q", zero.Plain())
	}
}

// fromTerminal is a terminal's style as a canvas has it.
func fromTerminal(s uv.Style) Style {
	style := Style{FG: fromColor(s.Fg), BG: fromColor(s.Bg)}
	for _, a := range [...]struct {
		from uint8
		to   Attr
	}{
		{uv.AttrBold, Bold},
		{uv.AttrFaint, Faint},
		{uv.AttrItalic, Italic},
		{uv.AttrReverse, Reverse},
		{uv.AttrStrikethrough, Strike},
	} {
		if s.Attrs&a.from != 0 {
			style.Attr |= a.to
		}
	}
	if s.Underline != 0 {
		style.Attr |= Underline
	}
	return style
}

func fromColor(c color.Color) Color {
	switch c := c.(type) {
	case nil:
		return Default
	case ansi.BasicColor:
		return ANSI(uint8(c))
	case ansi.IndexedColor:
		return ANSI(uint8(c))
	default:
		r, g, b, a := c.RGBA()
		if a == 0 {
			return Default
		}
		return RGB(uint8(r>>8), uint8(g>>8), uint8(b>>8))
	}
}
