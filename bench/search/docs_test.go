package main

import (
	"flag"
	"strings"
	"testing"

	"parfait/bench/benchtest"
)

var update = flag.Bool("update", false, "write the table of README.md anew from the archived judgements")

const (
	begin = "<!-- shown: written by go test ./bench/search -update -->\n"
	end   = "<!-- end of shown -->\n"
)

// The table of what is shown is that of the archive.
func TestReadmeIsTheArchive(t *testing.T) {
	all, err := readKept(keptName)
	if err != nil {
		t.Fatal(err)
	}
	benchtest.Hold(t, "README.md", begin, table(all), end, *update)
}

// What misses its bar is bold, and only that.
func TestWhatMissesItsBarIsBold(t *testing.T) {
	k := kept{Landscape: "usual", Experts: 4, Seeds: 3}
	k.Name, k.Evaluations = "adaptive", 60
	k.Shown = map[string]float64{rim: 0.98, base: 0.88, average: 0.79}
	if got := table([]kept{k}); !strings.Contains(got, "| .98 | .88 | **.79** |") {
		t.Errorf("of .98, .88 and .79 where .97, .88 and .85 are wanted the last alone should be bold:\n%s", got)
	}
	k.Name = "ehvi"
	if got := table([]kept{k}); strings.Contains(got, "**") {
		t.Errorf("nothing is wanted of ehvi, but something is bold:\n%s", got)
	}
}
