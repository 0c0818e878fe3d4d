package tui

import (
	"math"

	tea "charm.land/bubbletea/v2"

	"parfait/explore"
	"parfait/tui/chart"
)

// scopeFront is the view of the front as a plot.
const scopeFront scope = "front"

// frontView is the front as a plot, and what of it is shown.
type frontView struct {
	idle
	zoom zoom
}

func newFrontView() view { return &frontView{} }

func (v *frontView) info() viewInfo {
	return viewInfo{scope: scopeFront, key: "1", title: "Front", heading: "Front: the plot", side: minWidth, inHand: true}
}

func (v *frontView) draw(e *explorer, s props, c *chart.Canvas) {
	frontPane{props: s, focused: e.focus == scopeFront, zoom: v.zoom}.draw(c)
}

func (v *frontView) keep() any {
	if v.zoom == (zoom{}) {
		return nil
	}
	return v.zoom
}

func (v *frontView) restore(into func(any) bool) {
	if z := (zoom{}); into(&z) {
		v.zoom = z
	}
}

// zoom is the part of a plot that is shown, in fractions of the whole around the point in hand. The zero
// value shows everything.
type zoom struct {
	Factor float64 `json:"factor,omitempty"` // above 1: closer
	PanX   float64 `json:"pan_x,omitempty"`  // in fractions of what is shown
	PanY   float64 `json:"pan_y,omitempty"`
}

func (v *frontView) actions() []action {
	at := []scope{scopeFront}
	return []action{
		{ID: "front.right", Scopes: at, Keys: []string{"right", "l"}, Pair: "←→", Title: "to the nearest front point with more on the X axis", Hint: "along the front|walk", Bar: 1, Twin: "parfait front", disabled: noFront, do: move(explore.Move{Kind: explore.Walk, N: 1})},
		{ID: "front.left", Scopes: at, Keys: []string{"left", "h"}, Title: "to the nearest front point with less on the X axis", Twin: "parfait front", disabled: noFront, do: move(explore.Move{Kind: explore.Walk, N: -1})},
		{ID: "front.last", Scopes: at, Keys: []string{"end", "G"}, Title: "to the end of the front with most on the X axis", Twin: "parfait pick --best TASK", disabled: noFront, do: move(explore.Move{Kind: explore.Edge, N: 1})},
		{ID: "front.first", Scopes: at, Keys: []string{"home", "g"}, Title: "to the end of the front with least on the X axis", Twin: "parfait front", disabled: noFront, do: move(explore.Move{Kind: explore.Edge, N: -1})},
		{ID: "front.zoom", Scopes: at, Keys: []string{"z"}, Title: "look closer, around the point in hand", disabled: noFront, do: zoomBy(1.5)},
		{ID: "front.unzoom", Scopes: at, Keys: []string{"Z"}, Title: "look from farther away", disabled: noFront, do: zoomBy(1 / 1.5)},
		{ID: "front.pan-left", Scopes: at, Keys: []string{"shift+left"}, Title: "move what is shown to the left", disabled: in(notZoomed), do: panBy(-0.15, 0)},
		{ID: "front.pan-right", Scopes: at, Keys: []string{"shift+right"}, Title: "move what is shown to the right", disabled: in(notZoomed), do: panBy(0.15, 0)},
		{ID: "front.pan-up", Scopes: at, Keys: []string{"shift+up"}, Title: "move what is shown up", disabled: in(notZoomed), do: panBy(0, 0.15)},
		{ID: "front.pan-down", Scopes: at, Keys: []string{"shift+down"}, Title: "move what is shown down", disabled: in(notZoomed), do: panBy(0, -0.15)},
		{ID: "front.x", Scopes: at, Keys: []string{"X"}, Pair: "XY", Title: "another X axis: the next task or coefficient", Hint: "axes", disabled: noFront, do: move(explore.Move{Kind: explore.TurnX, N: 1})},
		{ID: "front.y", Scopes: at, Keys: []string{"Y"}, Title: "another Y axis: the next task or coefficient", disabled: noFront, do: move(explore.Move{Kind: explore.TurnY, N: 1})},
		{ID: "front.colour", Scopes: at, Keys: []string{"c"}, Title: "another colour: the next task or coefficient, or none", Hint: "colour", disabled: noFront, do: move(explore.Move{Kind: explore.TurnColour, N: 1})},
	}
}

func zoomBy(f float64) func(*explorer) tea.Cmd {
	return in(func(e *explorer, v *frontView) tea.Cmd {
		z := max(v.zoom.Factor, 1) * f
		if v.zoom.Factor = math.Round(min(z, 50)*100) / 100; z < 1.05 {
			v.zoom = zoom{}
		}
		return e.keep()
	})
}

func notZoomed(_ *explorer, v *frontView) string {
	if v.zoom.Factor <= 1 {
		return "everything is shown: z looks closer"
	}
	return ""
}

func panBy(x, y float64) func(*explorer) tea.Cmd {
	return in(func(e *explorer, v *frontView) tea.Cmd {
		v.zoom.PanX, v.zoom.PanY = v.zoom.PanX+x, v.zoom.PanY+y
		return e.keep()
	})
}
