package cli

import (
	"fmt"
	"strconv"

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

// settled is a flag that is on or off where somebody has said so, and left to the machine where nobody has.
type settled struct{ to **bool }

func (s settled) String() string {
	if s.to == nil || *s.to == nil {
		return ""
	}
	return strconv.FormatBool(**s.to)
}

func (s settled) Set(text string) error {
	b, err := strconv.ParseBool(text)
	if err != nil {
		return fmt.Errorf("expected true or false, found %q", text)
	}
	*s.to = &b
	return nil
}

func (s settled) Type() string { return "bool" }

// settledFlag adds a flag that may stand alone.
func settledFlag(f *pflag.FlagSet, to **bool, name, usage string) {
	f.VarPF(settled{to}, name, "", usage).NoOptDefVal = "true"
}

// sha256Flag is --sha256 of what writes checkpoints.
func sha256Flag(f *pflag.FlagSet, to **bool) {
	settledFlag(f, to, "sha256", "add SHA-256 of every file to the receipt, or not: --sha256=false (default: where the processor has instructions for it)")
}
