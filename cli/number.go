package cli

import (
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"parfait/yamldoc"
)

// numberFlag reads a flag's number as files do: 5e1 and 0x32 are 50, and 010 is refused, of which pflag makes 8.
type numberFlag struct{ pflag.Value }

// numberError says what was expected of a flag's number.
type numberError struct{ error }

func (f numberFlag) Set(text string) error {
	if f.Type() == "float64" {
		v, err := yamldoc.Number(text)
		if err != nil {
			return numberError{err}
		}
		return f.Value.Set(strconv.FormatFloat(v, 'g', -1, 64))
	}
	negative, size, err := yamldoc.Whole(text)
	if err != nil {
		return numberError{err}
	}
	digits := strconv.FormatUint(size, 10)
	if negative {
		digits = "-" + digits
	}
	return f.Value.Set(digits)
}

// readNumbers has every flag of a command and of those below it read numbers by one rule.
func readNumbers(cmd *cobra.Command) {
	for _, flags := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
		flags.VisitAll(func(f *pflag.Flag) {
			switch f.Value.Type() {
			case "int", "uint64", "float64":
				f.Value = numberFlag{f.Value}
			}
		})
	}
	for _, c := range cmd.Commands() {
		readNumbers(c)
	}
}

// numeric says whether a text is meant as a number, be it one that study.yaml's reader refuses, and says why.
func numeric(text string) bool {
	if _, err := yamldoc.Number(text); err == nil {
		return true
	}
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}
