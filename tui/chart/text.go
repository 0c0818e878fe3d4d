package chart

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/text/unicode/norm"
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

// Clean is what a canvas shows of s: without control characters and what terminals disagree on.
func Clean(s string) string {
	var b strings.Builder
	eachCluster(s, func(g string, _ int) bool {
		b.WriteString(g)
		return true
	})
	return b.String()
}

// eachCluster hands to visit what of s is drawn, cluster by cluster with its width of 1 or 2, until
// visit returns false; it returns false then.
//
// Terminals that know grapheme clusters (mode 2027) and those that add up code points disagree on
// joined emoji, flags, skin tones, variation selectors and conjuncts; a line with one of them would be as
// wide as the terminal believes. Such a cluster is reduced to its first character, whose width is the same
// for both; conjuncts are taken apart. White space becomes a space, other control characters and invalid
// bytes "?", and characters without width of their own (zero-width, bidirectional overrides, a lone
// combining mark) go.
func eachCluster(s string, visit func(g string, w int) bool) bool {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "?")
	}
	for len(s) > 0 {
		if c := s[0]; c < utf8.RuneSelf && (len(s) == 1 || s[1] < utf8.RuneSelf) {
			g := s[:1]
			if c < ' ' || c == 0x7f {
				g = replaceControl(rune(c))
			}
			if strings.HasPrefix(s, "\r\n") {
				s = s[1:]
			}
			if !visit(g, 1) {
				return false
			}
			s = s[1:]
			continue
		}
		g, _ := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		if g == "" {
			return true
		}
		if strings.IndexFunc(g, linker) >= 0 {
			if s = s[len(g):]; !eachCluster(strings.Map(dropLinker, g), visit) {
				return false
			}
			continue
		}
		shown, w := admit(g)
		if w == 0 { // it goes, and takes nothing with it that comes after it
			_, n := utf8.DecodeRuneInString(s)
			s = s[n:]
			continue
		}
		if s = s[len(g):]; !visit(shown, w) {
			return false
		}
	}
	return true
}

// admit returns what is drawn for the cluster g, and its width: 1, 2, or 0 for nothing at all.
func admit(g string) (string, int) {
	r, n := utf8.DecodeRuneInString(g)
	switch {
	case r == utf8.RuneError:
		return "?", 1 // U+FFFD written as such
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
	for _, g := range [...]string{g, norm.NFC.String(g), g[:n]} {
		if w, ok := settled(g); ok {
			return g, w
		}
	}
	return "?", 1
}

// settled reports whether all terminals draw g alike in w cells, whatever comes after it: one character
// with a few combining marks.
func settled(g string) (w int, ok bool) {
	first, n := utf8.DecodeRuneInString(g)
	if conjoining(first) {
		return 0, false
	}
	marks := 0
	for _, r := range g[n:] {
		marks++
		if marks > maxMarks || !unicode.Is(unicode.M, r) || unicode.Is(unicode.Variation_Selector, r) || unicode.Is(unicode.Me, r) {
			return 0, false
		}
	}
	if alone, _ := ansi.FirstGraphemeCluster(g+"a", ansi.GraphemeWidth); alone != g {
		return 0, false
	}
	w = ansi.StringWidth(g)
	return w, (w == 1 || w == 2) && w == ansi.StringWidthWc(g)
}

// maxMarks bounds the combining marks on one character: writing needs three, stacks of them draw
// over the lines above and below.
const maxMarks = 4

// conjoining reports whether r is a Hangul jamo that joins its neighbours to a syllable, also those in the next
// cells.
func conjoining(r rune) bool {
	return r >= 0x1100 && r <= 0x11ff || r >= 0xa960 && r <= 0xa97f || r >= 0xd7b0 && r <= 0xd7ff
}

// linker reports whether r joins the consonants around it to one cluster (Unicode Indic_Conjunct_Break).
func linker(r rune) bool {
	switch r {
	case 0x094d, 0x09cd, 0x0acd, 0x0b4d, 0x0c4d, 0x0d4d, 0x1039, 0x17d2, 0x1a60, 0x1b44, 0x1bab, 0xa9c0, 0xaaf6,
		0x10a3f, 0x11133, 0x113d0, 0x1193e, 0x11a47, 0x11a99, 0x11f42:
		return true
	}
	return false
}

func dropLinker(r rune) rune {
	if linker(r) {
		return -1
	}
	return r
}

func replaceControl(r rune) string {
	if r < utf8.RuneSelf && unicode.IsSpace(r) || r == '\u0085' || r == '\u2028' || r == '\u2029' {
		return " "
	}
	return "?"
}
