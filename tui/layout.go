package tui

import "image"

// Sizes of terminals: below the smallest a card says what is needed, below the full one the layout is
// reduced.
const (
	minWidth, minHeight   = 60, 16
	fullWidth, fullHeight = 80, 24
)

// areas are where things are drawn. Empty ones are not.
type areas struct {
	reduced  bool
	tabs     image.Rectangle // name and views
	status   image.Rectangle // what is going on, and trust
	main     image.Rectangle // the view's own pane
	side     image.Rectangle // what is in hand, beside it
	bar      image.Rectangle // keys, or what there is to say
	tooSmall bool
}

// sideWidth is how wide the panel of what is in hand is: the more there is, the longer its bars.
func sideWidth(w int) int {
	switch {
	case w < 70:
		return 31
	case w < 100:
		return 38
	case w < 150:
		return 46
	case w < 180:
		return 54
	}
	return 62
}

// arrange lays a screen of w×h cells out, with the panel of what is in hand or without.
func arrange(w, h int, side bool) areas {
	a := areas{tooSmall: w < minWidth || h < minHeight, reduced: w < fullWidth || h < fullHeight}
	if a.tooSmall {
		return a
	}
	top := 2
	a.tabs = image.Rect(0, 0, w, 1)
	a.status = image.Rect(0, 1, w, 2)
	if a.reduced && h < fullHeight {
		top = 1 // name, views and state share a line
		a.status = image.Rectangle{}
	}
	a.bar = image.Rect(0, h-1, w, h)
	body := image.Rect(0, top, w, h-1)
	a.main = body
	if side {
		cut := w - sideWidth(w)
		a.main.Max.X = cut
		a.side = image.Rect(cut, body.Min.Y, w, body.Max.Y)
	}
	return a
}
