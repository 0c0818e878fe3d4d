package study

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"parfait/evaluator"
	"parfait/merge"
	"parfait/merge/method"
	"parfait/search"
)

// mergeSpec is what the engine is to merge. Paths are resolved against dir.
func (s *Spec) mergeSpec(dir string) merge.Spec {
	m := merge.Spec{
		Base: resolve(dir, s.Base), Method: s.Method.Name, Params: s.params(dir), Skip: s.Skip, DType: s.DType, Seed: s.Search.Seed,
		Masks: s.Masks, VarianceCorrection: s.Variance, Vocab: s.Vocab,
	}
	for _, x := range s.Models {
		m.Models = append(m.Models, merge.Source{Name: x.Name, Path: resolve(dir, x.Path)})
	}
	for _, g := range s.Groups {
		m.Groups = append(m.Groups, merge.Group{Name: g.Name, Match: g.Match})
	}
	return m
}

// mergeSpec is what the engine is to merge, in the form that evaluators want it.
func (s *Study) mergeSpec(form evaluator.Form) merge.Spec {
	m := s.spec().mergeSpec(s.dir)
	if form == evaluator.Adapter {
		m.Form = merge.FormAdapter
	}
	return m
}

// params are the method's fixed parameters, files among them resolved.
func (s *Spec) params(dir string) map[string]any {
	out := maps.Clone(s.Method.Params)
	info, _ := method.Describe(s.Method.Name)
	for _, p := range info.Params {
		files, ok := out[p.Name].(map[string]any)
		if p.Kind != method.Paths || !ok {
			continue
		}
		files = maps.Clone(files)
		for model, path := range files {
			if text, ok := path.(string); ok {
				files[model] = under(dir, text)
			}
		}
		out[p.Name] = files
	}
	return out
}

// random says whether the method draws at random, so that the seed is part of what was measured.
func (s *Spec) random() bool {
	info, _ := method.Describe(s.Method.Name)
	return info.Random
}

// under makes a path that is written in study.yaml absolute; "" is dir itself.
func under(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// resolve is under for a model, which may be a hub id: what looks like one and does not exist stays as it is.
func resolve(dir, path string) string {
	local := under(dir, path)
	if _, err := os.Stat(local); err == nil || !hubID.MatchString(path) {
		return local
	}
	// What happens to lie in the folder that we are in is another model than the one that is missing.
	if _, err := os.Stat(path); err == nil {
		return local
	}
	return path
}

var hubID = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$`)

// space returns the coefficients of the study in their order: the models' (with groups one a group),
// then the method's parameters that have a range, by name.
func (s *Spec) space() (search.Space, error) {
	knobs, domain, err := merge.Knobs(s.mergeSpec("/"))
	if err != nil {
		return search.Space{}, err
	}
	var sp search.Space
	ranges := map[string]Range{}
	for _, m := range s.Models {
		ranges[m.Name] = m.Range
	}
	index := map[int]int{} // of a knob: its place among the coefficients
	used := map[string]bool{}
	for i, k := range knobs {
		c := search.Coefficient{Name: k.Name, Kind: search.Scaling, Model: k.Model, Group: k.Group}
		if k.Param == "" {
			r, ok := ranges[k.Model]
			if !ok {
				continue
			}
			c.Lo, c.Hi = r[0], r[1]
		} else {
			r, ok := s.Method.Ranges[k.Param]
			if !ok || k.Group != "" {
				continue // fixed, or left at its default; a range is for the whole model
			}
			used[k.Param] = true
			c.Kind, c.Lo, c.Hi = search.Parameter, r[0], r[1]
		}
		index[i] = len(sp.Coefficients)
		sp.Coefficients = append(sp.Coefficients, c)
	}
	for p := range s.Method.Ranges {
		if !used[p] {
			return sp, fmt.Errorf("method %s has no parameter %q that can have a range", s.Method.Name, p)
		}
	}
	for _, set := range domain.Simplex {
		var ids []int
		for _, k := range set {
			i := index[k]
			sp.Coefficients[i].Lo, sp.Coefficients[i].Hi = 0, 1 // the reader has refused a part of it
			ids = append(ids, i)
		}
		sp.Simplex = append(sp.Simplex, ids)
	}
	if len(sp.Coefficients) == 0 {
		return sp, fmt.Errorf("method %s has nothing to turn: give one of its parameters a range, or use `parfait merge`", s.Method.Name)
	}
	return sp, nil
}

// Proportions says whether the models' coefficients are proportions: from 0 to 1, with the sum 1.
func (s *Spec) Proportions() bool {
	sp, err := s.space()
	return err == nil && len(sp.Simplex) > 0
}

// identity is what the history was measured with. Trials measured with another one mean something else.
type identity struct {
	Base    string            `json:"base"`
	Models  map[string]string `json:"models"`
	Method  string            `json:"method"`
	Params  map[string]any    `json:"parameters"`
	Groups  []GroupSpec       `json:"groups"`
	Skip    []string          `json:"skip"`
	DType   string            `json:"dtype"`
	Masks   string            `json:"masks"`
	Vary    bool              `json:"variance_correction"`
	Vocab   string            `json:"vocab"`
	Tasks   []string          `json:"tasks"`
	Names   []string          `json:"coefficients"`
	Simplex [][]int           `json:"proportions"`
	Seed    uint64            `json:"seed"` // 0 where nothing is drawn at random
}

// identity is what trials of s are measured with; sp is its space.
func (s *Spec) identity(sp search.Space) identity {
	id := identity{Base: s.Base, Models: map[string]string{}, Method: s.Method.Name, Params: s.Method.Params, Groups: s.Groups, Skip: s.Skip, DType: s.DType, Masks: s.Masks, Vary: s.Variance, Vocab: s.Vocab, Simplex: sp.Simplex}
	if s.random() {
		id.Seed = s.Search.Seed
	}
	for _, m := range s.Models {
		id.Models[m.Name] = m.Path
	}
	for _, t := range s.Tasks {
		id.Tasks = append(id.Tasks, t.Name)
	}
	slices.Sort(id.Tasks)
	for _, c := range sp.Coefficients {
		id.Names = append(id.Names, c.Name)
	}
	return id
}

// against compares study.yaml with what the history was measured with and names every difference. Ranges,
// budgets, floors, senses, roles, seeds and evaluators' options may change. Where nothing was measured yet
// there is nothing to protect: only what the trials' coefficients mean has to stay.
func (a *asked) against(dir string, h *history) error {
	was, ok := h.meta["identity"]
	if !ok || len(h.trials) == 0 || was == a.identity {
		return nil
	}
	var old, cur map[string]any
	if err := json.Unmarshal([]byte(was), &old); err != nil {
		return historyError("study.db", err)
	}
	if err := json.Unmarshal([]byte(a.identity), &cur); err != nil {
		return err
	}
	measured := h.measured()
	var diffs []string
	for k := range cur {
		if measured == 0 && k != "coefficients" && k != "proportions" {
			continue
		}
		if !reflect.DeepEqual(old[k], cur[k]) {
			diffs = append(diffs, fmt.Sprintf("%s: was %s, now %s", k, mustJSON(old[k]), mustJSON(cur[k])))
		}
	}
	if len(diffs) == 0 {
		return nil
	}
	slices.Sort(diffs)
	n, done := measured, "measured"
	fix := "set it back, or copy study.yaml into a new folder for a new question"
	if measured == 0 {
		n, done = len(h.trials), "asked for"
		fix = "set it back, or delete " + and(append([]string{"study.db"}, signs(dir)...)) + ": nothing is measured yet"
	}
	trials := "trials were"
	if n == 1 {
		trials = "trial was"
	}
	return &Error{
		Code: CodeChanged, Where: SpecFile, Fix: fix,
		What: fmt.Sprintf("%d %s %s with something else than it says now:\n  %s", n, trials, done, strings.Join(diffs, "\n  ")),
	}
}

// sameInputs says whether the weights are those that the history was measured with. Where nothing is
// measured yet they are recorded.
func (s *Study) sameInputs(plan *merge.Plan, h *history) error {
	now, err := plan.Fingerprint()
	if err != nil {
		return err
	}
	text := h.meta["inputs"]
	if text == "" || h.measured() == 0 {
		h.meta["inputs"] = mustJSON(now)
		return historyError(s.store.path, s.store.setMeta(map[string]string{"inputs": h.meta["inputs"]}))
	}
	return s.compareInputs(now, text)
}

// compareInputs compares the weights with those that were recorded as text.
func (s *Study) compareInputs(now map[string]string, text string) error {
	var was map[string]string
	if err := json.Unmarshal([]byte(text), &was); err != nil {
		return historyError(s.store.path, err)
	}
	var changed []string
	for name, sum := range now {
		if was[name] != sum {
			changed = append(changed, name)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	slices.Sort(changed)
	return &Error{
		Code: CodeChanged, Where: s.dir, What: "the weights of " + strings.Join(changed, ", ") + " are no longer those that the trials were measured with",
		Fix: "put the old weights back, or copy study.yaml into a new folder to measure the new ones",
	}
}
