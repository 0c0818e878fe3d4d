// Command history measures what a study's history costs: to open 5,000 trials of 8 tasks, to follow a change, to check
// and to repair it, the size of its files, and how many results a second are recorded.
//
//	go run ./bench/history --json
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

// report is what --json prints. Times are medians, in milliseconds.
type report struct {
	Trials     int      `json:"trials"`
	Tasks      int      `json:"tasks"`
	JournalMB  float64  `json:"journal_mb"`
	DatabaseMB float64  `json:"database_mb"`
	Times      []timing `json:"times"`
	Rates      []rate   `json:"rates"`
}

// timing is how long something takes, and how many times as long as its reference.
type timing struct {
	What      string  `json:"what"`
	MS        float64 `json:"ms"`
	CPU       float64 `json:"cpu_ms"` // of all processors: what is left of the time is the disk's, or others'
	Reference string  `json:"reference,omitempty"`
	Times     float64 `json:"times,omitempty"`
	Bar       float64 `json:"bar_ms,omitempty"`
}

// rate is how many results a second are on the disk, and that as a share of as many bare waits for the disk.
type rate struct {
	What   string  `json:"what"`
	Second float64 `json:"per_second"`
	Of     float64 `json:"of_fsyncs"`
}

// The bars, on a quiet machine.
const (
	openBar    = 200 // ms
	journalBar = 10  // MB
)

func main() {
	if err := run(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "bench/history:", err)
		os.Exit(1)
	}
}

func run() error {
	asJSON := flag.Bool("json", false, "print one JSON object")
	trials := flag.Int("trials", 5000, "trials")
	repeats := flag.Int("repeats", 7, "how often each is done")
	dir := flag.String("dir", "", "where to write; \"\": the folder of temporary files")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	home, err := os.MkdirTemp(*dir, "bench-history-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(home) }()
	r, err := measure(ctx, filepath.Join(home, "large"), *trials, *repeats)
	if err != nil {
		return err
	}
	if *asJSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	r.print()
	return nil
}

func (r report) print() {
	fmt.Printf("%d trials of %d tasks: journal %.1f MB (bar %d), database %.1f MB\n\n", r.Trials, r.Tasks, r.JournalMB, journalBar, r.DatabaseMB)
	for _, t := range r.Times {
		fmt.Printf("%-32s %8.1f ms, %8.1f ms CPU", t.What, t.MS, t.CPU)
		if t.Reference != "" {
			fmt.Printf("  %6.1f × %s", t.Times, t.Reference)
		}
		if t.Bar > 0 {
			fmt.Printf("  (bar %.0f ms)", t.Bar)
		}
		fmt.Println()
	}
	fmt.Println()
	for _, s := range r.Rates {
		fmt.Printf("%-32s %8.0f results/s  %6.2f × fsyncs/s\n", s.What, s.Second, s.Of)
	}
}
