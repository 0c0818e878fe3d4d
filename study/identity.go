package study

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"parfait/history"
	"parfait/merge"
	"parfait/problem"
	"parfait/search"
)

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

	// What merges have beside their weights, where study.yaml says something.
	Tokenizer    string `json:"tokenizer,omitempty"`
	PadVocab     int    `json:"pad_to_multiple_of,omitempty"`
	ChatTemplate string `json:"chat_template,omitempty"`
	Files        string `json:"files,omitempty"`

	Bound string `json:"fixed_and_tied,omitempty"` // the numbers that are no coefficients of their own
}

// identity is what trials of s are measured with; sp is its space.
func (s *Spec) identity(sp search.Space) identity {
	id := identity{Base: s.Base, Models: map[string]string{}, Method: s.Method.Name, Params: s.Method.Params, Groups: s.Groups, Skip: s.Skip, DType: s.DType, Masks: s.Masks, Vary: s.Variance, Vocab: s.Vocab, Simplex: sp.Simplex, Bound: sp.BoundWords()}
	id.Tokenizer, id.PadVocab, id.ChatTemplate, id.Files = s.Side.Tokenizer, s.Side.PadVocab, s.Side.ChatTemplate, s.Side.Files
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
func (a *asked) against(dir string, h *record) error {
	was, ok := h.meta["identity"]
	if !ok || len(h.trials) == 0 || was == a.identity {
		return nil
	}
	var old, cur map[string]any
	if err := json.Unmarshal([]byte(was), &old); err != nil {
		return fmt.Errorf("%s: %w", history.DatabaseFile, err)
	}
	if err := json.Unmarshal([]byte(a.identity), &cur); err != nil {
		return err
	}
	measured := h.measured()
	var diffs []string
	for _, m := range []map[string]any{old, cur} { // which have these where there is something to say
		for _, k := range []string{"fixed_and_tied", "tokenizer", "pad_to_multiple_of", "chat_template", "files"} {
			if _, any := m[k]; !any {
				m[k] = ""
			}
		}
	}
	for k := range cur {
		if k == "tasks" { // they may come and go: see record.expect
			continue
		}
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
		fix = "set it back, or delete " + problem.And(append([]string{history.DatabaseFile, history.JournalFile}, signs(dir)...)) + ": nothing is measured yet"
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
func (s *Study) sameInputs(plan *merge.Plan, h *record) error {
	now, err := plan.Fingerprint()
	if err != nil {
		return err
	}
	text := h.meta["inputs"]
	if text == "" || h.measured() == 0 {
		h.meta["inputs"] = mustJSON(now)
		return s.store.Explain(s.store.setMeta("inputs", map[string]string{"inputs": h.meta["inputs"]}))
	}
	return s.compareInputs(now, text)
}

// compareInputs compares the weights with those that were recorded as text.
func (s *Study) compareInputs(now map[string]string, text string) error {
	var was map[string]string
	if err := json.Unmarshal([]byte(text), &was); err != nil {
		return s.store.Explain(err)
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
