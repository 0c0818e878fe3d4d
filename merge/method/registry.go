package method

import (
	"fmt"
	"sort"
)

var registry = map[string]Method{}

// Register makes a method known. A name that is taken is a mistake in the program.
func Register(m Method) {
	name := m.Info().Name
	if _, taken := registry[name]; taken {
		panic(fmt.Sprintf("method: two methods are called %q", name))
	}
	registry[name] = m
}

// All lists the methods by name.
func All() []Info {
	out := make([]Info, 0, len(registry))
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

// Describe is what a method says of itself; ok is false where there is none of that name.
func Describe(name string) (info Info, ok bool) {
	m, ok := registry[name]
	if !ok {
		return Info{}, false
	}
	return m.Info(), true
}
