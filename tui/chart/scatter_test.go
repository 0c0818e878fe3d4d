package chart

import (
	"math/rand"
)

func demoScatter() *Scatter {
	r := rand.New(rand.NewSource(1))
	var front, meas, onf []Point
	for i := range 60 {
		t := float64(i) / 59
		front = append(front, Point{X: .60 + .36*t, Y: .95 - .25*t*t*t - .02*t, Value: t})
	}
	for range 50 {
		t := r.Float64()
		d := r.Float64() * .2
		meas = append(meas, Point{X: .60 + .36*t - d, Y: .95 - .25*t*t*t - .02*t - d})
	}
	var att []XY
	for i := range 6 {
		t := float64(i) / 5
		onf = append(onf, Point{X: .60 + .35*t, Y: .94 - .25*t*t*t - .02*t})
		att = append(att, XY{onf[i].X, onf[i].Y})
	}
	return &Scatter{X: Axis{Format: Rate}, Y: Axis{Format: Rate}, Attained: att, Layers: []Layer{
		{Mark: MarkMeasured, Points: meas},
		{Mark: MarkPredicted, Points: front},
		{Mark: MarkOnFront, Points: onf},
		{Mark: MarkModel, Points: []Point{{X: .5, Y: .9, Label: "mirrored"}, {X: .95, Y: .65, Label: "rotated"}}},
		{Mark: MarkUniform, Points: []Point{{X: .7, Y: .8, Label: "uniform"}}},
		{Mark: MarkInHand, Points: []Point{{X: front[35].X, Y: front[35].Y, ErrX: .02, ErrY: .02, Label: "knee"}}},
	}}
}
