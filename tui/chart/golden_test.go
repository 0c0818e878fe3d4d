package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/exp/golden"
)

// The golden files of every plot: text and style apart, and pictures. After a change that is
// meant, run go test ./tui/chart -update and look at the difference.
func TestGolden(t *testing.T) {
	for _, d := range demos() {
		draw := func(w, h int, g Glyphs) *Canvas {
			c := NewCanvas(w, h, g)
			d.draw(c)
			return c
		}
		for g := Braille; g <= ASCII; g++ {
			t.Run(fmt.Sprintf("%s/80x22/%v", d.name, g), func(t *testing.T) {
				golden.RequireEqual(t, draw(80, 22, g).Plain())
			})
		}
		t.Run(d.name+"/40x11/braille", func(t *testing.T) {
			golden.RequireEqual(t, draw(40, 11, Braille).Plain())
		})
		t.Run(d.name+"/80x22/style", func(t *testing.T) {
			golden.RequireEqual(t, draw(80, 22, Braille).StyleMap())
		})
	}
}

func TestGoldenPictures(t *testing.T) {
	for _, d := range demos() {
		for _, light := range []bool{false, true} {
			if light && d.name != "scatter" {
				continue
			}
			t.Run(fmt.Sprintf("%s/light=%v.svg", d.name, light), func(t *testing.T) {
				c := NewCanvas(80, 22, Braille)
				d.draw(c)
				golden.RequireEqual(t, c.SVG(NewTheme(colorprofile.TrueColor, light), d.name))
			})
		}
	}
}

func TestPicturesAreWellFormed(t *testing.T) {
	for _, d := range demos() {
		for g := Braille; g <= ASCII; g++ {
			for _, size := range [][2]int{{0, 0}, {1, 1}, {7, 3}, {80, 22}} {
				c := NewCanvas(size[0], size[1], g)
				d.draw(c)
				picture := c.SVG(NewTheme(colorprofile.NoTTY, true), `</title><script>"&`)
				if words := readPicture(t, picture); !strings.HasPrefix(words, "\n"+`</title><script>"&`) {
					t.Errorf("%s: title is lost in %q", d.name, words[:40])
				}
				if bytes.Contains(picture, []byte("NaN")) || bytes.Contains(picture, []byte("Inf")) {
					t.Errorf("%s: picture with coordinates that are no numbers", d.name)
				}
			}
		}
	}
}

// readPicture is the text in a picture, which must be well-formed.
func readPicture(t *testing.T, picture []byte) string {
	t.Helper()
	var words strings.Builder
	for d := xml.NewDecoder(bytes.NewReader(picture)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return words.String()
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, picture)
		}
		if s, ok := token.(xml.CharData); ok {
			words.Write(s)
		}
	}
}

func TestPictureShowsText(t *testing.T) {
	c := NewCanvas(30, 2, Braille)
	c.Text(0, 0, "a <b> & \"c\" 数学 e\u0301", Ink(Good).With(Bold|Underline))
	c.Text(0, 1, "one", Style{Attr: Reverse})
	words := readPicture(t, c.SVG(nil, ""))
	for _, want := range []string{"a <b> & \"c\"", "数", "学", "e\u0301", "one"} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is missing in %q", want, words)
		}
	}
}

// TestPictureCoversEveryShape checks that everything drawn as a shape draws something.
func TestPictureCoversEveryShape(t *testing.T) {
	var shapes []rune
	for r := range strokes {
		shapes = append(shapes, r)
	}
	for r := range markPaths {
		shapes = append(shapes, r)
	}
	for r := '▀'; r <= '▟'; r++ {
		shapes = append(shapes, r)
	}
	for _, r := range shapes {
		c := NewCanvas(1, 1, Braille)
		c.Set(0, 0, r, Ink(Good))
		if p := c.SVG(nil, ""); !bytes.Contains(p, []byte(`d="M`)) {
			t.Errorf("%c draws nothing: %s", r, p)
		}
	}
}
