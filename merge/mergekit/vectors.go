package mergekit

import (
	"fmt"

	"parfait/merge/method"
)

// asked is a method as it is with a base, or without one.
func asked(info method.Info, base string) method.Info {
	m, _ := method.Get(info.Name)
	if m, ok := m.(method.Flexible); ok {
		return m.For(method.Options{}, base != "")
	}
	return info
}

// vectorsWord is this program's word for mergekit's flags of what is taken for one vector.
func vectorsWord(method string, flag func(name string, absent bool) bool) string {
	switch {
	case method == "model_stock" && flag("filter_wise", false):
		return "rows"
	case method != "nuslerp" || flag("nuslerp_flatten", true):
		return "tensor"
	case flag("nuslerp_row_wise", false):
		return "columns"
	}
	return "rows"
}

// vectorsFlags are the flags again.
func vectorsFlags(method, word string) []string {
	switch {
	case method == "model_stock":
		return []string{fmt.Sprintf("filter_wise: %v", word == "rows")}
	case word == "tensor":
		return []string{"nuslerp_flatten: true"}
	}
	return []string{"nuslerp_flatten: false", fmt.Sprintf("nuslerp_row_wise: %v", word == "columns")}
}
