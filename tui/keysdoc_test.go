package tui

import (
	"fmt"
	"slices"
	"strings"
)

// heading introduces the keys of a scope.
type heading struct {
	scope scope
	text  string
}

// headings are those of docs/keys.md, in their order.
func headings() []heading {
	var out []heading
	for i, v := range viewInfos() {
		if out = append(out, heading{v.scope, v.heading}); i == 0 { // what is in hand stands beside it
			out = append(out, heading{scopeTasks, "The tasks (tab leads there)"}, heading{scopeCoefficients, "The coefficients (tab leads there)"})
		}
	}
	return append(out, dialogHeadings...)
}

var dialogHeadings = []heading{
	{scopeExportForm, "The export form"},
	{scopeExporting, "An export being written"},
	{scopeCompare, "The comparison of pins"},
	{scopeReading, "A log, a recipe, a receipt"},
	{scopePrompt, "A line being typed"},
	{scopePalette, "The palette"},
	{scopeHelp, "Help"},
	{scopeQuestion, "A question"},
}

// keysMarkdown is docs/keys.md.
func keysMarkdown() string {
	var b strings.Builder
	b.WriteString(`# Keys

<!-- Made from the program by ` + "`go test ./tui -run KeysDocument -update`" + `. Do not edit. -->

` + "`?` lists the keys of the place where you are, `:` finds an action by what it does. What cannot be done now\nstays visible and says why. The command beside a key does the same without a screen.\n")
	all := actions()
	b.WriteString("\n## Everywhere\n\n")
	table(&b, slices.DeleteFunc(slices.Clone(all), func(a action) bool { return !everywhere(a) }))
	for _, p := range headings() {
		fmt.Fprintf(&b, "\n## %s\n\n", p.text)
		table(&b, slices.DeleteFunc(slices.Clone(all), func(a action) bool { return everywhere(a) || !slices.Contains(a.Scopes, p.scope) }))
	}
	return b.String()
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
