package study

// Rates are the trade-off rates at a point of the predicted front, by the surrogates' gradients: entry (i, j)
// is what task j changes by when task i gets better by one (search.Landscape.Rates). nil for an analysis that
// was made by hand.
func (a *Analysis) Rates(x []float64) [][]float64 {
	if a.landscape == nil {
		return nil
	}
	rates, err := a.landscape.Rates(x)
	if err != nil {
		return nil
	}
	return rates
}
