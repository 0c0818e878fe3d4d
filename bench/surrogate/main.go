// Command surrogate measures package surrogate where the truth is known: held-out errors of every fitter,
// coverage of intervals, what Q² is worth as a promise, and times.
//
//	go run ./bench/surrogate --json
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"parfait/parallel"
)

// sizes are the numbers of measurements.
var sizes = []int{20, 30, 60, 100}

// report is what --json prints.
type report struct {
	Strategy string            `json:"strategy"` // what chose the measurements
	Seeds    int               `json:"seeds"`
	Places   map[string]string `json:"places"`  // where fits are tested
	Fitters  map[string]string `json:"fitters"` // who is tested
	Errors   []row             `json:"errors"`
	Trust    []reliability     `json:"trust"`
	Times    []timing          `json:"times"`
	Bars     []bar             `json:"bars"`
}

// bar is something that must hold.
type bar struct {
	What  string  `json:"what"`
	Low   float64 `json:"low"` // 0: none
	High  float64 `json:"high"`
	Value float64 `json:"value"`
	Met   bool    `json:"met"`
}

func (r *report) hold(what string, low, high, value float64) {
	r.Bars = append(r.Bars, bar{what, low, high, value, low <= value && value <= high})
}

func main() {
	if err := run(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "bench/surrogate:", err)
		os.Exit(1)
	}
}

func run() error {
	asJSON := flag.Bool("json", false, "print one JSON object")
	seeds := flag.Int("seeds", 10, "designs a landscape; medians are over them")
	experts := flag.String("experts", "4,8", "landscapes, comma-separated")
	only := flag.String("only", "", "comma-separated fitters; \"\": all")
	points := flag.Int("points", 400, "test points a test set")
	top := flag.Float64("range", 1.2, "upper end of each coefficient's range")
	strategy := flag.String("strategy", "design", "what chooses the measurements")
	edge := flag.String("edges", "", "judge fronts on made landscapes with cliffs instead: smooth, too-much, one-task, ignorant, comma-separated, or all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *edge != "" {
		return printEdges(ctx, os.Stdout, *edge, max(*seeds, 1), *asJSON)
	}
	r := report{Strategy: *strategy, Seeds: max(*seeds, 1), Places: map[string]string{}, Fitters: map[string]string{}}
	var own []fitErrors
	for _, text := range strings.Split(*experts, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("--experts: %w", err)
		}
		l, err := newLandscape(ctx, n, *points, *top)
		if err != nil {
			return err
		}
		trials, err := r.landscape(ctx, l, *only)
		if err != nil {
			return fmt.Errorf("%d experts: %w", n, err)
		}
		own = append(own, trials...)
		if n == 8 {
			if r.Times, err = l.times(ctx, 5); err != nil {
				return err
			}
		}
	}
	r.Trust = []reliability{reliabilityOf(own, "region"), reliabilityOf(own, "front")}
	r.checkBars()
	if *asJSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	r.print(os.Stdout)
	return nil
}

// landscape measures every fitter on l, and returns the fits of the program's own.
func (r *report) landscape(ctx context.Context, l *landscape, only string) (own []fitErrors, err error) {
	for _, p := range l.testSets {
		r.Places[fmt.Sprintf("%d experts, %s", l.n, p.name)] = p.doc
	}
	designs, errs := make([][][]float64, r.Seeds), make([]error, r.Seeds)
	largest := sizes[len(sizes)-1]
	err = parallel.For(ctx, 0, r.Seeds, func(s int) { designs[s], errs[s] = l.sample(ctx, r.Strategy, largest, uint64(s)) })
	for _, err := range append(errs, err) {
		if err != nil {
			return nil, err
		}
	}
	for k, c := range contenders {
		if only != "" && !strings.Contains(","+only+",", ","+c.name+",") {
			continue
		}
		r.Fitters[c.name] = c.doc
		noises := []int{0}
		if k == 0 {
			noises = []int{0, 1000, 100}
		}
		for _, items := range noises {
			for _, n := range sizes {
				measured, trials, err := l.measure(ctx, c, designs, n, items)
				if err != nil {
					return nil, fmt.Errorf("%s at %d: %w", c.name, n, err)
				}
				_, _ = fmt.Fprintln(os.Stderr, measured)
				r.Errors = append(r.Errors, measured)
				if k == 0 {
					own = append(own, trials...)
				}
			}
		}
	}
	return own, nil
}

// checkBars compares with what is aimed at: coverage, times (the best of a few, which others at work on
// the machine disturb least), and the held-out errors that Gaussian processes
// reached on landscapes of the same kind, of other networks on the same digits.
func (r *report) checkBars() {
	for _, e := range r.Errors {
		if e.Fitter != contenders[0].name || e.Items > 0 {
			continue
		}
		for _, place := range []string{"region", "front"} {
			at := fmt.Sprintf("%s, %d experts, n = %d", place, e.Experts, e.N)
			switch {
			case e.Experts == 8 && e.N == 60:
				r.hold("RMSE, "+at, 0, 0.026, e.RMSE[place])
			case e.Experts == 4 && e.N == 30:
				r.hold("RMSE, "+at, 0, 0.016, e.RMSE[place])
			}
			r.hold("coverage, "+at, 0.85, 0.97, e.Coverage[place])
		}
	}
	for _, t := range r.Times {
		if t.Bar == 0 {
			continue
		}
		r.hold(fmt.Sprintf("%s, %d tasks, n = %d, ms", t.What, t.Tasks, t.N), 0, t.Bar, t.Best)
	}
}
