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
	"slices"
	"strconv"
	"strings"

	"parfait/evaluator/digits"
)

// report is what --json prints.
type report struct {
	Landscape  string        `json:"landscape"`
	Experts    int           `json:"experts"`
	Seeds      int           `json:"seeds"`
	Batch      int           `json:"batch"`
	Front      int           `json:"front"`      // points that a front is judged by
	Attainable float64       `json:"attainable"` // hypervolume
	Reference  []float64     `json:"reference"`  // accuracies from which it is counted
	Strategies []result      `json:"strategies,omitempty"`
	Shown      []shownResult `json:"what_is_shown,omitempty"` // with --shown
	Wished     []wishResult  `json:"wishes,omitempty"`        // with --wish
}

// result is how many evaluations a strategy needed, over the seeds; null where it never got there.
type result struct {
	Name  string       `json:"name"`
	Slots int          `json:"slots,omitempty"` // in free order on so many; 0: in fixed order, batch after batch
	To95  *float64     `json:"to95"`            // median
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
	recipe := flag.String("landscape", string(digits.Usual), "usual, mild (benign) or ignorant (a base that scores nothing, and cliffs)")
	seeds := flag.Int("seeds", 10, "runs of each strategy")
	budget := flag.Int("budget", 0, "evaluations a run; 0: 40 for two models to 160 for eight")
	batch := flag.Int("batch", 4, "evaluations a batch")
	slots := flag.Int("slots", 0, "run each strategy in free order, too, on so many slots that take uneven times; 0: in fixed order only")
	only := flag.String("strategies", "", "comma-separated; \"\": all. With options as in adaptive:explore=0.5")
	python := flag.String("peers", "", "a Python that has optuna, torch and pymoo: "+strings.Join(peerNames, ", ")+" are run, too; \"\": they are not")
	again := flag.Bool("attain", false, "find what can be attained again, and archive it")
	asShown := flag.Bool("shown", false, "judge what is shown: from the rim, the base and the average, and by preferences")
	asKept := flag.Bool("keep", false, "with --shown: archive the judgements; go test ./bench/search -update writes the table of the README anew")
	after := flag.String("after", "", "with --shown: after how many evaluations, comma-separated and ascending; \"\": after the budget")
	asWished := flag.Bool("wish", false, "count the evaluations until a pick fulfils a wish of three tasks, one a seed, told of it and not")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	t, err := newTruth(ctx, digits.Recipe(*recipe), *experts)
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
	looks := []int{*budget}
	if *after != "" {
		looks = nil
		for text := range strings.SplitSeq(*after, ",") {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || len(looks) > 0 && n <= looks[len(looks)-1] {
				return fmt.Errorf("--after %s: expected whole numbers, ascending", *after)
			}
			looks = append(looks, n)
		}
	}
	names, others := contenders, (*peers)(nil)
	if *python != "" {
		if others, err = startPeers(ctx, *python); err != nil {
			return fmt.Errorf("--peers %s: %w", *python, err)
		}
		defer func() { _ = others.close() }()
		names = slices.Concat(names, peerNames)
	}
	if *only != "" {
		names = strings.Split(*only, ",")
	}
	r := report{Landscape: *recipe, Experts: *experts, Seeds: *seeds, Batch: *batch, Front: frontSize, Attainable: j.best, Reference: j.accuracies()}
	var judged []kept
	for _, name := range names {
		c, err := newContender(name, others)
		if err != nil {
			return err
		}
		if *asWished {
			res, err := wish(ctx, t, c, *seeds, *budget, *batch, os.Stderr)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			r.Wished = append(r.Wished, res...)
			continue
		}
		if *asShown {
			seen, err := show(ctx, t, c, *seeds, looks, *batch)
			if err != nil && slices.Contains(peerNames, name) {
				_, _ = fmt.Fprintf(os.Stderr, "%s is left out: %v\n", name, err)
				continue
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			r.Shown = append(r.Shown, seen...)
			for _, s := range seen {
				judged = append(judged, kept{*recipe, *experts, *seeds, s})
			}
			for _, s := range seen {
				s.print(os.Stderr)
			}
			continue
		}
		orders := []int{0}
		if *slots > 0 {
			orders = append(orders, *slots)
		}
		for _, n := range orders {
			res, err := race(ctx, t, j, c, *seeds, *budget, *batch, n)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			r.Strategies = append(r.Strategies, res)
			res.print(os.Stderr)
		}
	}
	if *asKept {
		if err := keep(judged); err != nil {
			return err
		}
	}
	if *asJSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	if *asShown || *asWished {
		return nil
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
	name := r.Name
	if r.Slots > 0 {
		name += fmt.Sprintf(", %d slots", r.Slots)
	}
	_, _ = fmt.Fprintf(w, "%-24s 95 %%: %3s (%s … %s)   99 %%: %3s (%s … %s)  ", name, f(r.To95), f(r.Q25.To95), f(r.Q75.To95), f(r.To99), f(r.Q25.To99), f(r.Q75.To99))
	for i, p := range r.Curve {
		if i%4 == 0 {
			_, _ = fmt.Fprintf(w, " %.0f:%.3f", p[0], p[1])
		}
	}
	_, _ = fmt.Fprintln(w)
}
