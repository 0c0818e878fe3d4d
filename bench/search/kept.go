package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// kept is an archived judgement of what is shown: that of --shown --keep.
type kept struct {
	Landscape string `json:"landscape"`
	Experts   int    `json:"experts"`
	Seeds     int    `json:"seeds"`
	shownResult
}

// keptName is where they are archived.
const keptName = "testdata/shown.json"

// bars are what is wanted of adaptive after 60 evaluations, a landscape and number of models: shares from the rim, the
// base and the average.
var bars = map[string][3]float64{
	"usual 4":    {0.97, 0.88, 0.85},
	"usual 8":    {0.95, 0.85, 0.70},
	"ignorant 6": {0.72, 0.78, 0.78},
}

func (k kept) of() string { return fmt.Sprintf("%s %d", k.Landscape, k.Experts) }

// readKept are the judgements of an archive.
func readKept(path string) ([]kept, error) {
	var all []kept
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	return all, err
}

// keep writes judgements into the archive, in the place of those of the same landscape, strategy and number of evaluations.
func keep(results []kept) error {
	path := filepath.Join("bench", "search", filepath.FromSlash(keptName))
	all, err := readKept(path)
	if err != nil {
		return err
	}
	same := func(a, b kept) bool {
		return a.of() == b.of() && a.Name == b.Name && a.Evaluations == b.Evaluations
	}
	for _, k := range results {
		all = append(slices.DeleteFunc(all, func(o kept) bool { return same(o, k) }), k)
	}
	slices.SortStableFunc(all, func(a, b kept) int {
		return cmp.Or(-cmp.Compare(a.Landscape, b.Landscape), cmp.Compare(a.Experts, b.Experts), cmp.Compare(a.Evaluations, b.Evaluations), cmp.Compare(a.Name, b.Name))
	})
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// table is them as the README has them: what misses its bar is bold.
func table(all []kept) string {
	var b strings.Builder
	b.WriteString("| landscape, models | evaluations | strategy | seeds | rim | base | avg | measured alone | max-min | 100 preferences |\n" +
		"|---|---|---|---|---|---|---|---|---|---|\n")
	for _, k := range all {
		_, _ = fmt.Fprintf(&b, "| %s | %d | %s | %d |", k.of(), k.Evaluations, k.Name, k.Seeds)
		measured := make([]string, len(referenceNames))
		for i, name := range referenceNames {
			v := share(k.Shown[name])
			if bar := bars[k.of()]; k.Evaluations == 60 && k.Name == "adaptive" && k.Shown[name] < bar[i] {
				v = "**" + v + "**"
			}
			_, _ = fmt.Fprintf(&b, " %s |", v)
			measured[i] = share(k.Measured[name])
		}
		_, _ = fmt.Fprintf(&b, " %s | %.3f | %.3f |\n", strings.Join(measured, " "), k.MaxMin, k.Regret)
	}
	return b.String()
}

// share in two digits, as in .97.
func share(v float64) string { return strings.TrimPrefix(fmt.Sprintf("%.2f", v), "0") }
