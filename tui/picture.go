package tui

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"parfait/tui/chart"
	"parfait/tui/figure"
)

// picturesFolder is where pictures go that are named without a folder.
const picturesFolder = "pictures"

// askPicture asks for a file and writes the front, or the screen as it is, into it.
func askPicture(e *explorer) tea.Cmd {
	screen := chart.NewCanvas(e.w, e.h, e.glyphs)
	screen.Draw(e.screen(), 0, 0)
	return e.ask(prompt{
		title: "Picture", label: "file", value: e.pictureName(), replace: true,
		help: "front.svg, .png or .pdf: the front as a figure. screen.svg: this screen from its own cells. Without a folder it goes to " + picturesFolder + "/ in the study; nothing is overwritten.",
		done: func(e *explorer, v string) (tea.Cmd, string) {
			file, wrong := e.pictureFile(v)
			if wrong != "" {
				return nil, wrong
			}
			draw, wrong := e.picture(file, screen)
			if wrong != "" {
				return nil, wrong
			}
			return e.work("save the picture", func() tea.Msg {
				b, err := draw()
				if err == nil {
					err = create(file, b)
				}
				if err != nil {
					return refused(err)
				}
				return said("saved " + file)
			}), ""
		},
	})
}

// pictureName says what the picture shows.
func (e *explorer) pictureName() string {
	at := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(e.read.Name))
	return fmt.Sprintf("front-%d-%s.svg", e.snap.Activity.Done, at)
}

// pictureFile is where a picture goes. Over SSH that is in the study, wherever else somebody would like it.
func (e *explorer) pictureFile(v string) (file, wrong string) {
	switch {
	case v == "":
		return "", "expected the name of a file"
	case e.o.Remote && (filepath.Base(v) != v || strings.HasPrefix(v, ".")):
		return "", "expected a name without a folder"
	case filepath.Base(v) == v:
		return filepath.Join(e.snap.Dir, picturesFolder, v), ""
	}
	return v, ""
}

// picture is what draws into a file of that name.
func (e *explorer) picture(file string, screen *chart.Canvas) (draw func() ([]byte, error), wrong string) {
	format, err := figure.FormatOf(file)
	if err != nil {
		return nil, "expected a name that ends in .svg, .png or .pdf"
	}
	if strings.HasPrefix(filepath.Base(file), "screen") {
		if format != figure.SVG {
			return nil, "a screen is saved as .svg"
		}
		theme, name := e.theme, e.snap.Name
		return func() ([]byte, error) { return screen.SVG(theme, "parfait: "+name), nil }, ""
	}
	if e.analysis() == nil {
		return nil, "there is no front yet"
	}
	p := frontPane{props: e.props, zoom: its[*frontView](e).zoom}
	if p.read.Infeasible != "" {
		// On the screen everything is dimmed then, and words say why. A picture would be all grey without a word.
		p.state.Floors = nil
	}
	s := p.scatter()
	for i := 1; i < len(s.Layers); i++ { // rings do not hide what they are around
		if s.Layers[i].Mark == chart.MarkPredicted && s.Layers[i-1].Mark == chart.MarkOnFront {
			s.Layers[i-1], s.Layers[i] = s.Layers[i], s.Layers[i-1]
		}
	}
	names := e.columns()
	s.X.Label, s.Y.Label = names[e.state.AxisX], names[e.state.AxisY]
	f := figure.Figure{Scatter: s, Title: e.snap.Name, Dark: false, Keys: []figure.Key{
		{Mark: chart.MarkPredicted, Text: "predicted front"},
		{Mark: chart.MarkOnFront, Text: "measured, on the front"},
		{Mark: chart.MarkMeasured, Text: "measured"},
		{Mark: chart.MarkModel, Text: "a model"},
		{Mark: chart.MarkKnee, Text: "knee"},
		{Mark: chart.MarkInHand, Text: "in hand"},
	}}
	if len(p.pins) > 0 {
		f.Keys = append(f.Keys, figure.Key{Mark: chart.MarkPinned, Text: "pinned"})
	}
	if c := e.state.Colour; c >= 0 {
		f.Value, f.ValueFormat = names[c], e.columnFormat(c)
	}
	return func() ([]byte, error) { return figure.Draw(f, format) }, ""
}

// create writes a file that must not exist.
func create(file string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists, and nothing is overwritten: choose another name", file)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}
