package main

import (
	"flag"
	"math"
	"testing"

	"parfait/bench/benchtest"
	"parfait/evaluator/digits"
)

var update = flag.Bool("update", false, "write the tables of README.md anew from the archived run")

const (
	begin = "<!-- items: written by go test ./bench/items -update -->\n"
	end   = "<!-- end of items -->\n"
)

// The tables of README.md are those of the archived run.
func TestReadmeIsTheArchivedRun(t *testing.T) {
	var a archive
	benchtest.Read(t, "testdata/items.json", &a)
	benchtest.Hold(t, "README.md", begin, a.tables(), end, *update)
}

// A short form of the bench: fifty items by their doubt are worth three times as many at random, and say how good they are.
func TestActiveItemsArePaidBack(t *testing.T) {
	if testing.Short() {
		t.Skip("trains networks")
	}
	row, err := kind{digits.Usual, 4, 12, 0}.measure(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if row.Worth < 3*asked || !(row.Active < row.Predicted && row.Predicted < row.Random) {
		t.Errorf("errors are %.4f at random, %.4f predicted, %.4f active, as good as %d items at random; expected them in this order, and %d or more", row.Random, row.Predicted, row.Active, row.Worth, 3*asked)
	}
	if math.Abs(row.Stated/row.Active-1) > 0.15 {
		t.Errorf("the error is %.4f, and said to be %.4f", row.Active, row.Stated)
	}
	rows, err := kind{digits.Usual, 4, 12, 0}.cover(t.Context(), 500)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range rows {
		for what, v := range map[string]float64{"these": c.These, "again": c.Again, "new": c.New} {
			if v < leastCovered-0.035 || v > mostCovered+0.035 {
				t.Errorf("predictions %s: %.3f of the 90 %% intervals for %s items hold", c.Predictor, v, what)
			}
		}
	}
}
