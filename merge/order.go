package merge

import (
	"slices"
	"strings"

	"parfait/merge/safetensors"
)

// naturalOrder lists a model's tensors by file and, in a file, by name with numbers in their order
// (layers.2 before layers.10): the order in which tensors are worked on and put into shards.
func naturalOrder(set *safetensors.Set) []string {
	var out []string
	for _, names := range set.ByFile() {
		slices.SortFunc(names, compareNatural)
		out = append(out, names...)
	}
	return out
}

// compareNatural compares runs of digits by their value and everything else by bytes. Names that
// differ in leading zeros only are compared by bytes, so that the order is total.
func compareNatural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		if digit(x[0]) && digit(y[0]) {
			m, n := digitRun(x), digitRun(y)
			p, q := trimZeros(x[:m]), trimZeros(y[:n])
			if len(p) != len(q) {
				return len(p) - len(q)
			}
			if p != q {
				return strings.Compare(p, q)
			}
			x, y = x[m:], y[n:]
			continue
		}
		if x[0] != y[0] {
			return int(x[0]) - int(y[0])
		}
		x, y = x[1:], y[1:]
	}
	if len(x) != len(y) {
		return len(x) - len(y)
	}
	return strings.Compare(a, b)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func digitRun(s string) int {
	n := 0
	for n < len(s) && digit(s[n]) {
		n++
	}
	return n
}

func trimZeros(s string) string {
	for len(s) > 1 && s[0] == '0' {
		s = s[1:]
	}
	return s
}
