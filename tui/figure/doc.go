// Package figure turns a scatter plot into a picture for papers and slides: SVG, PNG or PDF, through gonum/plot.
//
// In come a [chart.Scatter], the same that is drawn on cells, and a few words about it; out come bytes. The same
// data gives the same bytes: no dates, no random names. The package must not know of studies or of the terminal,
// and does no I/O. Text is set in Liberation Sans, which has no glyphs for Chinese, Japanese, Korean and emoji: a PNG
// shows boxes and a PDF, which knows Western European letters only, question marks. In an SVG the browser finds
// another font.
package figure
