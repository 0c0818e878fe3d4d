package tui

import (
	"testing"

	"parfait/explore/exploretest"
	"parfait/study"
)

// Progress waits for its frame, the newest wins; what somebody did is shown at once.
func TestNews(t *testing.T) {
	at := func(trials int, change func(*study.Snapshot)) *study.Snapshot {
		s := exploretest.Snapshot(exploretest.Options{Trials: trials})
		if change != nil {
			change(s)
		}
		return s
	}
	d := drive(t, exploretest.Options{Trials: 30}, 80, 24)
	d.sees("30/60")
	d.send(snapshotMsg{at(31, nil)}) // the first frame was just drawn
	d.sees("30/60")
	d.send(snapshotMsg{at(32, nil)})
	d.sees("30/60")
	d.send(restedMsg{})
	d.sees("32/60")
	d.send(snapshotMsg{at(33, nil)})
	d.send(snapshotMsg{at(34, func(s *study.Snapshot) { s.Activity.Budget = 61 })})
	d.sees("34/61")
	d.send(restedMsg{}) // nothing came since
	d.send(snapshotMsg{at(35, func(s *study.Snapshot) { s.Activity.Budget = 61 })})
	d.sees("35/61")
	for name, change := range map[string]func(*study.Snapshot){
		"a pick":   func(s *study.Snapshot) { s.Picks = append(s.Picks, study.Pick{Name: "mine"}) },
		"a pause":  func(s *study.Snapshot) { s.Activity.Runner = study.Paused },
		"a retry":  func(s *study.Snapshot) { s.Activity.Done-- },
		"exported": func(s *study.Snapshot) { s.Exports = append(s.Exports, study.Export{Name: "mine"}) },
	} {
		if !somebodyDid(at(30, nil), at(30, change)) {
			t.Errorf("%s has to wait", name)
		}
	}
	if somebodyDid(at(30, nil), at(31, nil)) {
		t.Error("a finished trial does not wait")
	}
}
