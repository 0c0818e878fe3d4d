package chart

// Key is one entry of a legend.
type Key struct {
	Glyph rune // what the plot shows, such as [Mark.Rune]
	Style Style
	Text  string
	Short string // where Text does not fit; empty for none
}

// MarkKey is the legend entry of a mark.
func MarkKey(m Mark, text, short string) Key {
	return Key{Glyph: m.Rune(), Style: m.style(), Text: text, Short: short}
}

// Legend is the keys in one line of at most w cells: with all texts, else with the short ones, else
// without those at the end. The most important key comes first.
func Legend(w int, keys ...Key) []Span {
	if line, n := legendLine(keys, false); n <= w {
		return line
	}
	for n := len(keys); n > 0; n-- {
		if line, used := legendLine(keys[:n], true); used <= w {
			return line
		}
	}
	return nil
}

func legendLine(keys []Key, short bool) (line []Span, n int) {
	for i, k := range keys {
		if i > 0 {
			line, n = append(line, Span{Text: "  "}), n+2
		}
		text := k.Text
		if short && k.Short != "" {
			text = k.Short
		}
		text = " " + text
		line = append(line, Span{string(k.Glyph), k.Style}, Span{text, Ink(Muted)})
		n += 1 + Width(text)
	}
	return line, n
}

// ScaleLegend explains the colours and shapes of a [Layer] with a Scale: ◔◑◕● between the ends of the range.
func ScaleLegend(r Range, format Format, g Glyphs) []Span {
	if format == nil {
		format = Plain
	}
	r = r.usable()
	line := []Span{{format(r.Lo, 0) + " ", Ink(Muted)}}
	shapes := levelShapes(g)
	for i, shape := range shapes {
		line = append(line, Span{string(shape), Ink(Sequential((float64(i) + 0.5) / float64(len(shapes))))})
	}
	return append(line, Span{" " + format(r.Hi, 0), Ink(Muted)})
}
