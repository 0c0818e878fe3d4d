package study

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"

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
	turned, domain, err := merge.Coefficients(s.mergeSpec("/"))
	if err != nil {
		return search.Space{}, err
	}
	var sp search.Space
	ranges := map[string]Range{}
	for _, m := range s.Models {
		ranges[m.Name] = m.Range
	}
	index := map[int]int{} // of a coefficient of the merge: its place among the coefficients
	used := map[string]bool{}
	for i, k := range turned {
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
