// Package placeholder replaces {name} in the words of a command line by what it stands for.
//
// {{name}} stands for the text {name}; all other braces mean nothing, so that JSON and code can be written
// as they are. What a placeholder stands for is never looked into again.
package placeholder

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var form = regexp.MustCompile(`\{\{[a-z_]+\}\}|\{[a-z_]+\}`)

// Names are the placeholders that there are, and what each means.
type Names map[string]string

// Check returns an error for every placeholder in s that there is not.
func (n Names) Check(s string) []error {
	var errs []error
	for _, p := range form.FindAllString(s, -1) {
		name := strings.Trim(p, "{}")
		if _, known := n[name]; !known && !strings.HasPrefix(p, "{{") {
			errs = append(errs, fmt.Errorf("there is no placeholder %s (there are %s); write {%s} for that text itself",
				p, strings.Join(slices.Sorted(maps.Keys(n)), ", "), p))
		}
	}
	return errs
}

// In says whether s has the placeholder of that name.
func In(s, name string) bool { return slices.Contains(form.FindAllString(s, -1), "{"+name+"}") }

// Expand replaces the placeholders in s by their values.
func Expand(s string, values map[string]string) string {
	return form.ReplaceAllStringFunc(s, func(p string) string {
		if strings.HasPrefix(p, "{{") {
			return p[1 : len(p)-1]
		}
		return values[p[1:len(p)-1]]
	})
}
