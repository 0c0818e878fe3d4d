package study

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"parfait/parallel/paralleltest"
)

// An analysis, or a comparison, that nobody waits for any more is left wherever it stands: it looks often, and once
// it was told that its context has ended it looks a few times more, each in a loop that ends at that, and no more.
func TestAnalysesAreLeftWhereverTheyStand(t *testing.T) {
	s, err := Open(fakeStudy(t, 10, &fake{}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	many(t, s, 60)
	snap, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	others := []*Snapshot{snap}
	for _, dir := range []string{"b.study", "c.study"} {
		other := *snap
		other.Dir = filepath.Join(t.TempDir(), dir)
		others = append(others, &other)
	}
	const most = 60
	for name, work := range map[string]func(context.Context) error{
		"analyse": func(ctx context.Context) error { _, err := analyse(ctx, snap, snap.Trials); return err },
		"compare": func(ctx context.Context) error { _, err := Compare(ctx, others); return err },
		"quadratic": func(ctx context.Context) error {
			_, err := snap.Analysis.Quadratic(ctx)
			return err
		},
	} {
		whole := paralleltest.EndAfter(-1)
		if err := work(whole); err != nil {
			t.Fatal(name, err)
		}
		if whole.Looks() < 20 {
			t.Errorf("%s looks %d times: that is not often", name, whole.Looks())
		}
		for k := 0; k < whole.Looks(); k += 1 + whole.Looks()/25 {
			ctx := paralleltest.EndAfter(k)
			if err := work(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: ended at look %d of %d it says %v", name, k, whole.Looks(), err)
			}
			if more := ctx.Looks() - k; more > most {
				t.Errorf("%s: told at look %d of %d that it has ended, it looks %d times more", name, k, whole.Looks(), more)
			}
		}
	}
}
