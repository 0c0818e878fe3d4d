package chart

// Glyphs is the set of characters that a terminal and its font can be trusted with. A canvas folds
// whatever is drawn on it into its set, cell by cell, so that callers draw in the richest one.
type Glyphs uint8

// Glyph sets, richest first.
const (
	Braille Glyphs = iota // everything; sub-cells of 2×4 braille dots
	Block                 // no braille; sub-cells of 2×2 quadrants
	ASCII                 // bytes from 0x20 to 0x7e only; sub-cells of 1×2
)

// String is the name used by flags.
func (g Glyphs) String() string {
	switch g {
	case Block:
		return "block"
	case ASCII:
		return "ascii"
	default:
		return "braille"
	}
}

// ParseGlyphs is the inverse of [Glyphs.String]; ok is false for any other name.
func ParseGlyphs(name string) (g Glyphs, ok bool) {
	for g := Braille; g <= ASCII; g++ {
		if g.String() == name {
			return g, true
		}
	}
	return Braille, false
}

// fold maps r into the glyph set g; the result is as wide as r. Wide characters are folded by the
// caller, who knows the width.
func (g Glyphs) fold(r rune) rune {
	if r < 0x7f || g == Braille {
		return r
	}
	if r >= 0x2800 && r <= 0x28ff {
		return foldBraille(g, r-0x2800)
	}
	if g == Block {
		return r
	}
	if a, ok := asciiFold[r]; ok {
		return a
	}
	if r >= 0x2500 && r <= 0x257f {
		return '+'
	}
	return '?'
}

// foldBraille shows a braille pattern by where its dots are.
func foldBraille(g Glyphs, dots rune) rune {
	const upper, lower = 0x1b, 0xe4
	switch {
	case dots == 0:
		return ' '
	case g == Block:
		return '·'
	case dots&(dots-1) == 0:
		return '.'
	case dots&upper == 0:
		return '.'
	case dots&lower == 0:
		return '\''
	default:
		return ':'
	}
}

// asciiFold holds what parfait draws and the commonest of what people write, one cell for one cell.
var asciiFold = func() map[rune]rune {
	m := map[rune]rune{}
	for _, f := range []struct {
		from string
		to   rune
	}{
		{"─━┄┅┈┉╌╍═╴╸╶╺╼╾–—―−‐‑‒", '-'},
		{"│┃┆┇┊┋╎╏║╵╷╹╻¦", '|'},
		{"…․·•∙⋅", '.'},
		{"●", '*'},
		{"◉", '@'},
		{"◦∘°", 'o'},
		{"○", 'O'},
		{"◆", '^'},
		{"◇", 'v'},
		{"▲▴", 'A'},
		{"△", 'a'},
		{"▼▽▾", 'V'},
		{"✚", '+'},
		{"★☆", '&'},
		{"◔", '1'},
		{"◑", '2'},
		{"◕", '3'},
		{"◐", '~'},
		{"▸▶►→❯»›", '>'},
		{"◂◀◄←❮«‹", '<'},
		{"↑", '^'},
		{"↓", 'v'},
		{"↔", '='},
		{"↕", '|'},
		{"≤", '<'},
		{"≥", '>'},
		{"≈", '~'},
		{"≠", '!'},
		{"±", '+'},
		{"×✕✗✘", 'x'},
		{"÷", '/'},
		{"✓✔", 'v'},
		{"⚠", '!'},
		{"█▇▆▅▓■", '#'},
		{"▉▊▋▌▐▒", '='},
		{"▄▃▂▁░▍▎▏", '-'},
		{"▀▔", '"'},
		{"▖▗", '.'},
		{"▘▝", '\''},
		{"▚▞▙▟▛▜", ':'},
		{"┤├", '|'},
		{"╱", '/'},
		{"╲", '\\'},
		{"╳", 'X'},
		{"‘’‚′", '\''},
		{"“”„″", '"'},
		{"\u00a0", ' '},
		{"ÀÁÂÃÄÅ", 'A'},
		{"àáâãäå", 'a'},
		{"Ç", 'C'},
		{"ç", 'c'},
		{"ÈÉÊË", 'E'},
		{"èéêë", 'e'},
		{"ÌÍÎÏ", 'I'},
		{"ìíîï", 'i'},
		{"Ñ", 'N'},
		{"ñ", 'n'},
		{"ÒÓÔÕÖØ", 'O'},
		{"òóôõöø", 'o'},
		{"ÙÚÛÜ", 'U'},
		{"ùúûü", 'u'},
		{"ß", 's'},
		{"µμ", 'u'},
		{"δΔ", 'd'},
		{"θ", 't'},
		{"λ", 'l'},
		{"σ", 's'},
		{"²", '2'},
		{"³", '3'},
	} {
		for _, r := range f.from {
			m[r] = f.to
		}
	}
	return m
}()
