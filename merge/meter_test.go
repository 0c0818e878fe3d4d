package merge

import (
	"context"
	"path/filepath"
	"testing"

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
			var done, total int64
			var last Progress
			o := WriteOptions{Workers: 2, before: func(_ context.Context, j *job) error {
				done, total = j.meter.done.Load(), j.meter.total.Load()
				return nil
			}}
			outs := []Output{{At: withWeights(t, spec, 0.5, 0.3, 0.2), Target: filepath.Join(t.TempDir(), "out")}}
			_, err := p.Write(t.Context(), outs, o, func(p Progress) { last = p })
			must(t, err)
			if done != total || last.Done != last.Total || last.Total != total || total == 0 {
				t.Errorf("%s %v: %d bytes done, %d announced; the last report was %+v", info.Name, spec.Params, done, total, last)
			}
		}
	}
}
