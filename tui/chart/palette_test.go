package chart

import (
	"image/color"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/lucasb-eyer/go-colorful"
)

// visions simulate how people see colours: matrices on linear RGB for complete protanopia, deuteranopia and
// tritanopia (Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
// Deficiency", 2009, severity 1.0).
var visions = []struct {
	name string
	m    [3][3]float64
}{
	{"normal", [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
	{"protanopia", [3][3]float64{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}},
	{"deuteranopia", [3][3]float64{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}},
	{"tritanopia", [3][3]float64{{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}},
}

// seen is how a colour looks to a vision.
func seen(c color.RGBA, m [3][3]float64) colorful.Color {
	in, _ := colorful.MakeColor(c)
	r, g, b := in.LinearRgb()
	at := func(k int) float64 { return min(max(m[k][0]*r+m[k][1]*g+m[k][2]*b, 0), 1) }
	return colorful.LinearRgb(at(0), at(1), at(2))
}

// contrastRatio is that of WCAG 2.
func contrastRatio(a, b color.RGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

var colorSets = []struct {
	name     string
	colors   []Color
	apart    float64 // the least CIEDE2000 between two, to any vision
	readable float64 // the least contrast with the page
}{
	{"series", []Color{Series(0), Series(1), Series(2), Series(3), Series(4), Series(5), Series(6)}, 13.5, 2.95},
	{"marks", []Color{Predicted, OnFront, Measured, Model, Uniform, InHand, Knee, Pinned}, 14, 2.95},
	{"states", []Color{Good, Warn, Bad}, 11.5, 4.4},
}

func TestColoursStayApartToEveryVision(t *testing.T) {
	for _, light := range []bool{false, true} {
		theme := NewTheme(colorprofile.TrueColor, light)
		for _, set := range colorSets {
			for i, a := range set.colors {
				if r := contrastRatio(theme.RGB(a), theme.Background()); r < set.readable {
					t.Errorf("light=%v %s: contrast of %v with the page is %.2f, want %.2f", light, set.name, a, r, set.readable)
				}
				for _, b := range set.colors[:i] {
					for _, v := range visions {
						if d := 100 * seen(theme.RGB(a), v.m).DistanceCIEDE2000(seen(theme.RGB(b), v.m)); d < set.apart {
							t.Errorf("light=%v %s: %v and %v are %.1f apart to %s, want %.1f", light, set.name, a, b, d, v.name, set.apart)
						}
					}
				}
			}
		}
	}
}

func TestSixteenColoursAreDistinctWithinASet(t *testing.T) {
	for _, light := range []bool{false, true} {
		theme := NewTheme(colorprofile.ANSI, light)
		for _, set := range colorSets {
			used := map[string]Color{}
			for _, c := range set.colors {
				sgr := theme.look(Ink(c)).fg
				if other, ok := used[sgr]; ok {
					t.Errorf("light=%v %s: %v and %v are both %q", light, set.name, c, other, sgr)
				}
				used[sgr] = c
			}
		}
	}
}

func TestScalesAreMonotoneInLightnessToEveryVision(t *testing.T) {
	for _, light := range []bool{false, true} {
		theme := NewTheme(colorprofile.TrueColor, light)
		for _, scale := range []struct {
			name string
			of   func(float64) Color
			// The lightness of either end must differ by this much.
			span float64
		}{{"sequential", Sequential, 0.35}, {"fill", Fill, 0.15}} {
			for _, v := range visions {
				lightness := func(i int) float64 {
					l, _, _ := seen(theme.RGB(scale.of(float64(i)/(scaleSteps-1))), v.m).Lab()
					if light {
						l = -l
					}
					return l
				}
				for i := 1; i < scaleSteps; i++ {
					if lightness(i) < lightness(i-1)-1e-3 {
						t.Errorf("light=%v %s: step %d is not lighter than the one before it to %s", light, scale.name, i, v.name)
					}
				}
				if d := lightness(scaleSteps-1) - lightness(0); d < scale.span {
					t.Errorf("light=%v %s spans %.2f of lightness to %s, want %.2f", light, scale.name, d, v.name, scale.span)
				}
			}
		}
	}
}

func TestTextReadsOnEveryBackground(t *testing.T) {
	for _, light := range []bool{false, true} {
		theme := NewTheme(colorprofile.TrueColor, light)
		grounds := []Color{Surface, Selection, Attained, Track}
		for i := range scaleSteps {
			grounds = append(grounds, Fill(float64(i)/(scaleSteps-1)))
		}
		for _, g := range grounds {
			if r := contrastRatio(theme.RGB(Default), theme.RGB(g)); r < 4.5 {
				t.Errorf("light=%v: text on %v has contrast %.2f, want 4.5", light, g, r)
			}
		}
		for i := range scaleSteps {
			for _, g := range []Color{Sequential(float64(i) / (scaleSteps - 1)), Diverging(2*float64(i)/(scaleSteps-1) - 1)} {
				if r := contrastRatio(theme.RGB(theme.contrast(g)), theme.RGB(g)); r < 4.5 {
					t.Errorf("light=%v: Contrast on %v is %.2f, want 4.5", light, g, r)
				}
			}
		}
	}
}

func TestGroundsStayApartIn256Colours(t *testing.T) {
	for _, light := range []bool{false, true} {
		theme := NewTheme(colorprofile.ANSI256, light)
		shown := map[string]bool{}
		last := -1.0
		for i := range scaleSteps {
			c := Fill(float64(i) / (scaleSteps - 1))
			shown[theme.look(Style{BG: c}).bg] = true
			y := luminance(theme.colors[c].back)
			if light {
				y = 1 - y
			}
			if y < last {
				t.Errorf("light=%v: fill %d is out of order", light, i)
			}
			last = y
		}
		if len(shown) < 5 {
			t.Errorf("light=%v: %d fills can be told apart, want 5", light, len(shown))
		}
	}
}
