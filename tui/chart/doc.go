// Package chart draws plots on a grid of terminal cells.
//
// In come plain numbers, names and a size; out come cells. A [Canvas] holds cells whose styles are
// small semantic colours, and is rendered to terminal lines, to plain text, to a style map for tests
// and to SVG, always from the same cells. A [Theme], one per session, says what the colours look
// like; nothing in here is kept in package variables that a session could change. Every plot is a
// plain struct with a Draw method: a pure function of its data and of the size of the canvas, at home
// in every size from 1×1 up. Plots fill the whole canvas they are given; to place one, draw it in a
// window ([Canvas.Sub]).
//
// The package must not know of merging, studies, fronts' meaning or Bubble Tea: it is told which mark
// a point wears and never why. It does no I/O.
package chart
