package digits

import "slices"

// transform is one task: how it sees an image, and how its expert was fine-tuned from the base. The
// recipes are unequal on purpose, so that the task vectors differ in norm as those of real models do.
type transform struct {
	name  string
	see   func(image) image
	steps int
	rate  float64
}

// transforms are the tasks in the order in which studies take them.
var transforms = []transform{
	{"rotated", moved(func(r, c int) (int, int) { return c, last - r }), 500, 3e-3}, // a quarter turn to the left
	{"mirrored", moved(func(r, c int) (int, int) { return r, last - c }), 100, 1e-3},
	{"upside_down", moved(func(r, c int) (int, int) { return last - r, c }), 200, 2e-3}, // as in water
	{"inverted", inverted, 300, 2e-3},
	{"transposed", moved(func(r, c int) (int, int) { return c, r }), 400, 2e-3},
	{"shifted", moved(func(r, c int) (int, int) { return r, (c + 3) % side }), 150, 1e-3},     // three columns left, around the edge
	{"sheared", moved(func(r, c int) (int, int) { return r, (c + r + 4) % side }), 250, 1e-3}, // a row further each row, around the edge
	{"occluded", occluded, 150, 2e-3},
}

const last = side - 1

func transformOf(task string) transform {
	return transforms[slices.IndexFunc(transforms, func(t transform) bool { return t.name == task })]
}

// moved makes a transform of pixels: row r, column c shows what was at from(r, c).
func moved(from func(r, c int) (int, int)) func(image) image {
	return func(im image) image {
		var out image
		for r := range side {
			for c := range side {
				fr, fc := from(r, c)
				out[r*side+c] = im[fr*side+fc]
			}
		}
		return out
	}
}

// inverted shows white ink on black paper.
func inverted(im image) image {
	for i, v := range im {
		im[i] = 1 - v
	}
	return im
}

// occluded hides the lower half.
func occluded(im image) image {
	clear(im[pixels/2:])
	return im
}
