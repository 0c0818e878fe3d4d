package main

import (
	"flag"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parfait/bench/benchtest"
)

var update = flag.Bool("update", false, "write the table of docs/trust.md anew from the archived run")

const (
	begin = "<!-- verdicts: written by go test ./bench/verdicts -update -->\n"
	end   = "<!-- end of verdicts -->\n"
)

var trust = filepath.Join("..", "..", "docs", "trust.md")

// The table of docs/trust.md is that of the archived run.
func TestDocsAreTheArchivedRun(t *testing.T) {
	var all []verdict
	benchtest.Read(t, "testdata/verdicts.json", &all)
	var table strings.Builder
	rows(&table, all, "items a measurement", []string{"20", "50", "100", "450", "5000"}, func(v verdict, column string) string {
		redrawn, shared := find(all, v.Sentence, column+" items"), find(all, v.Sentence, column+" items, the same for all")
		return redrawn + " / " + shared
	})
	table.WriteString("\nOf others, at 450 items a measurement where nothing else is said:\n\n")
	rows(&table, all, "", []string{"of"}, func(v verdict, _ string) string {
		var parts []string
		for _, o := range all {
			if o.Sentence == v.Sentence && !byItems.MatchString(o.Of) {
				parts = append(parts, o.Of+": "+o.rate())
			}
		}
		return strings.Join(parts, "; ")
	})
	benchtest.Hold(t, trust, begin, table.String(), end, *update)
}

// The table of domains in docs/trust.md is that of the archived run, and its rows are those of the bench.
func TestDomainsAreTheArchivedRun(t *testing.T) {
	var all []kept
	benchtest.Read(t, "testdata/domains.json", &all)
	var table strings.Builder
	table.WriteString("| merges of | trials | inside | bias on the worst task | error there | flagged |\n|---|---|---|---|---|---|\n")
	known := domains()
	for _, k := range all {
		i := slices.IndexFunc(known, func(d domain) bool { return d.name == k.Domain })
		if i < 0 {
			t.Errorf("the archived %q is no domain of the bench", k.Domain)
			continue
		}
		if known = known[i+1:]; k.Limits != k.beyond() {
			t.Errorf("%s: out_of_bar is %v, and its figures say otherwise", k.Domain, k.Limits)
		}
		inside, bias := fmt.Sprintf("%.2f", k.Inside), fmt.Sprintf("%+.3f", k.Bias)
		if k.Inside < leastInside || k.Inside > mostInside {
			inside = "**" + inside + "**"
		}
		if math.Abs(k.Bias) > mostBias {
			bias = "**" + bias + "**"
		}
		fmt.Fprintf(&table, "| %s | %d | %s | %s | %.3f | %d of %d |\n", k.Domain, k.Trials, inside, bias, k.RMSE, k.Flag, k.Runs*k.Tasks)
	}
	benchtest.Hold(t, trust, "<!-- domains: written by go test ./bench/verdicts -update -->\n", table.String(), "<!-- end of domains -->\n", *update)
}

// rows writes one row a sentence, of those that are about items a measurement, or of the others.
func rows(table *strings.Builder, all []verdict, what string, columns []string, cell func(v verdict, column string) string) {
	fmt.Fprintf(table, "| %s | wanted | %s |\n|---|---|%s\n", what, strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	var seen []string
	for _, v := range all {
		if slices.Contains(seen, v.Sentence) || byItems.MatchString(v.Of) != (what != "") {
			continue
		}
		seen = append(seen, v.Sentence)
		fmt.Fprintf(table, "| %s | %s |", v.Sentence, v.Wanted)
		for _, c := range columns {
			fmt.Fprintf(table, " %s |", cell(v, c))
		}
		table.WriteString("\n")
	}
}

var byItems = regexp.MustCompile(`^\d+ items(, the same for all)?$`)

// find is the rate of a sentence, – where nothing was counted.
func find(all []verdict, sentence, of string) string {
	i := slices.IndexFunc(all, func(v verdict) bool { return v.Sentence == sentence && v.Of == of })
	if i < 0 || all[i].Cases == 0 {
		return "–"
	}
	return all[i].rate()
}

func (v verdict) rate() string {
	if v.Missed {
		return fmt.Sprintf("**%.2f**", v.Rate)
	}
	return fmt.Sprintf("%.2f", v.Rate)
}

// A short form of the bench: the verdicts hold on a few worlds, wide of their bounds where few cases say little.
func TestVerdictsHold(t *testing.T) {
	if testing.Short() {
		t.Skip("plays studies for long, in no other way than shorter tests")
	}
	var of tally
	for truth := range 3 {
		w := usual(truth)
		snap, err := w.play(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := of.judge(t.Context(), w, "450 items", snap); err != nil {
			t.Fatal(err)
		}
	}
	of.finish()
	seen := map[string]float64{}
	for _, v := range of.all {
		seen[v.Sentence] = v.Rate
	}
	if rate := seen["an export is not as predicted, though it is"]; rate > 0.05 {
		t.Errorf("%.3f of exports that are as predicted are said not to be", rate)
	}
	if rate := seen["a task is off by four standard errors on validation, and not as predicted"]; rate < 0.5 {
		t.Errorf("%.2f of what is four standard errors off is found", rate)
	}
	if rate := seen["the next measurement is outside its 90 % interval"]; rate > 0.2 {
		t.Errorf("%.2f of measurements are outside their 90 %% intervals", rate)
	}
	if rate := seen["a pick keeps its floor with probability .95 or more, and is truly below it"]; rate > 0.2 {
		t.Errorf("%.2f of picks that keep their floor with probability .95 are truly below it", rate)
	}
	if rate := seen["of two points of the front one is better on a task beyond noise, and is not"]; rate > 0.1 {
		t.Errorf("%.2f of differences are beyond noise, and the other way round", rate)
	}
	if rate := seen["flagged, though it is predicted well"]; rate > 0.2 {
		t.Errorf("%.2f of tasks that are predicted well are flagged", rate)
	}
}

// A short form of the bench of domains: what fronts of real merges hold, wide of the bar where one seed says little.
func TestDomainsHold(t *testing.T) {
	if testing.Short() {
		t.Skip("plays studies for long, in no other way than shorter tests")
	}
	named := []string{"task arithmetic, 12 trials", "slerp", "one model"}
	all, err := hold(t.Context(), 1, regexp.MustCompile("^("+strings.Join(named, "|")+")$"), func(k kept) { t.Log(k) })
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(named) {
		t.Fatalf("%d domains are named as %v, want each once", len(all), named)
	}
	for _, k := range all {
		if k.Cases < 20 || k.Inside < 0.8 || math.Abs(k.Bias) > 0.08 {
			t.Errorf("%s: of %d values %.2f are inside their 90 %% intervals, and the bias is %+.3f; want .80 at least, and no more than .08", k.Domain, k.Cases, k.Inside, k.Bias)
		}
	}
}
