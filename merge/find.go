package merge

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"parfait/merge/codes"
	"parfait/problem"
)

// Find are the models that a glob of paths matches: folders and .safetensors files, in numeric order (step-9 before step-10),
// without the base. Relative globs are meant from dir, and give relative paths. Each model is called after the last part of
// its path, or as names says, in which each * is what a part that the glob leaves open stands for: one * alone is the last.
// The error says what is wrong with the glob, or that it matches no model.
func Find(dir, pattern, names, base string) ([]Source, error) {
	fail := func(code Code, what, expected, fix string) ([]Source, error) {
		return nil, Problem{Code: code, Where: pattern, What: what, Expected: expected, Fix: fix}
	}
	open, whole := openParts(Home(pattern))
	called, err := naming(names, open)
	if err != nil {
		return fail(codes.Name, err.Error(), "a name such as 's*', where * is what * stands for in the glob", "")
	}
	at := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	place := Home(pattern)
	if !filepath.IsAbs(place) {
		place = filepath.Join(literal(dir), place)
	}
	matches, err := filepath.Glob(place)
	if err != nil {
		return fail(codes.Pattern, "it is no glob: "+err.Error(), "a path with * for any characters, ? for one, [0-9] for one of some", "")
	}
	var out []Source
	var others, paths []string
	for _, m := range matches {
		info, err := os.Stat(m)
		switch {
		case err != nil || !info.IsDir() && filepath.Ext(m) != ".safetensors":
			others = append(others, filepath.Base(m))
			continue
		case base != "" && same(m, at(Home(base))):
			continue
		}
		if rel, err := filepath.Rel(dir, m); err == nil && !filepath.IsAbs(Home(pattern)) {
			m = filepath.ToSlash(rel)
		}
		paths = append(paths, m)
	}
	slices.SortFunc(paths, Numeric)
	first := map[string]string{}
	for _, path := range paths {
		parts := whole.FindStringSubmatch(strings.TrimPrefix(filepath.ToSlash(path), "./"))
		if parts == nil { // of a glob with . or .. in it
			parts = make([]string, len(open)+1)
			parts[len(open)] = path
		}
		name := called(path, parts[1:])
		if other, twice := first[name]; twice {
			return fail(codes.Duplicate, fmt.Sprintf("%s and %s would both be called %s", other, path, name), "a name of its own for each", "say names: with a * for each * of the glob, such as '*_*'")
		}
		first[name] = path
		out = append(out, Source{Name: name, Path: path})
	}
	if len(out) == 0 {
		what := "it matches nothing"
		if len(others) > 0 {
			what = fmt.Sprintf("it matches %s, and no model", problem.And(others[:min(len(others), 5)]))
		}
		return fail(codes.Open, what, "folders of models or .safetensors files", orNear(at(Home(pattern)), "check the path"))
	}
	return out, nil
}

// Home is a path with what a shell makes of ~ at its beginning; not every shell does so behind a = or in quotes, and a file
// has none.
func Home(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if dir, err := os.UserHomeDir(); err == nil {
			return filepath.Join(dir, rest)
		}
	}
	return path
}

// Numeric compares texts as people count: runs of digits by what they are as numbers, all else by its bytes.
func Numeric(a, b string) int {
	as, bs := digitRuns.FindAllString(a, -1), digitRuns.FindAllString(b, -1)
	for i := range min(len(as), len(bs)) {
		x, y := as[i], bs[i]
		if isDigit(x[0]) && isDigit(y[0]) {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
			continue
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(len(as), len(bs)), cmp.Compare(a, b))
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

var (
	digitRuns = regexp.MustCompile(`[0-9]+|[^0-9]+`)
	wildcard  = regexp.MustCompile(`\\.|\*+|\?|\[[^\]]*\]`)
	globbed   = regexp.MustCompile(`[\\*?\[]`)
	notName   = regexp.MustCompile(`[^\pL\pN_-]`)
)

// literal is a path that a glob takes as it stands.
func literal(path string) string { return globbed.ReplaceAllString(path, `\$0`) }

// same says whether two paths are one file or folder.
func same(a, b string) bool {
	x, err := os.Stat(a)
	y, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(x, y)
}

// openParts are the parts of a glob that stand for anything, and what finds them in a path that it matches.
func openParts(pattern string) (open []string, whole *regexp.Regexp) {
	pattern = filepath.ToSlash(filepath.Clean(pattern))
	var b strings.Builder
	last := 0
	for _, at := range wildcard.FindAllStringIndex(pattern, -1) {
		b.WriteString(regexp.QuoteMeta(pattern[last:at[0]]))
		last = at[1]
		switch part := pattern[at[0]:at[1]]; part[0] {
		case '\\':
			b.WriteString(regexp.QuoteMeta(part[1:]))
		case '*':
			open = append(open, part)
			b.WriteString(`([^/]*)`)
		case '?':
			open = append(open, part)
			b.WriteString(`([^/])`)
		default:
			open = append(open, part)
			b.WriteString("(" + part + ")")
		}
	}
	b.WriteString(regexp.QuoteMeta(pattern[last:]))
	whole, err := regexp.Compile("^" + b.String() + "$")
	if err != nil { // which filepath.Glob says better
		whole = regexp.MustCompile("^$")
	}
	return open, whole
}

// naming is how models are called whose path matches a glob with some open parts.
func naming(names string, open []string) (func(path string, parts []string) string, error) {
	stars := strings.Count(names, "*")
	switch {
	case names == "":
		return func(path string, _ []string) string {
			return plainName(strings.TrimSuffix(filepath.Base(path), ".safetensors"))
		}, nil
	case stars == 0:
		return nil, fmt.Errorf("the names %q are one name for all models", names)
	case stars > 1 && stars != len(open):
		return nil, fmt.Errorf("the names %q have %d *, and the glob leaves %d parts open", names, stars, len(open))
	case len(open) == 0:
		return nil, errors.New("the glob leaves nothing open that a * in the names could be")
	}
	return func(_ string, parts []string) string {
		parts = parts[len(parts)-stars:]
		out := names
		for _, p := range parts {
			out = strings.Replace(out, "*", p, 1)
		}
		return plainName(out)
	}, nil
}

// plainName makes a name of text, for flags, files and coefficients.
func plainName(text string) string {
	return strings.TrimLeft(notName.ReplaceAllString(NameOf(text), "_"), "-")
}
