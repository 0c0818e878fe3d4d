package digits

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the data set
	"encoding/csv"
	"fmt"
	"strconv"
	"sync"

	"parfait/evaluator"
)

//go:embed digits.csv.gz
var archive []byte

// Sizes of the three parts.
const (
	trainImages = 897
	heldImages  = 450 // validation, and test
	splitSeed   = 20260307
)

const (
	side   = 8
	pixels = side * side
)

// image is one digit, 8×8 in rows, 0 for paper and 1 for ink.
type image [pixels]float32

// set is some images with their labels.
type set struct {
	images []image
	labels []uint8
}

// parts are the three disjoint sets; a seeded permutation decides which image is where.
type parts struct{ train, validation, test set }

var load = sync.OnceValue(func() parts {
	all, err := parse(archive)
	if err != nil {
		panic("digits: the embedded data set is damaged: " + err.Error()) // found by any test
	}
	order := newStream(splitSeed).permutation(len(all.images))
	return parts{
		train:      all.pick(order[:trainImages]),
		validation: all.pick(order[trainImages : trainImages+heldImages]),
		test:       all.pick(order[trainImages+heldImages:]),
	}
})

// parse reads rows of 64 integers 0…16 and a label 0…9.
func parse(gz []byte) (set, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(gz))
	if err != nil {
		return set{}, err
	}
	r := csv.NewReader(unzipped)
	r.FieldsPerRecord = pixels + 1
	rows, err := r.ReadAll()
	if err != nil {
		return set{}, err
	}
	var s set
	for i, row := range rows {
		var im image
		for j, cell := range row {
			v, err := strconv.ParseUint(cell, 10, 8)
			switch {
			case err != nil:
				return set{}, fmt.Errorf("row %d, column %d: %w", i+1, j+1, err)
			case j == pixels && v < 10:
				s.labels = append(s.labels, uint8(v))
			case j < pixels && v <= 16:
				im[j] = float32(v) / 16
			default:
				return set{}, fmt.Errorf("row %d, column %d: %d is out of range", i+1, j+1, v)
			}
		}
		s.images = append(s.images, im)
	}
	return s, nil
}

func (s set) pick(which []int) set {
	out := set{images: make([]image, len(which)), labels: make([]uint8, len(which))}
	for i, w := range which {
		out.images[i], out.labels[i] = s.images[w], s.labels[w]
	}
	return out
}

// through returns the set as a task sees it.
func (s set) through(see func(image) image) set {
	out := set{images: make([]image, len(s.images)), labels: s.labels}
	for i, im := range s.images {
		out.images[i] = see(im)
	}
	return out
}

// gallery keeps the held-out images as each task sees them.
type gallery struct {
	mu   sync.Mutex
	sets map[string]set
}

var views gallery

func (g *gallery) of(task string, split evaluator.Split) set {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := task + "/" + string(split)
	s, ok := g.sets[key]
	if !ok {
		p := load()
		s = p.validation
		if split == evaluator.Test {
			s = p.test
		}
		if task != Guard {
			s = s.through(transformOf(task).see)
		}
		if g.sets == nil {
			g.sets = map[string]set{}
		}
		g.sets[key] = s
	}
	return s
}
