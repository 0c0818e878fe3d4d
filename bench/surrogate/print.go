package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// String is a row of a table for people.
func (r row) String() string {
	noise := "exact"
	if r.Items > 0 {
		noise = fmt.Sprintf("n_eval %d", r.Items)
	}
	s := fmt.Sprintf("%d experts  %-8s n %3d  %-11s RMSE", r.Experts, r.Fitter, r.N, noise)
	for _, p := range []string{"region", "front", "box"} {
		s += fmt.Sprintf("  %s %.4f (%.4f … %.4f)", p, r.RMSE[p], r.Q25[p], r.Q75[p])
	}
	return s + fmt.Sprintf("  in 90 %%  %.3f  %.3f  %.3f", r.Coverage["region"], r.Coverage["front"], r.Coverage["box"])
}

// String is a line for people.
func (t timing) String() string {
	s := fmt.Sprintf("%-6s %d tasks  n %3d  best %8.3f ms  median %8.3f ms", t.What, t.Tasks, t.N, t.Best, t.Median)
	if t.Bar > 0 {
		s += fmt.Sprintf("  bar %g ms", t.Bar)
	}
	return s
}

func (b bar) String() string {
	mark := "met   "
	if !b.Met {
		mark = "MISSED"
	}
	return fmt.Sprintf("%s %-40s %8.4g of %g to %g", mark, b.What, b.Value, b.Low, b.High)
}

func (r *report) print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "held-out RMSE (mean over tasks) and coverage of 90 %% intervals: medians (quartiles) of %d runs of %s\n", r.Seeds, r.Strategy)
	for _, e := range r.Errors {
		_, _ = fmt.Fprintln(w, e)
	}
	for _, v := range r.Trust {
		_, _ = fmt.Fprintf(w, "Q² of .90 on the worst task: reached by %d of %d fits, of which %.1f %% are truly good (R² of %g, %s); of the others %.1f %% are not\n",
			v.Reached, v.Fits, 100*v.Good, v.GoodR2, v.Place, 100*v.Bad)
	}
	for _, t := range r.Times {
		_, _ = fmt.Fprintln(w, t)
	}
	for _, b := range r.Bars {
		_, _ = fmt.Fprintln(w, b)
	}
}

// String is a row of a table for people.
func (r edgeRow) String() string {
	return fmt.Sprintf("%-9s n %2d  in 90 %% %.3f (width %.3f)  optimism %+.3f ± %.3f, worst task %+.3f  gap %.3f", r.Terrain, r.N, r.Coverage, r.Width, r.Optimism, r.Spread, r.Worst, r.Gap)
}

// printEdges judges fronts on the terrains that are named.
func printEdges(ctx context.Context, w io.Writer, names string, seeds int, asJSON bool) error {
	rows := []edgeRow{}
	for _, t := range terrains {
		if names != "all" && !strings.Contains(","+names+",", ","+t.name+",") {
			continue
		}
		more, err := edges(ctx, t, seeds)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		for _, r := range more {
			if !asJSON {
				_, _ = fmt.Fprintln(w, r)
			}
		}
		rows = append(rows, more...)
	}
	if !asJSON {
		return nil
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(rows)
}
