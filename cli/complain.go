package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"parfait/problem"
	"parfait/visible"
)

// complain prints an error on stderr: text for people, one line of JSON with --json.
func (a *app) complain(err error) { a.tell(err, a.json) }

func (a *app) tell(err error, asJSON bool) {
	code := exitOf(err)
	if asJSON {
		what, fix := problem.Split(err)
		b, _ := json.Marshal(map[string]errorJSON{"error": {Code: code.name(), Exit: int(code), What: what, Fix: fix}})
		_, _ = fmt.Fprintf(a.err, "%s\n", b)
		return
	}
	mark := lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Red)
	_, _ = fmt.Fprintf(a.err, "%s %s\n", visible.Styled(mark.Render("parfait:")), strings.ReplaceAll(problem.Text(err), "\n", "\n  "))
}

type errorJSON struct {
	Code string `json:"code"`
	Exit int    `json:"exit"`
	What string `json:"what"`
	Fix  string `json:"fix,omitempty"`
}

func usage(fix, format string, args ...any) error {
	return &fault{exit: ExitUsage, what: fmt.Sprintf(format, args...), fix: fix}
}

// flagError says which flags there are like the one that is not.
func flagError(cmd *cobra.Command, err error) error {
	help := "`" + cmd.CommandPath() + " --help` lists the flags"
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
		if others := takers(cmd, unknown.GetSpecifiedName()); len(others) > 0 {
			return usage(help, "unknown flag --%s; it belongs to %s", unknown.GetSpecifiedName(), strings.Join(others, ", "))
		}
		if meant := problem.Meant("--"+unknown.GetSpecifiedName(), known); meant != "" {
			return usage(meant+" "+help, "unknown flag --%s", unknown.GetSpecifiedName())
		}
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		f := invalid.GetFlag()
		if number := (numberError{}); errors.As(err, &number) {
			return usage(help, "--%s: %s, found %q", f.Name, number, invalid.GetValue())
		}
		if expected := numbers[f.Value.Type()]; expected != "" {
			return usage(help, "--%s: expected %s, found %q", f.Name, expected, invalid.GetValue())
		}
		return usage(help, "--%s: %s", f.Name, invalid.Unwrap())
	}
	var bare *pflag.ValueRequiredError
	if errors.As(err, &bare) {
		return usage(help, "--%s needs a value: --%s", bare.GetFlag().Name, withValue(bare.GetFlag()))
	}
	return usage(help, "%s", err)
}

// numbers are the values that pflag reads itself, by what it calls them.
var numbers = map[string]string{
	"int": "a whole number", "uint64": "a whole number, not below 0", "intSlice": "whole numbers with commas between them",
	"duration": "a time such as 90s, 30m or 1h30m", "bool": "true or false",
}

// takers are the commands beside cmd that have a flag.
func takers(cmd *cobra.Command, flag string) []string {
	var out []string
	for _, c := range cmd.Root().Commands() {
		if !c.Hidden && c != cmd && c.Flags().Lookup(flag) != nil {
			out = append(out, c.CommandPath())
		}
	}
	return out
}

// flagGroups says which flags are missing, and which do not go together.
func flagGroups(cmd *cobra.Command) error {
	var missing error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if len(f.Annotations[cobra.BashCompOneRequiredFlag]) > 0 && !f.Changed {
			missing = usage("add --"+withValue(f), "--%s is missing: %s", f.Name, f.Usage)
		}
	})
	if missing != nil {
		return missing
	}
	err := cmd.ValidateFlagGroups()
	if err == nil {
		return nil
	}
	_, set, _ := strings.Cut(err.Error(), "; [")
	set, _, _ = strings.Cut(set, "]")
	return usage("give one of them", "these do not go together: --%s", strings.Join(strings.Fields(set), ", --"))
}

// arguments accepts least to most positional arguments and names what they are.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		fix := "usage: " + cmd.UseLine()
		if len(args) == 0 {
			return usage(fix, "expected %s", what)
		}
		if slices.ContainsFunc(args, func(s string) bool { return strings.Contains(s, "=") }) {
			fix += "; several values of one flag are joined by commas"
		}
		return usage(fix, "expected %s, found %d: %s", what, len(args), strings.Join(args, " "))
	}
}
