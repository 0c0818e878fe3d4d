package tui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"parfait/merge"
)

// Reading models and checking exports take minutes where the models are large: the header says how far they
// are, and no longer than they last, even where they panic.
func TestLongWorkSaysHowFarItIs(t *testing.T) {
	d := drive(t, states["sampling"], 160, 48)
	for _, tt := range []struct {
		what  string
		begin func(*progress)
	}{
		{"reading the models", func(p *progress) { its[*modelsView](d.e).reading = p }},
		{"checking the export", func(p *progress) { its[*exportsView](d.e).checking = p }},
	} {
		p := newProgress()
		tt.begin(p)
		d.sees(tt.what)
		p.tell(merge.Progress{Done: 1, Total: 100})
		p.tell(merge.Progress{Done: 43, Total: 100, Rate: 1.2e9, Remaining: 12 * time.Second})
		d.send(p.next()())
		d.sees(tt.what + " 43% 1.2 GB/s 12 s")
		msg := d.e.work("fail", func() tea.Msg {
			defer p.end()
			panic("broken")
		})()
		d.send(msg)
		p.tell(merge.Progress{}) // late, and no reason to panic
		<-p.news
		d.send(p.next()())
		if strings.Contains(d.text(), tt.what) {
			t.Errorf("%s is over and still said:\n%s", tt.what, d.text())
		}
	}
	d.press("5 i")
	if its[*modelsView](d.e).reading != nil || its[*modelsView](d.e).found == nil {
		t.Errorf("after reading the models: under way %v, found %v; want nothing and something", its[*modelsView](d.e).reading, its[*modelsView](d.e).found)
	}
	d.press("6 v")
	if its[*exportsView](d.e).checking != nil || len(its[*exportsView](d.e).checked) != 1 {
		t.Errorf("after checking an export: under way %v, found %v; want nothing and one", its[*exportsView](d.e).checking, its[*exportsView](d.e).checked)
	}
}
