package explore_test

import (
	"strings"
	"testing"

	"parfait/explore"
	"parfait/explore/exploretest"
)

func TestParseFilter(t *testing.T) {
	s := exploretest.Snapshot(exploretest.Options{Trials: 20, Failed: []int{7, 9}, Running: 1})
	names := []string{"rotated", "mirrored", "upside_down"}
	for _, tt := range []struct {
		text string
		n    int
	}{
		{"", 20},
		{"state:failed", 2},
		{"state:run", 1},
		{"id<=5", 5},
		{"id=7 state:failed", 1},
		{"cuda", 2},
		{"start", 5},
		{"c.rotated=1", 1},
		{"rotated>2", 0},
		{"rotated>0 rotated<2", 17},
		{"by:search", 20},
		{"by:ana", 0},
	} {
		f, err := explore.ParseFilter(s.Tasks, names, tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		n := 0
		for _, trial := range s.Trials {
			if f(trial) {
				n++
			}
		}
		if n != tt.n {
			t.Errorf("%q holds for %d trials, expected %d", tt.text, n, tt.n)
		}
	}
	for text, says := range map[string]string{"rotatd>1": "rotated", "rotated>x": "number", "blub<1": "expected one of", "id<a batch>b": ";"} {
		_, err := explore.ParseFilter(s.Tasks, names, text)
		if code(err) != explore.BadFilter || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{"", "a>1", "state:x", "id=3 rotated<=.5", "é>1", ">", "c.rotated<1e999", "rotated>nan"} {
		f.Add(s)
	}
	s := exploretest.Snapshot(exploretest.Options{Trials: 8, Failed: []int{7}})
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := explore.ParseFilter(s.Tasks, []string{"rotated"}, text)
		if (filter == nil) == (err == nil) {
			t.Fatalf("filter %v, error %v", filter != nil, err)
		}
		if err != nil {
			return
		}
		for _, trial := range s.Trials {
			filter(trial)
		}
	})
}
