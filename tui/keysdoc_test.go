package tui

import (
	"fmt"
	"slices"
	"strings"
)

// places are those of docs/keys.md, in their order.
func places() []place {
	var out []place
	for i, v := range viewInfos() {
		if out = append(out, place{v.scope, v.heading}); i == 0 { // what is in hand stands beside it
			out = append(out, sidePlaces...)
		}
	}
	for _, o := range overlays() {
		out = append(out, o.place())
	}
	return out
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
	for _, p := range places() {
		fmt.Fprintf(&b, "\n## %s\n\n", p.heading)
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
