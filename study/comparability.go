package study

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// sameTasks says everything that keeps studies from being compared.
func sameTasks(snaps []*Snapshot) error {
	names := distinctNames(snaps)
	seen := map[string]bool{}
	for _, s := range snaps {
		if seen[s.Dir] {
			return inputError(s.Dir, "is named twice: a study cannot be compared with itself")
		}
		seen[s.Dir] = true
	}
	for i, s := range snaps {
		if s.Analysis == nil {
			return &Error{Code: CodeTooFew, Where: names[i], What: "too few trials are finished to fit anything"}
		}
		if costs, _ := s.Analysis.measuredCosts(); len(costs) == 0 {
			return &Error{Code: CodeTooFew, Where: names[i], What: "there is no trial of which every optimised task was measured"}
		}
	}
	var differ []string
	for _, task := range taskNames(snaps) {
		// What the task is to each: minimised, maximised, or not optimised.
		uses := map[string][]string{}
		for i, s := range snaps {
			use := useOf(s.Tasks, task)
			uses[use] = append(uses[use], names[i])
		}
		if len(uses) < 2 {
			continue
		}
		var parts []string
		optimised := false
		for _, use := range slices.Sorted(maps.Keys(uses)) {
			optimised = optimised || strings.HasPrefix(use, "optimised")
			parts = append(parts, use+" in "+strings.Join(uses[use], ", "))
		}
		if optimised {
			differ = append(differ, task+": "+strings.Join(parts, "; "))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return &Error{
		Code: CodeInput, What: "the studies do not optimise the same tasks:\n  " + strings.Join(differ, "\n  "),
		Fix: "roles and senses may be changed in study.yaml; what was not measured cannot be compared",
	}
}

// useOf says what a study does with a task.
func useOf(tasks []Task, name string) string {
	i := slices.IndexFunc(tasks, func(t Task) bool { return t.Name == name })
	switch {
	case i < 0:
		return "unknown"
	case tasks[i].Role != Objective:
		return string(tasks[i].Role)
	}
	return "optimised (" + string(tasks[i].Sense) + ")"
}

// taskNames are the names of all tasks, in the order in which they are met.
func taskNames(snaps []*Snapshot) []string {
	var out []string
	for _, s := range snaps {
		for _, t := range s.Tasks {
			if !slices.Contains(out, t.Name) {
				out = append(out, t.Name)
			}
		}
	}
	return out
}

// distinctNames are the studies' names, with as many folders before them as it takes to tell them apart.
func distinctNames(snaps []*Snapshot) []string {
	out := make([]string, len(snaps))
	paths := make([]string, len(snaps))
	for i, s := range snaps {
		out[i], paths[i] = s.Name, filepath.Dir(s.Dir)
	}
	for range strings.Count(strings.Join(paths, ""), string(filepath.Separator)) {
		twice := map[string]int{}
		for _, n := range out {
			twice[n]++
		}
		if len(twice) == len(out) {
			break
		}
		for i, n := range out {
			if twice[n] > 1 {
				out[i], paths[i] = filepath.Join(filepath.Base(paths[i]), n), filepath.Dir(paths[i])
			}
		}
	}
	return out
}

// asked says what was asked for differently.
func (c *Comparison) asked() []string {
	var out []string
	for _, a := range []struct {
		what string
		of   func(*Spec) string
	}{
		{"method", func(s *Spec) string { return s.Method.Name }},
		{"strategy", func(s *Spec) string { return s.Search.Strategy }},
		{"seed", func(s *Spec) string { return fmt.Sprint(s.Search.Seed) }},
	} {
		if text := c.differing(func(s Contestant) string { return a.of(s.Snapshot.Spec) }); text != "" {
			out = append(out, a.what+": "+text)
		}
	}
	return out
}

// repeated says which studies have measured the same: seeds matter to some strategies only.
func (c *Comparison) repeated(all []contest) []string {
	var out []string
	for i := range all {
		for j := range i {
			if slices.EqualFunc(all[i].costs, all[j].costs, slices.Equal) {
				out = append(out, fmt.Sprintf("%s and %s have measured the same, trial by trial", c.Studies[j].Name, c.Studies[i].Name))
			}
		}
	}
	return out
}

// notes say what keeps the comparison from being one of like with like.
func (c *Comparison) notes() []string {
	var notes []string
	add := func(what string, of func(s Contestant) string) {
		if text := c.differing(of); text != "" {
			notes = append(notes, what+text)
		}
	}
	if fewest := c.fewest(); slices.ContainsFunc(c.Studies, func(s Contestant) bool { return s.Trials > fewest }) {
		var parts []string
		for _, s := range c.Studies {
			parts = append(parts, fmt.Sprintf("%.1f %% (%s)", 100*s.Early, s.Name))
		}
		notes = append(notes, fmt.Sprintf("more trials find more; hypervolume of the first %d of each: %s", fewest, strings.Join(parts, ", ")))
	}
	for k, t := range c.Tasks {
		items := c.differing(func(s Contestant) string { return s.Noise[k].items() })
		if items == "" {
			continue
		}
		note := "the numbers of items of " + t.Name + " differ, " + items + ": the luck of the items is counted, as they are not the same"
		if slices.ContainsFunc(c.Studies, func(s Contestant) bool { return !s.Noise[k].Known }) {
			note = "the numbers of items of " + t.Name + " differ, " + items + ", and not all standard errors are known: the luck of the items is not counted, and what is said of this task may be no more than that"
		}
		notes = append(notes, note)
	}
	add("the base models are not the same: ", func(s Contestant) string {
		if sum := s.Snapshot.Weights["base"]; sum != "" {
			return sum[:min(8, len(sum))]
		}
		return ""
	})
	for _, t := range c.Tasks {
		add(t.Name+" has different units, and perhaps different scales: ", func(s Contestant) string {
			for _, own := range s.Snapshot.Tasks {
				if own.Name == t.Name && own.Unit != "" {
					return own.Unit
				}
			}
			return "none"
		})
	}
	return notes
}

// items says on how many items a task was measured.
func (n Noise) items() string {
	if n.Least < n.Most {
		return fmt.Sprintf("%d to %d", n.Least, n.Most)
	}
	return fmt.Sprint(n.Least)
}

// fewest is the number of trials of the study that has the fewest.
func (c *Comparison) fewest() int {
	n := c.Studies[0].Trials
	for _, s := range c.Studies {
		n = min(n, s.Trials)
	}
	return n
}

// differing lists the values of what differs between the studies, each with those that have it; "" where all are
// the same. A value of "" is not known.
func (c *Comparison) differing(of func(s Contestant) string) string {
	var values []string
	names := map[string][]string{}
	for _, s := range c.Studies {
		v := of(s)
		if v == "" {
			continue
		}
		if names[v] == nil {
			values = append(values, v)
		}
		names[v] = append(names[v], s.Name)
	}
	if len(values) < 2 {
		return ""
	}
	for i, v := range values {
		values[i] = v + " (" + strings.Join(names[v], ", ") + ")"
	}
	return strings.Join(values, ", ")
}
