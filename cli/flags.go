package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

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

// one is the value of a flag that is given once: of two, one would win without a word.
type one struct {
	to  *string
	set *bool
}

func once(to *string) one { return one{to, new(bool)} }

func (o one) String() string {
	if o.to == nil {
		return ""
	}
	return *o.to
}

func (o one) Set(v string) error {
	switch {
	case v == "":
		return errors.New("expected a value, found none")
	case *o.set:
		return fmt.Errorf("given twice: %s, and then %s", *o.to, v)
	}
	*o.to, *o.set = v, true
	return nil
}

func (o one) Type() string { return "string" }

// listed is a flag of values with commas between them, or given several times.
type listed struct{ to *string }

func (l listed) String() string {
	if l.to == nil {
		return ""
	}
	return *l.to
}

func (l listed) Set(v string) error {
	if *l.to != "" {
		v = *l.to + "," + v
	}
	*l.to = v
	return nil
}

func (l listed) Type() string { return "string" }

// swallowed says which flag has taken the one behind it for its value: --settle --headless.
func swallowed(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		name, is := strings.CutPrefix(f.Value.String(), "--")
		name, _, _ = strings.Cut(name, "=")
		if f.Value.Type() == "string" && is && cmd.Flags().Lookup(name) != nil {
			err = usage("add --"+withValue(f), "--%s: expected a value, found the flag %s", f.Name, f.Value)
		}
	})
	return err
}
