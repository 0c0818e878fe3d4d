package merge

import (
	"fmt"
	"sort"
)

var registry = map[string]Method{}

// Register makes a method known. A name that is taken is a mistake in the program.
func Register(m Method) {
	name := m.Info().Name
	if _, taken := registry[name]; taken {
		panic(fmt.Sprintf("merge: two methods are called %q", name))
	}
	registry[name] = m
}

// Methods lists the methods by name.
func Methods() []MethodInfo {
	out := make([]MethodInfo, 0, len(registry))
	for _, m := range registry {
		out = append(out, m.Info())
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Get finds a method by its name.
func Get(name string) (Method, bool) {
	m, ok := registry[name]
	return m, ok
}
