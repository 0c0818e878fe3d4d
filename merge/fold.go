package merge

import (
	"fmt"
	"slices"
	"strings"

	"parfait/merge/codes"
	"parfait/merge/internal/glob"
)

// skipMark stands for patterns of tensors in the fix of a problem that several tensors may have.
const skipMark = "{tensors}"

// Most tensors and patterns that one problem names in full.
const (
	maxNamed    = 4
	maxPatterns = 16     // above which others are looked for
	maxFolded   = 10_000 // names that patterns are looked for
)

// tensorProblems gathers problems of single tensors. Those that differ in nothing but the tensor become one
// problem with patterns for all of them: a model of another size has hundreds.
type tensorProblems struct {
	order   []Problem // Where is the model's name, Fix has skipMark
	members map[Problem][]string
}

// add takes a problem of one tensor; owner is the model concerned, "" for all of them.
func (f *tensorProblems) add(code Code, owner, tensor, what, expected, fix string) {
	key := Problem{Code: code, Where: owner, What: what, Expected: expected, Fix: fix}
	if f.members == nil {
		f.members = map[Problem][]string{}
	}
	if f.members[key] == nil {
		f.order = append(f.order, key)
	}
	f.members[key] = append(f.members[key], tensor)
}

// fold makes the problems; all are the names that patterns must not match by accident, and layout how many the output has.
func (f *tensorProblems) fold(all []string, layout int) []Problem {
	var out []Problem
	for _, key := range f.order {
		p, names := key, f.members[key]
		patterns := patternsOf(names, all)
		if p.Fix = strings.ReplaceAll(p.Fix, skipMark, quoted(patterns)); p.Code == codes.MissingTensor && len(names) == layout {
			p.Fix = "it has none of them, and nothing would be left to merge: check that it is a model of this kind"
		}
		where := names[0]
		if len(names) > 1 {
			where = fmt.Sprintf("%d tensors (%s)", len(names), some(patterns))
		}
		if p.Where = where; key.Where != "" {
			p.Where = key.Where + ": " + where
		}
		out = append(out, p)
	}
	return out
}

// some names the first few of a list.
func some(list []string) string {
	if len(list) <= maxNamed {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:maxNamed], ", "), len(list)-maxNamed)
}

// quoted is a list as YAML has it, without the brackets: it may be pasted.
func quoted(list []string) string {
	words := make([]string, len(list))
	for i, word := range list {
		words[i] = "'" + strings.ReplaceAll(word, "'", "''") + "'"
	}
	return strings.Join(words, ", ")
}

// patternsOf finds few globs that match the given names and no others of all: one for the same tensor
// in every layer, one for a whole layer, or else the name; where these are many, one for what names begin with.
func patternsOf(names, all []string) []string {
	if len(names) == 1 || len(names) > maxFolded {
		return escapedNames(names)
	}
	member, done := make(map[string]bool, len(names)), make(map[string]bool, len(names))
	for _, name := range names {
		member[name] = true
	}
	tried := map[string][]string{} // what a pattern matches; nil where it matches too much
	covers := func(pattern string) []string {
		if found, ok := tried[pattern]; ok {
			return found
		}
		tried[pattern] = nil
		g, err := glob.Compile(pattern)
		if err != nil {
			return nil
		}
		var found []string
		for _, name := range all {
			if g.Match(name) {
				if !member[name] {
					return nil
				}
				found = append(found, name)
			}
		}
		tried[pattern] = found
		return found
	}
	var out []string
	for _, name := range names {
		if done[name] {
			continue
		}
		pattern := glob.Escape(name)
		for _, wider := range widerPatterns(name) {
			if found := covers(wider); len(found) > 1 && slices.Contains(found, name) {
				pattern = wider
				for _, n := range found {
					done[n] = true
				}
				break
			}
		}
		out = append(out, pattern)
	}
	if len(out) > maxPatterns {
		if short := beginnings(names, all); len(short) < len(out) {
			return short
		}
	}
	return out
}

// beginnings are globs of what names begin with, up to a dot, as short as no other of all begins so.
func beginnings(names, all []string) (out []string) {
	mine := slices.Sorted(slices.Values(names))
	others := slices.Sorted(slices.Values(all))
	others = slices.DeleteFunc(others, func(name string) bool { _, is := slices.BinarySearch(mine, name); return is })
	begin := func(list []string, with string) []string {
		from, _ := slices.BinarySearch(list, with)
		to := from
		for to < len(list) && strings.HasPrefix(list[to], with) {
			to++
		}
		return list[from:to]
	}
	for len(mine) > 0 {
		name, taken := mine[0], 1
		pattern := glob.Escape(name)
		for at, c := range name {
			if c != '.' {
				continue
			}
			if with := name[:at+1]; len(begin(others, with)) == 0 {
				if n := len(begin(mine, with)); n > 1 {
					pattern, taken = glob.Escape(with)+"*", n
				}
				break
			}
		}
		out, mine = append(out, pattern), mine[taken:]
	}
	return out
}

// widerPatterns are the globs that are tried for a tensor: it in every layer, and all of its layer.
func widerPatterns(name string) []string {
	layer := layerOf(name)
	number := layer[strings.LastIndexByte(layer, '.')+1:]
	if digitRun(number) == 0 {
		return nil
	}
	before, after := glob.Escape(strings.TrimSuffix(layer, number)), glob.Escape(name[len(layer):])
	return []string{before + "*" + after, glob.Escape(layer) + ".*"}
}

func escapedNames(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = glob.Escape(name)
	}
	return out
}
