package chart

import (
	"image/color"

	"github.com/lucasb-eyer/go-colorful"
)

// paint is one colour with what stands for it where there are only sixteen: a colour of the terminal's
// own palette as foreground and as background, or auto (the nearest) or none.
type paint struct {
	rgb        color.RGBA
	ansi, back int8
	grey       bool // a grey of the same luminance will do where there are 256 colours
}

const (
	auto int8 = -1
	none int8 = -2
)

// inks are all colours on one kind of background.
type inks struct {
	page, text color.RGBA
	semantic   [semantic]paint
	series     [SeriesColors]paint
	sequence   [5]paint // anchors, evenly spaced
	diverging  [5]paint
	fill       [5]paint
}

func hex(v uint32) color.RGBA { return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255} }

// fg is a colour for marks and text, soft one without much hue, bg one for backgrounds.
func fg(v uint32, ansi int8) paint { return paint{rgb: hex(v), ansi: ansi, back: ansi} }

func soft(v uint32, ansi int8) paint {
	return paint{rgb: hex(v), ansi: ansi, back: ansi, grey: true}
}
func bg(v uint32) paint { return paint{rgb: hex(v), ansi: none, back: none, grey: true} }

// The categorical colours start from Okabe and Ito, "Color Universal Design" (2008), moved in lightness
// so that they read on their background and stay apart under simulated protanopia, deuteranopia and
// tritanopia; palette_test.go holds the distances. The sequential scale runs blue, teal, green, yellow
// with lightness monotone, as viridis does (van der Walt and Smith, 2015).
var darkInks = inks{
	page: hex(0x16181d), text: hex(0xd8dce3),
	semantic: [semantic]paint{
		Muted: soft(0x949494, 8), Faded: soft(0x626262, 8), Accent: fg(0x87d7ff, 14),
		Good: fg(0x2fc3a6, 10), Warn: fg(0xf5e14a, 11), Bad: fg(0xe8603c, 9),
		Predicted: fg(0x0087d7, 14), OnFront: fg(0xe79b08, 3), Measured: soft(0xa4a8b4, 7),
		Model: fg(0xffe979, 11), Uniform: fg(0xffb4fe, 13), InHand: fg(0xffffff, 15),
		Knee: fg(0x41d1a1, 10), Pinned: fg(0xcf5e3b, 9), Boundary: soft(0x6b7686, 8),
		Surface: bg(0x23272f), Selection: bg(0x2d4661), Attained: bg(0x1f2a33), Track: bg(0x303030),
	},
	series: [SeriesColors]paint{
		fg(0xe69f00, 3), fg(0x6fcfff, 14), fg(0x009d72, 2), fg(0xffff92, 11), fg(0x445ed3, 12), fg(0xc45020, 9), fg(0xa581a3, 13),
	},
	sequence:  [5]paint{fg(0x4a4e9c, 12), fg(0x2f7f9e, 6), fg(0x2fae86, 2), fg(0x98d04a, 10), fg(0xfde725, 11)},
	diverging: [5]paint{fg(0x3f8fe0, 12), fg(0x6d93b8, 6), fg(0x8a8f98, 7), fg(0xc79a5a, 3), fg(0xf2a020, 11)},
	fill:      [5]paint{bg(0x1b1f40), bg(0x1b3550), bg(0x1c4c50), bg(0x2f5f3c), bg(0x60651c)},
}

var lightInks = inks{
	page: hex(0xfcfcfa), text: hex(0x23272e),
	semantic: [semantic]paint{
		Muted: soft(0x6c6c6c, 8), Faded: soft(0xb2b2b2, 7), Accent: fg(0x005faf, 4),
		Good: fg(0x03756a, 2), Warn: fg(0x946f00, 3), Bad: fg(0x9c1f00, 1),
		Predicted: fg(0x0678bf, 4), OnFront: fg(0xcc7a0e, 3), Measured: soft(0x898b9a, 8),
		Model: fg(0x80785a, 6), Uniform: fg(0x73346e, 5), InHand: fg(0x000000, 0),
		Knee: fg(0x135645, 2), Pinned: fg(0x9c3202, 1), Boundary: soft(0x98a0ab, 8),
		Surface: bg(0xeef0f3), Selection: bg(0xcfe3f7), Attained: bg(0xe9f1f6), Track: bg(0xe4e4e4),
	},
	series: [SeriesColors]paint{
		fg(0xd47c00, 3), fg(0x2f9bd6, 6), fg(0x007a5a, 2), fg(0x829a6e, 10), fg(0x084a99, 4), fg(0xba4100, 1), fg(0xa65c8a, 5),
	},
	sequence:  [5]paint{fg(0xd9c400, 3), fg(0x6fb536, 10), fg(0x20947a, 2), fg(0x2f6a8e, 6), fg(0x3d3580, 4)},
	diverging: [5]paint{fg(0x0a5fb0, 4), fg(0x6d93b8, 6), fg(0x9a9fa8, 8), fg(0xb8874a, 3), fg(0xb36200, 1)},
	fill:      [5]paint{bg(0xfbf7d4), bg(0xe3efc0), bg(0xc6e4cf), bg(0xb4d3e4), bg(0xb0bce6)},
}

// along is the colour at t in [0, 1] between evenly spaced anchors, blended in CIE L*a*b*.
func along(anchors []paint, t float64) paint {
	at := t * float64(len(anchors)-1)
	i := min(int(at), len(anchors)-2)
	a, _ := colorful.MakeColor(anchors[i].rgb)
	b, _ := colorful.MakeColor(anchors[i+1].rgb)
	r, g, bl := a.BlendLab(b, at-float64(i)).Clamped().RGB255()
	nearest := anchors[int(at+0.5)]
	return paint{rgb: color.RGBA{r, g, bl, 255}, ansi: nearest.ansi, back: nearest.back, grey: nearest.grey}
}
