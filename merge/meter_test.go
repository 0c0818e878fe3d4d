package merge

import (
	"path/filepath"
	"testing"
	"time"

	"parfait/merge/method"
)

// What is announced is what is done, to the byte, for every method: also where tensors are read for
// their statistics first.
func TestProgressEndsWhereItSaid(t *testing.T) {
	base, models, information := pinnedFamily(t)
	for _, info := range method.All() {
		spec := Spec{Base: base, Models: models, Method: info.Name}
		if n := info.Models[1]; n > 0 {
			spec.Models = models[:n]
		}
		for _, def := range info.Params {
			if def.Kind == method.Paths {
				spec.Params, spec.Models = map[string]any{def.Name: information}, models[:3]
			}
		}
		specs := []Spec{spec}
		if _, ok := info.Param("trim"); ok {
			spec.Params = map[string]any{"trim": "global"}
			specs = append(specs, spec)
		}
		for _, spec := range specs {
			p := plan(t, spec)
			var last Progress
			outs := []Output{{At: withWeights(t, spec, 0.5, 0.3, 0.2), Target: filepath.Join(t.TempDir(), "out")}}
			j, err := p.stage(t.Context(), outs, WriteOptions{Workers: 2}, func(p Progress) { last = p })
			must(t, err)
			done, total := j.meter.done.Load(), j.meter.total.Load()
			must(t, j.abandon())
			if done != total || last.Done != last.Total || last.Total != total || total == 0 {
				t.Errorf("%s %v: %d bytes done, %d announced; the last report was %+v", info.Name, spec.Params, done, total, last)
			}
		}
	}
}

// What is known already took no time, and says nothing of how fast the rest goes.
func TestRateIsOfWhatIsRead(t *testing.T) {
	var last Progress
	m := startMeter("hash", 300, func(p Progress) { last = p })
	m.start = m.start.Add(-time.Second)
	m.skip(200)
	m.end(false)
	if m.say(m.done.Load()); last.Done != 200 || last.Rate != 0 || last.Remaining != 0 {
		t.Errorf("where nothing was read: %+v", last)
	}
	m.add(50)
	if m.say(m.done.Load()); last.Done != 250 || last.Rate > 50 || last.Rate < 5 || last.Remaining < time.Second {
		t.Errorf("50 bytes were read in a second: %+v", last)
	}
}
