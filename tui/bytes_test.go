package tui

import (
	"bytes"
	"context"
	"testing"

	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"

	"parfait/explore"
	"parfait/explore/exploretest"
	"parfait/study"
)

// wire is the renderer of Bubble Tea as it is on a full screen: what it writes is what goes over the line.
type wire struct {
	buf  bytes.Buffer
	scr  *uv.TerminalRenderer
	cell uv.ScreenBuffer
	last string
}

func newWire(w, h int, profile colorprofile.Profile) *wire {
	r := &wire{cell: uv.NewScreenBuffer(w, h)}
	r.scr = uv.NewTerminalRenderer(&r.buf, []string{"TERM=xterm-256color"})
	r.scr.SetColorProfile(profile)
	r.scr.SetTabStops(-1)
	r.scr.SetBackspace(true)
	r.scr.SetScrollOptim(true)
	r.scr.SaveCursor()
	r.scr.SetFullscreen(true)
	r.scr.SetRelativeCursor(false)
	r.scr.Resize(w, h)
	r.scr.Erase()
	return r
}

// frame shows a frame and returns how many bytes that took, with the two sequences that make it whole.
func (r *wire) frame(t testing.TB, content string) int {
	t.Helper()
	r.cell.Clear()
	uv.NewStyledString(content).Draw(r.cell, r.cell.Bounds())
	r.scr.Render(r.cell.RenderBuffer)
	if err := r.scr.Flush(); err != nil {
		t.Fatal(err)
	}
	n := r.buf.Len()
	r.last = r.buf.String()
	r.buf.Reset()
	if n > 0 {
		n += len(ansi.SetModeSynchronizedOutput + ansi.ResetModeSynchronizedOutput)
	}
	return n
}

func TestBytesAKey(t *testing.T) {
	d := drive(t, exploretest.Options{Trials: 34, Running: 2}, 160, 48)
	w := newWire(160, 48, colorprofile.TrueColor)
	full := w.frame(t, d.e.View().Content)
	if n := w.frame(t, d.e.View().Content); n != 0 {
		t.Errorf("the same frame again takes %d bytes", n)
	}
	most := func(keys []string, budget int) {
		t.Helper()
		worst, sum, at := 0, 0, ""
		for _, k := range keys {
			_, cmd := d.e.Update(keyPress(k)) // at first the pane with the focus…
			n := w.frame(t, d.e.View().Content)
			d.do(cmd) // …then the other one
			n += w.frame(t, d.e.View().Content)
			sum += n
			if n > worst {
				worst, at = n, k
			}
		}
		t.Logf("%d keys: worst %d bytes (%s), mean %d; the first frame %d", len(keys), worst, at, sum/len(keys), full)
		if worst > budget {
			t.Errorf("%s takes %d bytes, the budget is %d", at, worst, budget)
		}
	}
	repeat := func(n int, keys ...string) []string {
		var out []string
		for range n {
			out = append(out, keys...)
		}
		return out
	}
	d.press("home")
	w.frame(t, d.e.View().Content)
	most(append(repeat(12, "right"), repeat(10, "left")...), 800)
	dense := exploretest.Snapshot(exploretest.Options{Trials: 34, FrontSize: 3000}).Analysis.Front
	d.e.near = near{find: func(explore.State, context.Context, *study.Analysis) ([]study.FrontPoint, error) {
		return dense, nil
	}}
	d.press("home")
	w.frame(t, d.e.View().Content)
	most(append(repeat(12, "right"), repeat(10, "left")...), 800) // by points between
	d.press("n")
	w.frame(t, d.e.View().Content)
	d.press("tab")
	w.frame(t, d.e.View().Content)
	most(append(repeat(20, "l"), repeat(20, "h", "j", "L", "H", "H")...), 1500)
}
