// Command search counts the evaluations that strategies need for a front: merges of really fine-tuned
// networks (evaluator/digits), searched on their validation images, judged on their test images.
//
//	go run ./bench/search --experts 6 --seeds 10 --json
//
// What can be attained is archived in testdata; --attain finds it again (20,000 direct evaluations and
// what the surrogates add to them, some minutes).
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

// report is what --json prints.
type report struct {
	Experts    int       `json:"experts"`
	Seeds      int       `json:"seeds"`
	Batch      int       `json:"batch"`
	Front      int       `json:"front"`      // points that a front is judged by
	Attainable float64   `json:"attainable"` // hypervolume
	Reference  []float64 `json:"reference"`  // accuracies from which it is counted
	Strategies []result  `json:"strategies"`
}

// result is how many evaluations a strategy needed, over the seeds; null where it never got there.
type result struct {
	Name  string       `json:"name"`
	To95  *float64     `json:"to95"` // median
	To99  *float64     `json:"to99"`
	Q25   quartile     `json:"q25"`
	Q75   quartile     `json:"q75"`
	Curve [][2]float64 `json:"curve"` // evaluations, median share of the attainable hypervolume
}

type quartile struct {
	To95 *float64 `json:"to95"`
	To99 *float64 `json:"to99"`
}

func main() {
	if err := run(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "bench/search:", err)
		os.Exit(1)
	}
}

func run() error {
	asJSON := flag.Bool("json", false, "print one JSON object")
	experts := flag.Int("experts", 6, "models to merge: 2 to 8")
	seeds := flag.Int("seeds", 10, "runs of each strategy")
	budget := flag.Int("budget", 0, "evaluations a run; 0: 40 for two models to 160 for eight")
	batch := flag.Int("batch", 4, "evaluations a batch")
	only := flag.String("strategies", "", "comma-separated; \"\": all. With options as in adaptive:explore=0.5")
	again := flag.Bool("attain", false, "find what can be attained again, and archive it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	t, err := newTruth(ctx, *experts)
	if err != nil {
		return err
	}
	if *again {
		return attain(ctx, t, os.Stderr)
	}
	j, err := newJudge(t)
	if err != nil {
		return err
	}
	if *budget == 0 {
		*budget = map[int]int{2: 40, 3: 50, 4: 60, 5: 90, 6: 110, 7: 130, 8: 160}[*experts]
	}
	names := contenders
	if *only != "" {
		names = strings.Split(*only, ",")
	}
	r := report{Experts: *experts, Seeds: *seeds, Batch: *batch, Front: frontSize, Attainable: j.best, Reference: j.accuracies()}
	for _, name := range names {
		c, err := newContender(name)
		if err != nil {
			return err
		}
		res, err := race(ctx, t, j, c, *seeds, *budget, *batch)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.Strategies = append(r.Strategies, res)
		res.print(os.Stderr)
	}
	if *asJSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	_, _ = fmt.Printf("%d experts, %d seeds: evaluations to a share of the attainable hypervolume\n", *experts, *seeds)
	for _, s := range r.Strategies {
		s.print(os.Stdout)
	}
	return nil
}

func (r result) print(w io.Writer) {
	f := func(v *float64) string {
		if v == nil {
			return "–"
		}
		return fmt.Sprintf("%.0f", *v)
	}
	_, _ = fmt.Fprintf(w, "%-24s 95 %%: %3s (%s … %s)   99 %%: %3s (%s … %s)  ", r.Name, f(r.To95), f(r.Q25.To95), f(r.Q75.To95), f(r.To99), f(r.Q25.To99), f(r.Q75.To99))
	for i, p := range r.Curve {
		if i%4 == 0 {
			_, _ = fmt.Fprintf(w, " %.0f:%.3f", p[0], p[1])
		}
	}
	_, _ = fmt.Fprintln(w)
}
