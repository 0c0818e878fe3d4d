package cli

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"parfait/explore"
	"parfait/study"
)

func (a *app) compareCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "compare DIR DIR…",
		Short: "Say which of several studies has the better front",
		Long: "Compare studies of the same optimised tasks: merge methods, strategies, seeds. All are held against one box, from the best that any measured to the worst anchor (the base, a model alone, the average) less a tenth of the anchors' range.\n\n" +
			"Hypervolume is the share of the box that the front of the measured trials dominates; in brackets, that of the predicted front. ε and IGD+ say how far the measured front falls behind the front of all studies' trials together, in percent of the box's sides: at worst, and on average. " +
			"Beside them stands how many points of that common front are the study's own.\n\n" +
			"To tell a difference from noise what is true of all trials is drawn " + strconv.Itoa(study.NoiseDraws) + " times from the surrogates' joint distribution, as much wider as held-out predictions were off: studies with more trials, or more items, can be compared with others. Where all are alike, one is called worse once in twenty times, of however many (Tukey's studentised range). Where the numbers of items differ, so do the items, and their luck is counted. The luck of the search is another matter: compare several seeds. " +
			"With three studies and more it also says what is attained by one of them, by half, and by all.",
		Example:           "parfait compare arithmetic.study ties.study\n\n# how much the search's luck matters\nparfait compare seed1.study seed2.study seed3.study",
		Args:              arguments(2, math.MaxInt, "two studies' folders or more"),
		ValidArgsFunction: moreStudies,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			var snaps []*study.Snapshot
			for _, dir := range args {
				s, snap, err := analysed(cmd.Context(), studyDir([]string{dir}))
				if err != nil && !strings.Contains(err.Error(), dir) {
					return fmt.Errorf("%s: %w", dir, err) // there are several: which?
				}
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, s.Close()) }()
				a.warnOfDamage(snap)
				snaps = append(snaps, snap)
			}
			c, err := study.Compare(cmd.Context(), snaps)
			switch {
			case err != nil:
				return err
			case a.json:
				return a.printJSON(a.out, comparisonOf(c))
			}
			return a.printComparison(c)
		},
	}
}

// moreStudies completes folders of studies that are not named yet.
func moreStudies(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, dir := range studiesIn(".") {
		if !slices.Contains(args, dir) {
			out = append(out, dir)
		}
	}
	return out, cobra.ShellCompDirectiveFilterDirs
}

func (a *app) printComparison(c *study.Comparison) error {
	var b strings.Builder
	for _, d := range c.Differ {
		b.WriteString(d + "\n")
	}
	b.WriteString("(in brackets): predicted; ε, IGD+: how far behind all together, worst and mean\n")
	fronts := a.sheet(left("study"), right("trials"), right("hypervolume"), right("measured").spared(3), right("(predicted)"), right("ε").spared(1), right("IGD+").spared(2), right("own points"), left("trust"))
	for i, s := range c.Studies {
		fronts.add(s.Name, strconv.Itoa(s.Trials), explore.Volume(c.Fronts, i), explore.Tenths(s.Measured.Volume), "("+explore.Tenths(s.Predicted)+")",
			explore.Tenths(s.Measured.Epsilon), explore.Tenths(s.Measured.IGDPlus), fmt.Sprintf("%d of %d", s.Measured.Contributed, c.Front), contestantMark(s))
	}
	b.WriteString(fronts.String())
	b.WriteString("\n")
	titles := []column{left("best")}
	for _, t := range c.Tasks {
		titles = append(titles, right(t.Name+" "+arrow(t)))
	}
	best := a.sheet(titles...)
	for _, s := range c.Studies {
		row := []string{s.Name}
		for k, m := range s.Best {
			row = append(row, uncertain(c.Tasks[k], m.Metric))
		}
		best.add(row...)
	}
	b.WriteString(best.String())
	b.WriteString("\n")
	write := func(text, indent string) {
		b.WriteString(strings.ReplaceAll(ansi.Wordwrap(text, best.page()-len(indent), ""), "\n", "\n"+indent) + "\n")
	}
	for _, s := range explore.Compared(c) {
		write(s, "")
	}
	var levels []string
	for _, l := range c.Surfaces {
		levels = append(levels, "by "+levelWords(l.Level, len(c.Studies))+" "+explore.Tenths(l.Volume))
	}
	if len(levels) > 0 {
		write("Attained "+strings.Join(levels, ", ")+" of the box.", "")
	}
	for _, n := range c.Notes {
		write("  ! "+n, "    ")
	}
	if _, err := io.WriteString(a.out, b.String()); err != nil {
		return err
	}
	return contestantRemarks(c).print(a.out)
}

// levelWords say how many studies attain something, at least.
func levelWords(level, of int) string {
	switch level {
	case 1:
		return "at least one"
	case of:
		return fmt.Sprintf("all %d", of)
	}
	return fmt.Sprintf("at least %d of %d", level, of)
}

// contestantMark is the worst of the marks of a study's optimised tasks.
func contestantMark(s study.Contestant) string {
	a, mark := s.Snapshot.Analysis, markGood
	for _, t := range a.Objectives {
		switch m := trustMark(a, t); m {
		case markFlagged:
			return m
		case markCliff:
			mark = m
		}
	}
	return mark
}

// contestantRemarks say whose predictions should not be believed, and why.
func contestantRemarks(c *study.Comparison) *remarks {
	r := &remarks{}
	for _, s := range c.Studies {
		for _, t := range s.Snapshot.Analysis.Objectives {
			if f := s.Snapshot.Analysis.Fits[t]; f.Trust.Flagged {
				r.add(markFlagged+" ", s.Name+"'s "+f.Task, f.Trust.Why)
			} else {
				r.add(markCliff+" ", s.Name+"'s "+f.Task, f.Trust.CliffWhy)
			}
		}
		r.add(markFlagged+" ", s.Name, s.Snapshot.Analysis.Untested)
	}
	return r
}

type comparisonJSON struct {
	Studies    []contestantJSON             `json:"studies"`
	Ref        map[string]number            `json:"reference_point"`
	Ideal      map[string]number            `json:"ideal_point"`
	Front      int                          `json:"front"` // points of the front of all trials together
	Draws      int                          `json:"draws"`
	Ahead      map[string]map[string]number `json:"ahead"`      // share of the draws in which the first has the larger hypervolume
	Leaders    []string                     `json:"leaders"`    // the study with the best front first, then those that noise cannot tell from it
	Seeds      []seedsJSON                  `json:"seeds"`      // of every two groups of studies that differ in nothing but the seed, where one has several
	Attainment []surfaceJSON                `json:"attainment"` // empty for two studies, and for very many points of many tasks
	Verdict    []string                     `json:"verdict"`
	Differ     []string                     `json:"differ"` // what was asked for differently
	Notes      []string                     `json:"notes"`  // what keeps this from being a comparison of like with like
}

// seedsJSON holds two groups against each other by the ranks of their runs (Mann and Whitney).
type seedsJSON struct {
	A     []string `json:"a"`
	B     []string `json:"b"`
	Share number   `json:"share"` // of all pairs of runs, in which that of a has the larger hypervolume
	P     number   `json:"p"`     // corrected for the number of tests
}

type contestantJSON struct {
	Study     string              `json:"study"`
	Name      string              `json:"name"`
	Method    string              `json:"method"`
	Strategy  string              `json:"strategy"`
	Seed      uint64              `json:"seed"`
	Trials    int                 `json:"trials"`
	True      number              `json:"true_hypervolume"` // of what is true of its trials, by their surrogates, share of the box
	TrueStd   number              `json:"true_hypervolume_std"`
	Volume    number              `json:"hypervolume"`            // of the measured front, share of the box; larger than the truth by the luck of the noise
	Early     number              `json:"hypervolume_of_as_many"` // of as many of its trials as the study with the fewest has
	Predicted number              `json:"predicted_hypervolume"`  // of the predicted front, share of the box
	Epsilon   number              `json:"epsilon"`                // of the measured front, in shares of the box's sides
	IGDPlus   number              `json:"igd_plus"`               // likewise
	Own       int                 `json:"own"`                    // points of the front of all
	Best      map[string]bestJSON `json:"best"`
	Flagged   map[string]string   `json:"flagged"`
	Untested  string              `json:"untested,omitempty"`
}

type bestJSON struct {
	metricJSON
	Trial int `json:"trial"`
}

type surfaceJSON struct {
	Level  int                 `json:"level"` // by so many studies at least
	Volume number              `json:"hypervolume"`
	Points []map[string]number `json:"points"`
}

func comparisonOf(c *study.Comparison) comparisonJSON {
	values := func(row []float64) map[string]number {
		out := map[string]number{}
		for k, t := range c.Tasks {
			out[t.Name] = number(row[k])
		}
		return out
	}
	j := comparisonJSON{
		Ref: values(c.Ref), Ideal: values(c.Ideal), Front: c.Front, Draws: study.NoiseDraws, Ahead: map[string]map[string]number{},
		Attainment: []surfaceJSON{}, Verdict: explore.Compared(c), Differ: append([]string{}, c.Differ...), Notes: append([]string{}, c.Notes...),
	}
	for i, s := range c.Studies {
		spec := s.Snapshot.Spec
		one := contestantJSON{
			Study: s.Snapshot.Dir, Name: s.Name, Method: spec.Method.Name, Strategy: spec.Search.Strategy, Seed: spec.Search.Seed, Trials: s.Trials,
			True: number(c.Fronts.Value[i]), TrueStd: number(c.Fronts.Std[i]), Volume: number(s.Measured.Volume), Early: number(s.Early), Predicted: number(s.Predicted), Epsilon: number(s.Measured.Epsilon), IGDPlus: number(s.Measured.IGDPlus),
			Own: s.Measured.Contributed, Best: map[string]bestJSON{}, Flagged: s.Snapshot.Analysis.FlaggedTasks(true), Untested: s.Snapshot.Analysis.Untested,
		}
		for k, b := range s.Best {
			one.Best[c.Tasks[k].Name] = bestJSON{metricOf(b.Metric), b.Trial}
		}
		j.Studies = append(j.Studies, one)
		j.Ahead[s.Name] = map[string]number{}
		for k, other := range c.Studies {
			if k != i {
				j.Ahead[s.Name][other.Name] = number(c.Fronts.Ahead[i][k])
			}
		}
	}
	for _, i := range c.Fronts.Leaders {
		j.Leaders = append(j.Leaders, c.Studies[i].Name)
	}
	j.Seeds = []seedsJSON{}
	for _, t := range c.Seeds {
		names := func(g int) (out []string) {
			for _, i := range c.Groups[g].Studies {
				out = append(out, c.Studies[i].Name)
			}
			return out
		}
		j.Seeds = append(j.Seeds, seedsJSON{names(t.A), names(t.B), number(t.Share), number(t.P)})
	}
	for _, l := range c.Surfaces {
		s := surfaceJSON{Level: l.Level, Volume: number(l.Volume), Points: []map[string]number{}}
		for _, p := range l.Points {
			s.Points = append(s.Points, values(p))
		}
		j.Attainment = append(j.Attainment, s)
	}
	return j
}
