package tui

// View is one of the six screens.
type View uint8

// The views.
const (
	FrontView View = iota
	ParallelView
	TrialsView
	SurrogateView
	ModelsView
	ExportsView
)

// views are the screens with their keys.
var views = []struct {
	id         View
	key, title string
}{
	{FrontView, "1", "Front"},
	{ParallelView, "2", "Parallel"},
	{TrialsView, "3", "Trials"},
	{SurrogateView, "4", "Surrogate"},
	{ModelsView, "5", "Models"},
	{ExportsView, "6", "Exports"},
}

// hasSide says whether what is in hand is shown beside the view on a screen w cells wide.
func (v View) hasSide(w int) bool {
	return v == FrontView || v == SurrogateView || v == ParallelView && w >= 120
}

// place is the view's own pane.
func (v View) place() Place {
	return [...]Place{PlaceFront, PlaceParallel, PlaceTrials, PlaceSurrogate, PlaceModels, PlaceExports}[v]
}

// Place is where a key is pressed: a pane that has the focus, or something above the screen.
type Place string

// Places.
const (
	PlaceFront        Place = "front"
	PlaceParallel     Place = "parallel"
	PlaceTrials       Place = "trials"
	PlaceSurrogate    Place = "surrogate"
	PlaceModels       Place = "models"
	PlaceExports      Place = "exports"
	PlaceTasks        Place = "tasks"
	PlaceCoefficients Place = "coefficients"
	PlaceHelp         Place = "help"
	PlacePalette      Place = "palette"
	PlacePrompt       Place = "prompt"
	PlaceExportForm   Place = "export"
	PlaceQuestion     Place = "question"
	PlaceCompare      Place = "compare"
	PlaceLog          Place = "log"
	PlaceExporting    Place = "exporting"
)
