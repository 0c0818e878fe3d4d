// Command verdicts measures how often parfait's sentences are wrong, on worlds whose truth is known: studies are played
// by the real runner, on rates that are logistic in a quadratic of the coefficients, with items that are redrawn at every
// merge or the same for all.
//
//	go run ./bench/verdicts            # the table
//	go run ./bench/verdicts --json     # archived in testdata, and held to docs/trust.md by a test
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"

	"parfait/study"
)

func main() {
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "bench/verdicts:", err)
		os.Exit(1)
	}
}

func measure() error {
	worlds := flag.Int("worlds", 20, "of each kind")
	asJSON := flag.Bool("json", false, "print JSON")
	kinds := flag.String("kinds", "items,barriers,compare", "of sentences; or domains: what fronts of real merges hold, by kind of merge")
	seeds := flag.Int("seeds", 3, "of a domain")
	named := flag.String("named", "", "only domains whose names match this expression")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *kinds == "domains" {
		told := func(k kept) { fmt.Fprintln(os.Stderr, k) }
		expression, err := regexp.Compile(*named)
		if err != nil {
			return err
		}
		all, err := hold(ctx, *seeds, expression, told)
		if *asJSON && len(all) > 0 {
			err = errors.Join(err, write(all)) // those that were measured, too, where it was interrupted
		}
		return err
	}
	var t tally
	for _, kind := range strings.Split(*kinds, ",") {
		of := map[string]func(context.Context, int) error{"items": t.items, "barriers": t.barriers, "compare": t.compare}[kind]
		if of == nil {
			return fmt.Errorf("unknown kind %q: expected items, barriers, compare or domains", kind)
		}
		if err := of(ctx, *worlds); err != nil {
			return err
		}
	}
	t.finish()
	if *asJSON {
		return write(t.all)
	}
	t.print()
	return nil
}

func write(v any) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", " ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// print prints the table, a sentence after the other.
func (t *tally) print() {
	var sentences []string
	for _, v := range t.all {
		if !slices.Contains(sentences, v.Sentence) {
			sentences = append(sentences, v.Sentence)
		}
	}
	for _, sentence := range sentences {
		fmt.Printf("\n%s\n", sentence)
		for _, v := range t.all {
			if v.Sentence != sentence {
				continue
			}
			mark := ""
			if v.Missed {
				mark = "  !"
			}
			fmt.Printf("  %-42s %5.3f ± %.3f of %4d, wanted %s%s\n", v.Of, v.Rate, v.Error, v.Cases, v.Wanted, mark)
		}
	}
}

// usual is a study of three models and four tasks.
func usual(truth int) world {
	return world{truth: truth, models: 3, tasks: 4, items: 450, noise: fmt.Sprint("noise ", truth), trials: 40, search: truth, asks: "adaptive"}
}

// items counts what is said of one study, by how many items its measurements have.
func (t *tally) items(ctx context.Context, worlds int) error {
	for _, items := range []int{20, 50, 100, 450, 5000} {
		of := fmt.Sprintf("%d items", items)
		if err := t.study(ctx, worlds, of, func(w *world) { w.items = items }); err != nil {
			return err
		}
		if err := t.study(ctx, worlds, of+", the same for all", func(w *world) { w.items, w.shared = items, 0.85 }); err != nil {
			return err
		}
	}
	for _, kind := range []struct {
		of     string
		change func(w *world)
	}{
		{"rates of .9 and more, 50 items", func(w *world) { w.items, w.shift = 50, 1.5 }},
		{"losses", func(w *world) { w.loss = true }},
		{"losses, the same items for all", func(w *world) { w.loss, w.shared = true, 0.85 }},
		{"1 task", func(w *world) { w.tasks = 1 }},
		{"2 tasks", func(w *world) { w.tasks = 2 }},
		{"10 tasks", func(w *world) { w.tasks = 10 }},
	} {
		if err := t.study(ctx, worlds, kind.of, kind.change); err != nil {
			return err
		}
	}
	return nil
}

// study counts what is said of studies of a kind.
func (t *tally) study(ctx context.Context, worlds int, of string, change func(w *world)) error {
	for truth := range worlds {
		w := usual(truth)
		change(&w)
		snap, err := w.play(ctx)
		if err != nil {
			return err
		}
		if err := t.judge(ctx, w, of, snap); err != nil {
			return err
		}
	}
	return nil
}

// compare counts what is said of two studies, and of six.
func (t *tally) compare(ctx context.Context, worlds int) error {
	type pair struct {
		of   string
		a, b func(w *world)
		true bool // the second is better
	}
	same := func(*world) {}
	losses := func(w *world) { w.loss = true }
	items := func(n int) func(*world) { return func(w *world) { w.items = n } }
	pairs := []pair{
		{"50 and 50 items", items(50), items(50), false},
		{"450 and 450 items", same, same, false},
		{"5000 and 5000 items", items(5000), items(5000), false},
		{"100 and 450 items", items(100), same, false},
		{"100 and 5000 items", items(100), items(5000), false},
		{"40 and 80 trials", same, func(w *world) { w.trials = 80 }, false},
		{"450 and 450 items, losses", losses, losses, false},
		{"450 and 450 items, one better by .2 logit", same, func(w *world) { w.shift = 0.2 }, true},
	}
	const (
		said  = "one of several studies of one truth has the better front (its search may have had better luck)"
		wrong = "one of several studies has the better front, and that is wrong of their trials"
		tasks = "one of several studies is the best on a task, and that is wrong of their trials"
	)
	for truth := range worlds {
		played := map[world]*study.Snapshot{}
		play := func(change func(*world), seed string) (run, error) {
			w := usual(truth)
			change(&w)
			w.noise += seed
			w.search = len(seed)*100 + truth
			var err error
			if played[w] == nil {
				played[w], err = w.play(ctx)
			}
			return run{w, played[w]}, err
		}
		for _, p := range pairs {
			a, err := play(p.a, "s")
			if err != nil {
				return err
			}
			b, err := play(p.b, "ss")
			if err != nil {
				return err
			}
			front, on, leaders, err := compare(ctx, a, b)
			if err != nil {
				return err
			}
			if p.true {
				t.count("the better of two studies has the better front", p.of, 0.8, true, 1, one(front.said > 0 && leaders[0] == 1))
			} else {
				t.count(said, p.of, none, false, 1, front.said)
			}
			t.count(wrong, p.of, 0.05, false, 1, front.wrong)
			t.count(tasks, p.of, 0.05, false, 1, min(1, on.wrong))
		}
		var six []run
		for i := range 6 {
			r, err := play(same, strings.Repeat("s", i+1))
			if err != nil {
				return err
			}
			six = append(six, r)
		}
		front, on, _, err := compare(ctx, six...)
		if err != nil {
			return err
		}
		t.count(said, "six of 450 items", none, false, 1, front.said)
		t.count(wrong, "six of 450 items", 0.05, false, 1, front.wrong)
		t.count(tasks, "six of 450 items", 0.05, false, 1, min(1, on.wrong))
		groups := six[:4:4]
		for i := range 4 {
			r, err := play(func(w *world) { w.trials = 41 }, strings.Repeat("s", 7+i))
			if err != nil {
				return err
			}
			groups = append(groups, r)
		}
		c, err := compared(ctx, groups...)
		if err != nil {
			return err
		}
		sure := slices.ContainsFunc(c.Seeds, study.SeedTest.Sure)
		t.count("over the seeds one of two strategies that are alike is better", "four runs of each", 0.05, false, 1, one(sure))
	}
	return nil
}
