package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// valueName is the annotation of a flag that says what its value is called, such as FOLDER.
const valueName = "value"

// eachFlag visits the flags of a command and of all below it.
func eachFlag(c *cobra.Command, visit func(*pflag.Flag)) {
	c.LocalFlags().VisitAll(visit)
	for _, sub := range c.Commands() {
		eachFlag(sub, visit)
	}
}

// nameValues moves the names of values, which stand in backquotes in the texts as pflag has them, into
// annotations: completions show the texts as they are.
func nameValues(root *cobra.Command) {
	eachFlag(root, func(f *pflag.Flag) {
		if name, text := pflag.UnquoteUsage(f); name != "" && text != f.Usage {
			if f.Annotations == nil {
				f.Annotations = map[string][]string{}
			}
			f.Usage, f.Annotations[valueName] = text, []string{name}
		}
	})
}

// spellValues writes the name of each flag's value behind the flag's own: fang's help and mango's manual page
// show nothing but names. After it no flag is found any more.
func spellValues(root *cobra.Command) {
	eachFlag(root, func(f *pflag.Flag) { f.Name = withValue(f) })
}

// withValue is a flag's name with its value's.
func withValue(f *pflag.Flag) string {
	if v := f.Annotations[valueName]; len(v) > 0 {
		return f.Name + " " + v[0]
	}
	return f.Name
}
