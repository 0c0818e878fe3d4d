package method

import (
	"fmt"
	"sort"
	"strings"
)

var registry = map[string]Method{}

// Register makes a method known. It panics where a name is taken or its [Info] lacks what every method says of
// itself: both are mistakes in the program.
func Register(m Method) {
	info := m.Info()
	if _, taken := registry[info.Name]; taken {
		panic(fmt.Sprintf("method: two methods are called %q", info.Name))
	}
	if missing := info.missing(); len(missing) > 0 {
		panic(fmt.Sprintf("method: %q, a %T, does not say its %s", info.Name, m, strings.Join(missing, ", ")))
	}
	registry[info.Name] = m
}

// missing names what a method does not say of itself and every method has to.
func (m Info) missing() []string {
	var out []string
	for _, f := range []struct {
		name string
		said bool
	}{
		{"Name", m.Name != ""},
		{"About", m.About != ""},
		{"Formula", m.Formula != ""},
		{"Models", m.Models[0] > 0},
		{"Domains", len(m.Domains) > 0},
	} {
		if !f.said {
			out = append(out, f.name)
		}
	}
	return out
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
