package chart

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Width is how many cells s takes on a canvas. It is not always what other libraries say: see
// [Canvas.Text] for what becomes of control characters and of clusters that terminals disagree on.
func Width(s string) int {
	n := 0
	eachCluster(s, func(_ string, w int) bool {
		n += w
		return true
	})
	return n
}

// Fit returns s in exactly w cells: padded with spaces, or cut and ended with "…".
func Fit(s string, w int) string {
	s = Clip(s, w)
	return s + strings.Repeat(" ", max(w-Width(s), 0))
}

// Clip returns s in at most w cells, cut and ended with "…" where it is longer.
func Clip(s string, w int) string {
	if w <= 0 {
		return ""
	}
	if Width(s) <= w {
		return s
	}
	var b strings.Builder
	n := 0
	eachCluster(s, func(g string, gw int) bool {
		if n+gw > w-1 {
			return false
		}
		n += gw
		b.WriteString(g)
		return true
	})
	b.WriteString("…")
	return b.String()
}

// eachCluster hands to visit what of s is drawn, cluster by cluster with its width of 1 or 2, until
// visit returns false.
//
// Terminals that know grapheme clusters (mode 2027) and those that add up code points disagree on
// joined emoji, flags, skin tones and variation selectors; a line with one of them would be as wide
// as the terminal believes. Such a cluster is reduced to its first character, whose width is the same
// for both. White space becomes a space, other control characters and invalid bytes "?", and
// characters without width of their own (zero-width, bidirectional overrides, a lone combining mark)
// go.
func eachCluster(s string, visit func(g string, w int) bool) {
	for len(s) > 0 {
		if c := s[0]; c < utf8.RuneSelf && (len(s) == 1 || s[1] < utf8.RuneSelf) {
			g := s[:1]
			if c < ' ' || c == 0x7f {
				g = replaceControl(rune(c))
			}
			if !visit(g, 1) {
				return
			}
			s = s[1:]
			continue
		}
		g, _ := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		if g == "" {
			return
		}
		s = s[len(g):]
		if g, w := admit(g); w > 0 && !visit(g, w) {
			return
		}
	}
}

// admit returns what is drawn for the cluster g, and its width: 1, 2, or 0 for nothing at all.
func admit(g string) (string, int) {
	r, n := utf8.DecodeRuneInString(g)
	switch {
	case r == utf8.RuneError:
		return "?", 1
	case unicode.IsControl(r), r == '\u2028', r == '\u2029':
		return replaceControl(r), 1
	case unicode.IsSpace(r):
		g = g[:n]
	case !unicode.IsGraphic(r) || unicode.Is(unicode.M, r):
		if unicode.Is(unicode.Co, r) || !unicode.In(r, unicode.C, unicode.M) {
			return "?", 1 // private use or unassigned: nobody knows how wide
		}
		return "", 0
	}
	if !plain(g[n:]) {
		g = g[:n]
	}
	if w := ansi.StringWidth(g); (w == 1 || w == 2) && w == ansi.StringWidthWc(g) {
		return g, w
	}
	g = g[:n]
	if w := ansi.StringWidth(g); (w == 1 || w == 2) && w == ansi.StringWidthWc(g) {
		return g, w
	}
	return "?", 1
}

// maxMarks bounds the combining marks on one character: writing needs three, stacks of them draw
// over the lines above and below.
const maxMarks = 4

// plain reports whether what follows the first character of a cluster is only combining marks or
// letters, and few.
func plain(rest string) bool {
	n := 0
	for _, r := range rest {
		n++
		if n > maxMarks || r == utf8.RuneError || !unicode.In(r, unicode.M, unicode.L) || unicode.Is(unicode.Variation_Selector, r) {
			return false
		}
	}
	return true
}

func replaceControl(r rune) string {
	if r < utf8.RuneSelf && unicode.IsSpace(r) || r == '\u0085' || r == '\u2028' || r == '\u2029' {
		return " "
	}
	return "?"
}
