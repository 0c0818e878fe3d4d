// Command pareto measures package pareto beside its peers: times and errors of hypervolumes, indicators
// and fronts, moocore and pymoo (from PyPI, in a virtual environment made on first use) in the same run.
//
//	go run ./bench/pareto --json
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// report is what --json prints.
type report struct {
	Machine string            `json:"machine"`
	Peers   map[string]string `json:"peers"` // versions; null without them
	Volumes []timing          `json:"hypervolume"`
	Others  []timing          `json:"others"`
	NSGA3   []nsga3           `json:"nsga3"`
	Fronts  []frontTiming     `json:"fronts"`
}

// bench is one run of the benchmark.
type bench struct {
	ctx     context.Context
	peers   *peers
	seconds float64
	log     io.Writer
}

func (b *bench) say(format string, args ...any) { _, _ = fmt.Fprintf(b.log, format+"\n", args...) }

func main() {
	if err := run(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "bench/pareto:", err)
		os.Exit(1)
	}
}

func run() error {
	asJSON := flag.Bool("json", false, "print one JSON object")
	alone := flag.Bool("alone", false, "measure without peers")
	seconds := flag.Float64("seconds", 1, "time for each comparison")
	seeds := flag.Int("seeds", 15, "runs of NSGA-III a problem")
	live := flag.Int("pymoo", 3, "of these, how many with pymoo beside")
	only := flag.String("only", "", "one part: hypervolume, others, nsga3 or fronts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b := &bench{ctx: ctx, seconds: *seconds, log: os.Stderr}
	r := report{Machine: machine()}
	if !*alone {
		p, err := startPeers(ctx, os.Stderr)
		if err != nil {
			b.say("without peers: %v", err)
		} else {
			defer func() { _ = p.close() }()
			b.peers, r.Peers = p, p.Versions
		}
	}
	for _, part := range []struct {
		name string
		run  func() error
	}{
		{"hypervolume", func() (err error) { r.Volumes, err = b.volumes(); return }},
		{"others", func() (err error) { r.Others, err = b.others(); return }},
		{"nsga3", func() (err error) { r.NSGA3, err = b.evolutions(max(*seeds, 1), *live); return }},
		{"fronts", func() (err error) { r.Fronts, err = b.fronts(); return }},
	} {
		if *only == "" || *only == part.name {
			if err := part.run(); err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
		}
	}
	if *asJSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	return nil
}

// String is a row of a table for people.
func (t timing) String() string {
	s := fmt.Sprintf("%-12s %6d × %d %-8s %9.2f ms", t.What, t.Points, t.M, t.Shape, t.Best)
	if t.Peer != "" {
		s += fmt.Sprintf("   %s %9.2f ms   ratio %.2f   error %.1e", t.Peer, t.PBest, t.Ratio, t.Error)
	}
	return s
}
