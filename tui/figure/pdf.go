package figure

import (
	"sync"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgpdf"
)

// undatedPDF makes the bytes of PDF files depend on what they show only: the library takes dates and the order of
// its tables from process-wide defaults.
var undatedPDF = sync.OnceFunc(func() {
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	fpdf.SetDefaultCreationDate(epoch)
	fpdf.SetDefaultModificationDate(epoch)
	fpdf.SetDefaultCatalogSort(true)
})

// western is a PDF that takes text as Unicode. The library takes it as bytes of Windows-1252.
type western struct{ *vgpdf.Canvas }

// FillString implements vg.Canvas. What the encoding lacks is "?".
func (w western) FillString(face font.Face, at vg.Point, text string) {
	var b []byte
	for _, r := range norm.NFC.String(text) {
		c, ok := charmap.Windows1252.EncodeRune(r)
		if !ok {
			c = '?'
		}
		b = append(b, c)
	}
	w.Canvas.FillString(face, at, string(b))
}
