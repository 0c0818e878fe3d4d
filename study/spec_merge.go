package study

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parfait/merge"
	"parfait/merge/method"
	"parfait/search"
)

// mergeSpec is what the engine is to merge. Paths are resolved against dir.
func (s *Spec) mergeSpec(dir string) merge.Spec {
	m := merge.Spec{
		Base: resolve(dir, s.Base), Method: s.Method.Name, Params: s.params(dir), Skip: s.Skip, DType: s.DType, Seed: s.Search.Seed,
		Masks: s.Masks, VarianceCorrection: s.Variance, Vocab: s.Vocab, Profile: s.Profile,
		Tokenizer: s.Side.Tokenizer, PadVocab: s.Side.PadVocab, ChatTemplate: s.Side.ChatTemplate, Files: s.Side.Files,
	}
	if file := under(dir, m.ChatTemplate); m.ChatTemplate != "" {
		if _, err := os.Stat(file); err == nil {
			m.ChatTemplate = file
		}
	}
	for _, x := range s.Models {
		m.Models = append(m.Models, merge.Source{Name: x.Name, Path: resolve(dir, x.Path)})
	}
	for _, g := range s.Groups {
		m.Groups = append(m.Groups, merge.Group{Name: g.Name, Match: g.Match})
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
	path = merge.Home(path)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// resolve is under for a model, which may be a hub id: what looks like one and does not exist stays as it is.
func resolve(dir, path string) string {
	local := under(dir, path)
	if _, err := os.Stat(local); err == nil || !merge.HubID(path) {
		return local
	}
	// What happens to lie in the folder that we are in is another model than the one that is missing.
	if _, err := os.Stat(path); err == nil {
		return local
	}
	return path
}

// scalesAll is the parameter by which methods scale all task vectors together.
const scalesAll = "lambda"

// space returns the coefficients of the study in their order: the models' (with groups one a group),
// then the method's parameters that have a range, by name.
func (s *Spec) space() (search.Space, error) {
	turned, domain, err := merge.Coefficients(s.mergeSpec("/"))
	if err != nil {
		return search.Space{}, err
	}
	var sp search.Space
	models := map[string]ModelSpec{}
	for _, m := range s.Models {
		models[m.Name] = m
	}
	together := s.together()
	index := map[int]int{}       // of a coefficient of the merge: its place among the coefficients
	places := map[string]int{}   // of the same, by its name
	proportions := !domain.Box() // which the search knows whole: one that is fixed is a range without width
	whole := true                // all numbers are coefficients
	used := map[string]bool{}
	for i, k := range turned {
		c := search.Coefficient{Name: k.Name, Kind: search.Scaling, Model: k.Model, Group: k.Group}
		number := search.Number{Name: k.Name, Kind: search.Scaling, Model: k.Model, Group: k.Group, Of: len(sp.Coefficients)}
		if k.Param == "" {
			m, ok := models[k.Model]
			if !ok {
				continue
			}
			c.Lo, c.Hi = m.Range[0], m.Range[1]
			if m.Fixed && !proportions {
				number.Of, number.Value, whole = -1, m.Range[0], false
				sp.All = append(sp.All, number)
				continue
			}
			if set := together[k.Name]; len(set) > 1 && !proportions {
				if set[0] != k.Name { // the first of them is the coefficient
					number.Of, whole = places[set[0]], false
					sp.All = append(sp.All, number)
					one := &sp.Coefficients[number.Of]
					one.Model, one.Group = also(one.Model, k.Model), also(one.Group, k.Group)
					continue
				}
			}
			places[k.Name] = number.Of
		} else {
			r, ok := s.Method.Ranges[k.Param]
			if !ok || k.Group != "" {
				continue // fixed, or left at its default; a range is for the whole model
			}
			used[k.Param] = true
			c.Kind, c.Lo, c.Hi, c.AllOf = search.Parameter, r[0], r[1], k.Param == scalesAll
			number.Kind, number.Model = search.Parameter, ""
		}
		sp.All = append(sp.All, number)
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
			ids = append(ids, index[k])
		}
		narrow(sp.Coefficients, ids)
		sp.Simplex = append(sp.Simplex, ids)
	}
	if whole {
		sp.All = nil
	}
	if len(sp.Coefficients) == 0 {
		if len(sp.All) > 0 {
			return sp, fmt.Errorf("every model has a value, and nothing is left to search: give one a range, or make this one merge with `parfait merge`")
		}
		return sp, fmt.Errorf("method %s has nothing to turn: give one of its parameters a range, or use `parfait merge`", s.Method.Name)
	}
	return sp, nil
}

// also adds a name to those that are tied, where it is not among them.
func also(names, name string) string {
	if name == "" || slices.Contains(strings.Split(names, "+"), name) {
		return names
	}
	return names + "+" + name
}

// narrow takes from the ranges of proportions what they can never be, as they are from 0 to 1 and sum to 1: where another
// is .1 at least, this one is .9 at most. Ranges within which they cannot sum to 1 (the reader refuses them) lose nothing more.
func narrow(coefficients []search.Coefficient, set []int) {
	for _, i := range set {
		c := &coefficients[i]
		c.Lo, c.Hi = max(c.Lo, 0), min(c.Hi, 1)
	}
	least, most := sums(search.Space{Coefficients: coefficients}, set)
	if least > 1 || most < 1 {
		return
	}
	for _, i := range set {
		c := &coefficients[i]
		// Rounded, so that nobody reads .30000000000000004.
		lo, hi := math.Round((1-most+c.Hi)*1e12)/1e12, math.Round((1-least+c.Lo)*1e12)/1e12
		c.Lo, c.Hi = max(c.Lo, lo), min(c.Hi, hi)
	}
}

// sums are the least and the largest sum of proportions within their ranges, rounded so that .1 + .2 + .7 is 1.
func sums(sp search.Space, set []int) (least, most float64) {
	least, most = sp.Bounds().Sums(set)
	return math.Round(least*1e12) / 1e12, math.Round(most*1e12) / 1e12
}

// Proportions says whether the models' coefficients are proportions, with the sum 1.
func (s *Spec) Proportions() bool {
	sp, err := s.space()
	return err == nil && len(sp.Simplex) > 0
}
