package chart_test

import (
	"fmt"
	"strings"

	"parfait/tui/chart"
)

func ExampleScatter() {
	s := chart.Scatter{
		X: chart.Axis{Format: chart.Rate, Range: chart.Range{Lo: .6, Hi: 1}},
		Y: chart.Axis{Format: chart.Rate, Range: chart.Range{Lo: .7, Hi: 1}},
		Layers: []chart.Layer{
			{Mark: chart.MarkPredicted, Points: []chart.Point{{X: .65, Y: .95}, {X: .75, Y: .93}, {X: .92, Y: .8}}},
			{Mark: chart.MarkModel, Points: []chart.Point{{X: .97, Y: .74, Label: "rotated"}}},
			{Mark: chart.MarkInHand, Points: []chart.Point{{X: .85, Y: .88, Label: "knee"}}},
		},
	}
	c := chart.NewCanvas(44, 10, chart.Braille)
	frame := s.Draw(c)
	for line := range strings.Lines(c.Plain()) {
		fmt.Println(strings.TrimRight(line, " \n"))
	}
	x, y := frame.Value(20, 2)
	fmt.Printf("cell 20,2 is %.2f, %.2f\n", x, y)
	// Output:
	// 1.0 ┤
	//     │    ●         ●
	//  .9 ┤
	//     │                        ◉ knee
	//     │
	//  .8 ┤                               ●
	//     │                            rotated ▲
	//  .7 ┤
	//     └┬────────┬─────────┬─────────┬────────┬
	//     .6       .7        .8        .9      1.0
	// cell 20,2 is 0.76, 0.91
}

func ExampleCanvas() {
	c := chart.NewCanvas(34, 6, chart.Braille)
	box := chart.Box{Edge: chart.Ink(chart.Faded), Title: []chart.Span{{Text: "Trade-off", Style: chart.Ink(chart.Accent)}}}
	in := box.Draw(c)
	in.Text(0, 0, chart.Fit("rotated", 9)+".912 ±.014", chart.Style{})
	chart.Bar{Range: chart.Range{Hi: 1}, Value: .95}.Draw(in.Sub(21, 0, 10, 1))
	box.Rule(c, 1, []chart.Span{{Text: "Coefficients"}})
	in.Text(0, 2, chart.Fit("数学", 9)+"0.62", chart.Style{})
	chart.Slider{Range: chart.Range{Hi: 1.2}, Value: .62}.Draw(in.Sub(14, 2, 17, 1))
	in.Spans(0, 3, chart.Legend(32, chart.MarkKey(chart.MarkPredicted, "predicted front", ""), chart.MarkKey(chart.MarkModel, "a model", ""))...)
	fmt.Print(c.Plain())
	// Output:
	// ╭ Trade-off ─────────────────────╮
	// │rotated  .912 ±.014  ▆▆▆▆▆▆▆▆▆▌ │
	// ├ Coefficients ──────────────────┤
	// │数学     0.62 ├───────●───────┤ │
	// │● predicted front  ▲ a model    │
	// ╰────────────────────────────────╯
}
