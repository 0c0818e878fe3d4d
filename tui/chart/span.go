package chart

// Span is text in one style.
type Span struct {
	Text  string
	Style Style
}

// SpansWidth is how many cells the spans take.
func SpansWidth(spans []Span) int {
	n := 0
	for _, s := range spans {
		n += Width(s.Text)
	}
	return n
}

// ClipSpans is the spans in at most w cells, cut and ended with "…" where they are longer.
func ClipSpans(spans []Span, w int) []Span {
	if SpansWidth(spans) <= w {
		return spans
	}
	var kept []Span
	for _, s := range spans {
		if n := Width(s.Text); n < w {
			kept, w = append(kept, s), w-n
			continue
		}
		if w > 0 {
			kept = append(kept, Span{Clip(s.Text+"…", w), s.Style})
		}
		break
	}
	return kept
}

// Spans draws one span after the other and returns the columns taken.
func (c *Canvas) Spans(x, y int, spans ...Span) int {
	n := 0
	for _, s := range spans {
		n += c.Text(x+n, y, s.Text, s.Style)
	}
	return n
}
