package tui

import (
	"fmt"
	"slices"
	"strings"
)

// placeWords introduce the places in docs/keys.md, in their order.
var placeWords = []struct {
	place Place
	text  string
}{
	{PlaceFront, "Front: the plot"},
	{PlaceTasks, "The tasks (tab leads there)"},
	{PlaceCoefficients, "The coefficients (tab leads there)"},
	{PlaceParallel, "Parallel coordinates"},
	{PlaceTrials, "Trials"},
	{PlaceSurrogate, "Surrogate"},
	{PlaceModels, "Models"},
	{PlaceExports, "Exports"},
	{PlaceExportForm, "The export form"},
	{PlaceExporting, "An export being written"},
	{PlaceCompare, "The comparison of pins"},
	{PlaceLog, "A log, a recipe, a receipt"},
	{PlacePrompt, "A line being typed"},
	{PlacePalette, "The palette"},
	{PlaceHelp, "Help"},
	{PlaceQuestion, "A question"},
}

// KeysMarkdown is docs/keys.md.
func KeysMarkdown() string {
	var b strings.Builder
	b.WriteString(`# Keys

<!-- Made from the program by ` + "`go test ./tui -run KeysDocument -update`" + `. Do not edit. -->

` + "`?` lists the keys of the place where you are, `:` finds an action by what it does. What cannot be done now\nstays visible and says why. The command beside a key does the same without a screen.\n")
	all := actions()
	b.WriteString("\n## Everywhere\n\n")
	table(&b, slices.DeleteFunc(slices.Clone(all), func(a action) bool { return !everywhere(a) }))
	for _, p := range placeWords {
		fmt.Fprintf(&b, "\n## %s\n\n", p.text)
		table(&b, slices.DeleteFunc(slices.Clone(all), func(a action) bool { return everywhere(a) || !slices.Contains(a.Places, p.place) }))
	}
	return b.String()
}

// everywhere says whether an action has its key in every pane, but for those where a digit is a number.
func everywhere(a action) bool {
	return slices.Contains(a.Places, PlaceTrials) && slices.Contains(a.Places, PlaceTasks)
}

func table(b *strings.Builder, rows []action) {
	b.WriteString("| keys | what they do | command |\n|---|---|---|\n")
	for _, a := range rows {
		keys := make([]string, len(a.Keys))
		for i, k := range a.Keys {
			keys[i] = "`" + keyName(k) + "`"
		}
		twin := ""
		if a.Twin != "" {
			twin = "`" + a.Twin + "`"
		}
		title := a.Title
		if a.Danger {
			title += " (asks first)"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", strings.Join(keys, " "), title, twin)
	}
}
