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
}

func hex(v uint32) color.RGBA { return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255} }

// fg is a colour for marks and text, bg one for backgrounds.
func fg(v uint32, ansi int8) paint { return paint{rgb: hex(v), ansi: ansi, back: ansi} }
func bg(v uint32, back int8) paint { return paint{rgb: hex(v), ansi: none, back: back} }

// The categorical colours start from Okabe and Ito, "Color Universal Design" (2008), moved in lightness
// so that they read on their background and stay apart under simulated protanopia, deuteranopia and
// tritanopia; palette_test.go holds the distances. The sequential scale runs blue, teal, green, yellow
// with lightness monotone, as viridis does (van der Walt and Smith, 2015).
var darkInks = inks{
	page: hex(0x16181d), text: hex(0xd8dce3),
	semantic: [semantic]paint{
		Muted: fg(0x8b93a1, 8), Faded: fg(0x565d69, 8), Accent: fg(0x7cc4ff, 14),
		Good: fg(0x3fc79a, 10), Warn: fg(0xf0d048, 11), Bad: fg(0xff7a4d, 9),
		Predicted: fg(0x5ab8f5, 12), OnFront: fg(0xf2a93b, 11), Measured: fg(0xa7adb8, 7),
		Model: fg(0xf3e36b, 3), Uniform: fg(0xdc8fc0, 13), InHand: fg(0xffffff, 15),
		Knee: fg(0x3fc79a, 10), Pinned: fg(0xff7a4d, 9), Boundary: fg(0x6b7686, 8),
		Surface: bg(0x23272f, none), Selection: bg(0x2d4661, none), Attained: bg(0x1f2a33, none), Track: bg(0x2b3038, none),
	},
	series: [SeriesColors]paint{
		fg(0xe69f00, 3), fg(0x56b4e9, 14), fg(0x009e73, 2), fg(0xf0e442, 11), fg(0x3d7ae0, 12), fg(0xe8622a, 9), fg(0xd98cb8, 13),
	},
	sequence:  [5]paint{fg(0x4a4e9c, 12), fg(0x2f7f9e, 6), fg(0x2fae86, 2), fg(0x98d04a, 10), fg(0xfde725, 11)},
	diverging: [5]paint{fg(0x3f8fe0, 12), fg(0x6d93b8, 6), fg(0x8a8f98, 7), fg(0xc79a5a, 3), fg(0xf2a020, 11)},
}

var lightInks = inks{
	page: hex(0xfcfcfa), text: hex(0x23272e),
	semantic: [semantic]paint{
		Muted: fg(0x666e7a, 8), Faded: fg(0xb3b8c0, 7), Accent: fg(0x0a66b0, 4),
		Good: fg(0x007a56, 2), Warn: fg(0x8a6a00, 3), Bad: fg(0xc23b00, 1),
		Predicted: fg(0x1f78b8, 4), OnFront: fg(0xb86a00, 3), Measured: fg(0x757c87, 8),
		Model: fg(0x6e5d00, 3), Uniform: fg(0xa34a85, 5), InHand: fg(0x000000, 0),
		Knee: fg(0x007a56, 2), Pinned: fg(0xc23b00, 1), Boundary: fg(0x98a0ab, 8),
		Surface: bg(0xeef0f3, none), Selection: bg(0xcfe3f7, none), Attained: bg(0xe9f1f6, none), Track: bg(0xe2e5e9, none),
	},
	series: [SeriesColors]paint{
		fg(0xc98600, 3), fg(0x2f9bd6, 6), fg(0x007d5a, 2), fg(0x9c9000, 3), fg(0x00559e, 4), fg(0xc44500, 1), fg(0xb5578f, 5),
	},
	sequence:  [5]paint{fg(0xd9c400, 3), fg(0x6fb536, 10), fg(0x20947a, 2), fg(0x2f6a8e, 6), fg(0x3d3580, 4)},
	diverging: [5]paint{fg(0x0a5fb0, 4), fg(0x6d93b8, 6), fg(0x9a9fa8, 8), fg(0xb8874a, 3), fg(0xb36200, 1)},
}

// along is the colour at t in [0, 1] between evenly spaced anchors, blended in CIE L*a*b*.
func along(anchors []paint, t float64) paint {
	at := t * float64(len(anchors)-1)
	i := min(int(at), len(anchors)-2)
	a, _ := colorful.MakeColor(anchors[i].rgb)
	b, _ := colorful.MakeColor(anchors[i+1].rgb)
	r, g, bl := a.BlendLab(b, at-float64(i)).Clamped().RGB255()
	nearest := anchors[int(at+0.5)]
	return paint{rgb: color.RGBA{r, g, bl, 255}, ansi: nearest.ansi, back: nearest.back}
}
