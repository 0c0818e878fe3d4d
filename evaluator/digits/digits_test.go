package digits

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"parfait/evaluator"
)

func TestParts(t *testing.T) {
	p := load()
	if a, b, c := len(p.train.images), len(p.validation.images), len(p.test.images); a != 897 || b != 450 || c != 450 {
		t.Fatalf("parts of %d, %d and %d images, expected 897, 450 and 450", a, b, c)
	}
	seen := map[image]int{}
	for _, s := range []set{p.train, p.validation, p.test} {
		for _, im := range s.images {
			seen[im]++
		}
	}
	for im, n := range seen {
		if n > 1 {
			t.Errorf("an image is there %d times: %v", n, im)
		}
	}
}

func TestWriteTwice(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "models")
	first, err := Write(context.Background(), dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(filepath.Join(first.Base, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Write(context.Background(), dir, 2); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(filepath.Join(first.Base, "model.safetensors"))
	if err != nil || !os.SameFile(before, after) {
		t.Fatalf("the second Write touched the models (%v)", err)
	}
	if _, err := Write(context.Background(), dir, 3); !errors.Is(err, Occupied) {
		t.Fatalf("another number of tasks: %v, expected %v", err, Occupied)
	}
}

func TestFilesAgreeWithMemory(t *testing.T) {
	models, err := Write(context.Background(), filepath.Join(t.TempDir(), "models"), 2)
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLandscape(context.Background(), 2)
	if err != nil {
		t.Fatal(err)
	}
	folders := append([]string{models.Base}, models.Experts[0].Path, models.Experts[1].Path)
	for i, x := range [][]float64{{0, 0}, {1, 0}, {0, 1}} {
		want := l.At(x, evaluator.Test)
		var got evaluator.Metrics
		err := New(Options{}).Submit(context.Background(), []evaluator.Candidate{{
			Key: "k", Attempt: 1, Tasks: l.Tasks(), Split: evaluator.Test,
			Model: func(context.Context, evaluator.Form) (evaluator.Lease, error) {
				return evaluator.Lease{Path: folders[i]}, nil
			},
		}}, func(e evaluator.Event) error {
			if e.State.Final() {
				got = e.Metrics
				if e.Err != nil {
					t.Error(e.Err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range l.Tasks() {
			if got[task] != want[task] {
				t.Errorf("%v, %s: %v from files, %v in memory", x, task, got[task], want[task])
			}
		}
	}
}
