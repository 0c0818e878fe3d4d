// Command schedule measures how busy evaluators' slots are kept: whole studies of real processes that sleep for
// lognormal times, against greedy list scheduling of the same times, which no order of the same trials beats by much.
//
//	go run ./bench/schedule --json
//
// And what the runner costs beside the evaluations: trials of 50 ms each, against `xargs -P` of the same script.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// report is what --json prints. Times are in seconds.
type report struct {
	Trials    int        `json:"trials"`
	Mean      float64    `json:"mean"` // of an evaluation
	Schedules []schedule `json:"schedules"`
	Overhead  overhead   `json:"overhead"`
}

// schedule is one study.
type schedule struct {
	Order  string  `json:"order"`
	Slots  int     `json:"slots"`
	Sigma  float64 `json:"sigma"`  // of the logarithm of the times
	Wall   float64 `json:"wall"`   // from the first start to the last end
	Greedy float64 `json:"greedy"` // of list scheduling
	Ratio  float64 `json:"ratio"`
	Busy   float64 `json:"busy"` // share of the slots' time
}

// overhead is of many short evaluations.
type overhead struct {
	Trials  int     `json:"trials"`
	Slots   int     `json:"slots"`
	Sleep   float64 `json:"sleep"`
	Parfait float64 `json:"parfait"` // from the first start to the last end
	Xargs   float64 `json:"xargs"`
	Ratio   float64 `json:"ratio"` // of the throughputs: 1 is as fast as xargs
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench/schedule:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	trials := flag.Int("trials", 60, "trials a study")
	mean := flag.Duration("mean", time.Second, "mean time of an evaluation; an hour on simulated slots")
	slots := flag.Int("slots", 0, "play one study on so many slots with a simulated clock; 0: real processes on 8 and 32")
	strategy := flag.String("strategy", "adaptive", "of the study on simulated slots; none: random points, so that what is left is the runner's")
	profile := flag.String("profile", "", "write a CPU profile of the simulation to a `FILE`")
	asJSON := flag.Bool("json", false, "print one JSON object")
	flag.Parse()
	if *slots > 0 {
		return simulation{Strategy: *strategy, Slots: *slots, Trials: *trials, Mean: simulatedMean(*mean)}.run(ctx, *profile, *asJSON)
	}
	r, err := measure(ctx, *trials, *mean)
	if err != nil {
		return err
	}
	return r.print(*asJSON)
}

func (r report) print(asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	fmt.Println("order  slots  sigma   wall  greedy  ratio  busy")
	for _, s := range r.Schedules {
		fmt.Printf("%-5s  %5d  %5.1f  %5.1f  %6.1f  %5.2f  %3.0f%%\n", s.Order, s.Slots, s.Sigma, s.Wall, s.Greedy, s.Ratio, 100*s.Busy)
	}
	o := r.Overhead
	fmt.Printf("\n%d evaluations of %.0f ms on %d slots: %.2f s, xargs %.2f s: %.0f %% of its throughput\n", o.Trials, 1000*o.Sleep, o.Slots, o.Parfait, o.Xargs, 100*o.Ratio)
	return nil
}

// bench is where studies are run.
type bench struct {
	dir, parfait string
}

func measure(ctx context.Context, trials int, mean time.Duration) (r report, err error) {
	dir, err := os.MkdirTemp("", "schedule-*")
	if err != nil {
		return r, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := bench{dir, filepath.Join(dir, "parfait")}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", b.parfait, "parfait").CombinedOutput(); err != nil {
		return r, fmt.Errorf("%w: %s", err, out)
	}
	r = report{Trials: trials, Mean: mean.Seconds()}
	for _, slots := range []int{8, 32} {
		for _, sigma := range []float64{0.3, 0.7, 1} {
			times := lognormal(trials, mean.Seconds(), sigma)
			for _, order := range []string{"fixed", "free"} {
				s := schedule{Order: order, Slots: slots, Sigma: sigma, Greedy: greedy(times, slots)}
				if s.Wall, s.Busy, err = b.study(ctx, order, slots, times); err != nil {
					return r, err
				}
				s.Ratio = s.Wall / s.Greedy
				r.Schedules = append(r.Schedules, s)
			}
		}
	}
	r.Overhead, err = b.overhead(ctx)
	return r, err
}

// lognormal are times in seconds with the given mean.
func lognormal(n int, mean, sigma float64) []float64 {
	random := rand.New(rand.NewPCG(1, uint64(100*sigma)))
	out := make([]float64, n)
	for i := range out {
		out[i] = mean * math.Exp(sigma*random.NormFloat64()-sigma*sigma/2)
	}
	return out
}

// greedy is when the last ends where each begins, in their order, on the slot that is free first.
func greedy(times []float64, slots int) (end float64) {
	free := make([]float64, slots)
	for _, t := range times {
		first := 0
		for i := range free {
			if free[i] < free[first] {
				first = i
			}
		}
		free[first] += t
		end = max(end, free[first])
	}
	return end
}

// study runs a study whose trial i takes times[i−1], and returns its wall time and how busy its slots were.
func (b bench) study(ctx context.Context, order string, slots int, times []float64) (wall, busy float64, err error) {
	dir := filepath.Join(b.dir, "study")
	defer func() { _ = os.RemoveAll(dir) }()
	if err := b.folder(dir, order, slots, times); err != nil {
		return 0, 0, err
	}
	cmd := exec.CommandContext(ctx, b.parfait, "run", dir, "--headless", "--json")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, 0, err
	}
	return b.spans(out, slots)
}

// folder makes a study whose trial i takes times[i−1].
func (b bench) folder(dir, order string, slots int, times []float64) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	var table strings.Builder
	for _, t := range times {
		table.WriteString(strconv.FormatFloat(t, 'f', 3, 64) + "\n")
	}
	spec := fmt.Sprintf(`version: 1
base: base
models:
  - {name: a, path: a}
  - {name: b, path: b}
tasks:
  - {name: math, unit: rate}
evaluators:
  main: {command: [sh, eval.sh, '{key}'], model: false, parallel: %d}
search: {strategy: design, order: %s, budget: %d, batch: 4}
`, slots, order, len(times))
	for name, text := range map[string]string{
		"study.yaml": spec, "times": table.String(),
		"eval.sh": "sleep \"$(sed -n \"${1##*/}p\" times)\"\necho '{\"math\": 0.5}'\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// spans reads when trials began and ended.
func (b bench) spans(out []byte, slots int) (wall, busy float64, err error) {
	var s struct {
		Trials []struct {
			Started, Ended time.Time
		}
	}
	if err := json.Unmarshal(out, &s); err != nil {
		return 0, 0, err
	}
	var first, last time.Time
	for _, t := range s.Trials {
		if first.IsZero() || t.Started.Before(first) {
			first = t.Started
		}
		if t.Ended.After(last) {
			last = t.Ended
		}
		busy += t.Ended.Sub(t.Started).Seconds()
	}
	wall = last.Sub(first).Seconds()
	return wall, busy / wall / float64(slots), nil
}

func (b bench) overhead(ctx context.Context) (o overhead, err error) {
	o = overhead{Trials: 200, Slots: 8, Sleep: 0.05}
	numbers := ""
	times := make([]float64, o.Trials)
	for i := range times {
		times[i] = o.Sleep
	}
	if o.Parfait, _, err = b.study(ctx, "free", o.Slots, times); err != nil {
		return o, err
	}
	dir := filepath.Join(b.dir, "xargs")
	if err := b.folder(dir, "free", o.Slots, times); err != nil {
		return o, err
	}
	cmd := exec.CommandContext(ctx, "xargs", "-P", strconv.Itoa(o.Slots), "-n", "1", "sh", "eval.sh")
	cmd.Dir = dir
	for i := range o.Trials {
		numbers += strconv.Itoa(i+1) + "\n"
	}
	cmd.Stdin = strings.NewReader(numbers)
	begin := time.Now()
	err = cmd.Run()
	o.Xargs = time.Since(begin).Seconds()
	o.Ratio = o.Xargs / o.Parfait
	return o, err
}
