package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"

	"parfait/problem"
	"parfait/tui/chart"
)

func front() Figure {
	var predicted, onFront, measured []chart.Point
	var attained []chart.XY
	for i := range 41 {
		t := float64(i) / 40
		x, y := .6+.36*t, .95-.25*t*t*t-.02*t
		predicted = append(predicted, chart.Point{X: x, Y: y, Value: t})
		measured = append(measured, chart.Point{X: x - .1*math.Mod(7.3*t, 1), Y: y - .1*math.Mod(3.7*t+.3, 1)})
		if i%8 == 0 {
			onFront = append(onFront, chart.Point{X: x - .005, Y: y - .01})
			attained = append(attained, chart.XY{X: x - .005, Y: y - .01})
		}
	}
	hand := predicted[24]
	hand.Label, hand.ErrX, hand.ErrY = "knee", .02, .03
	return Figure{
		Title: "digits-3: mirrored against rotated",
		Scatter: &chart.Scatter{
			X: chart.Axis{Label: "rotated", Format: chart.Rate}, Y: chart.Axis{Label: "mirrored", Format: chart.Rate},
			Attained: attained,
			Layers: []chart.Layer{
				{Mark: chart.MarkMeasured, Points: measured},
				{Mark: chart.MarkPredicted, Points: predicted},
				{Mark: chart.MarkOnFront, Points: onFront},
				{Mark: chart.MarkModel, Points: []chart.Point{{X: .52, Y: .9, Label: "mirrored <&> é数学"}, {X: .95, Y: .62, Label: "rotated"}}},
				{Mark: chart.MarkUniform, Points: []chart.Point{{X: .7, Y: .8, Label: "uniform"}}},
				{Mark: chart.MarkKnee, Points: []chart.Point{{X: .85, Y: .8}}},
				{Mark: chart.MarkPinned, Points: []chart.Point{{X: .9, Y: .78, Label: "A", Faded: true}}},
				{Mark: chart.MarkInHand, Points: []chart.Point{hand}},
			},
		},
		Keys: []Key{{chart.MarkPredicted, "predicted front"}, {chart.MarkOnFront, "measured, on the front"}, {chart.MarkMeasured, "measured"}, {chart.MarkModel, "a model"}},
	}
}

// scaled is front with colours by a third value, minimised, on dark paper, with a band and a line.
func scaledFront() Figure {
	f := front()
	s := f.Scatter
	s.Layers[1].Scale = &chart.Range{Hi: 1}
	s.X.Range, s.MinX, s.MinY = chart.Range{Lo: 1, Hi: .4}, true, true
	s.Band = []chart.Interval{{X: .5, Lo: .6, Hi: .7}, {X: .9, Lo: .8, Hi: .9}}
	s.Curves = []chart.Curve{{Points: []chart.XY{{X: .3, Y: .6}, {X: 1.2, Y: .9}}, Dashed: true, Color: chart.Muted}}
	f.Value, f.Dark = "upright", true
	return f
}

func TestGolden(t *testing.T) {
	for name, f := range map[string]Figure{"front": front(), "scaled": scaledFront(), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			picture, err := Draw(f, SVG)
			if err != nil {
				t.Fatal(err)
			}
			golden.RequireEqual(t, picture)
		})
	}
}

func TestSameDataSameBytes(t *testing.T) {
	for _, format := range Formats {
		t.Run(string(format), func(t *testing.T) {
			pictures := make(chan []byte)
			for range 2 {
				go func() {
					b, err := Draw(scaledFront(), format)
					if err != nil {
						t.Error(err)
					}
					pictures <- b
				}()
			}
			if a, b := <-pictures, <-pictures; !bytes.Equal(a, b) || len(a) == 0 {
				t.Errorf("%d and %d bytes differ", len(a), len(b))
			}
		})
	}
}

func TestFormatsAreWhatTheySay(t *testing.T) {
	f := front()
	f.Width, f.Height = 300, 200
	draw := func(format Format) []byte {
		b, err := Draw(f, format)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	img, err := png.Decode(bytes.NewReader(draw(PNG)))
	if err != nil || img.Bounds().Dx() != 800 || img.Bounds().Dy() != 533 {
		t.Errorf("PNG of %v, %v", img.Bounds(), err)
	}
	if b := draw(PDF); !bytes.HasPrefix(b, []byte("%PDF-")) || !bytes.Contains(b, []byte("D:20000101000000")) {
		t.Errorf("PDF is %.20q, and says when it was made", b)
	}
	words := readSVG(t, draw(SVG))
	for _, want := range []string{f.Title, "rotated", "mirrored <&> é数学", "predicted front", ".8"} {
		if !strings.Contains(words, want) {
			t.Errorf("SVG lacks %q", want)
		}
	}
}

// readSVG is the text of an SVG picture, which must be well-formed.
func readSVG(t interface{ Fatalf(string, ...any) }, picture []byte) string {
	var words strings.Builder
	for d := xml.NewDecoder(bytes.NewReader(picture)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return words.String()
		}
		if err != nil {
			t.Fatalf("%v in\n%.2000s", err, picture)
		}
		if s, ok := token.(xml.CharData); ok {
			words.Write(s)
		}
	}
}

func TestWildDataDraws(t *testing.T) {
	number := rapid.OneOf(rapid.Float64Range(-1, 2), rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(1), math.Inf(-1), 1e300, -1e308, 5e-324}))
	text := rapid.SampledFrom([]string{"", "rotated", "数学", "👩‍🚀", "a\x1b[31m\x00\xff", "]]>&<"})
	rapid.Check(t, func(t *rapid.T) {
		xy := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chart.XY { return chart.XY{X: number.Draw(t, "x"), Y: number.Draw(t, "y")} }), 0, 4)
		s := &chart.Scatter{
			X: chart.Axis{Label: text.Draw(t, "xlabel"), Range: chart.Range{Lo: number.Draw(t, "lo"), Hi: number.Draw(t, "hi")}},
			Y: chart.Axis{Label: text.Draw(t, "ylabel")}, Attained: xy.Draw(t, "attained"),
			MinX: rapid.Bool().Draw(t, "minX"), MinY: rapid.Bool().Draw(t, "minY"),
			Curves: []chart.Curve{{Points: xy.Draw(t, "curve")}},
		}
		for _, p := range xy.Draw(t, "band") {
			s.Band = append(s.Band, chart.Interval{X: p.X, Lo: p.Y, Hi: number.Draw(t, "to")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "layers") {
			l := chart.Layer{Mark: chart.Mark(rapid.IntRange(0, 8).Draw(t, "mark"))}
			if rapid.Bool().Draw(t, "scaled") {
				l.Scale = &chart.Range{Lo: number.Draw(t, "from"), Hi: number.Draw(t, "upto")}
			}
			for _, p := range xy.Draw(t, "points") {
				l.Points = append(l.Points, chart.Point{X: p.X, Y: p.Y, Label: text.Draw(t, "label"), ErrX: number.Draw(t, "ex"), ErrY: number.Draw(t, "ey"), Value: number.Draw(t, "v")})
			}
			s.Layers = append(s.Layers, l)
		}
		f := Figure{Scatter: s, Title: text.Draw(t, "title"), Value: text.Draw(t, "value")}
		for _, format := range []Format{SVG, PDF} {
			b, err := Draw(f, format)
			if err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			if format == SVG {
				readSVG(t, b)
				if bytes.Contains(b, []byte("NaN")) {
					t.Fatalf("coordinates that are no numbers")
				}
			}
		}
	})
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  func() error
		want Code
	}{
		{"unknown format", func() error { _, err := Draw(front(), "gif"); return err }, UnknownFormat},
		{"file without a format", func() error { _, err := FormatOf("front"); return err }, UnknownFormat},
		{"file of another format", func() error { _, err := FormatOf("front.jpeg"); return err }, UnknownFormat},
		{"too small", func() error { _, err := Draw(Figure{Width: 10}, SVG); return err }, BadSize},
		{"too large", func() error { _, err := Draw(Figure{Height: 1e9}, PNG); return err }, BadSize},
		{"not a size", func() error { _, err := Draw(Figure{Height: math.NaN()}, PNG); return err }, BadSize},
	} {
		if err := tt.err(); problem.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want code %s", tt.name, err, tt.want)
		}
	}
	for _, format := range Formats {
		if got, err := FormatOf(fmt.Sprintf("a.b/front.%s", strings.ToUpper(string(format)))); err != nil || got != format {
			t.Errorf("format of a .%s file is %q, %v", format, got, err)
		}
	}
}

// Labels lie where they hide no other label, and as few marks as can be.
func TestLabelsKeepClearOfEachOther(t *testing.T) {
	w := &writer{area: box(0, 0, 300, 200), style: plot.New().X.Tick.Label}
	at := vg.Point{X: 150, Y: 100}
	for i := range 600 { // marks everywhere: no place is free
		x, y := vg.Length(i%30*10), vg.Length(i/30*10)
		w.marks = append(w.marks, box(x, y, x+4, y+4))
	}
	for _, label := range []string{"knee", "pin 1", "best mirrored", "in hand"} {
		r, hidden, ok := w.place(at, label)
		if !ok || !hidden || !within(r, w.area) {
			t.Errorf("%s lies at %v: hides %v, found %v", label, r, hidden, ok)
		}
	}
	for i, a := range w.labels {
		for _, b := range w.labels[:i] {
			if shared(a, b) > 0 {
				t.Errorf("labels at %v and %v", a, b)
			}
		}
	}
	if _, _, ok := w.place(at, strings.Repeat("too long for the area ", 5)); ok {
		t.Error("a label wider than the area has a place")
	}
}
