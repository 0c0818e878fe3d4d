// Command items measures how well the metric of a merge is known from a few of its items (surrogate/items), on networks that
// were really fine-tuned (evaluator/digits), whose answers to all images are known.
//
//	go run ./bench/items            # the tables, some minutes on two cores
//	go run ./bench/items --json     # archived in testdata, and held to README.md by a test
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

// asked are the items of a sample.
const asked = 50

// archive is what is printed.
type archive struct {
	Error    []accuracy `json:"error"`
	Coverage []coverage `json:"coverage"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench/items:", err)
		os.Exit(1)
	}
}

func run() error {
	seeds := flag.Int("seeds", 3, "designs of each kind, 0: no table of errors")
	draws := flag.Int("draws", 10000, "samples behind each coverage, 0: no table of it")
	asJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	a, err := measure(ctx, *seeds, *draws)
	if err != nil {
		return err
	}
	if *asJSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", " ")
		return enc.Encode(a)
	}
	fmt.Print(a.tables())
	return nil
}

func measure(ctx context.Context, seeds, draws int) (a archive, err error) {
	for _, k := range kinds {
		if seeds < 1 {
			break
		}
		row, err := k.measure(ctx, seeds)
		if err != nil {
			return a, fmt.Errorf("%s: %w", k, err)
		}
		fmt.Fprintf(os.Stderr, "%s: active %.4f\n", k, row.Active)
		a.Error = append(a.Error, row)
	}
	for _, k := range covered {
		if draws < 1 {
			break
		}
		rows, err := k.cover(ctx, draws)
		if err != nil {
			return a, fmt.Errorf("%s: %w", k, err)
		}
		a.Coverage = append(a.Coverage, rows...)
	}
	return a, nil
}
