package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A number means the same on the command line as in a file: pflag alone makes 8 of 010, and refuses 5e1.
func TestNumbersOfFlags(t *testing.T) {
	for text, want := range map[string]string{
		"50": "50", "5e1": "50", "0x32": "50", "5_0": "50", "50.0": "50", "0b110010": "50",
		"010": "expected a number without leading zeros", "x": "expected a whole number, found", "1.5": "expected a whole number, found",
	} {
		for _, flag := range []string{"--budget", "--seed", "--parallel"} {
			cmd := (&app{}).root()
			init, _, err := cmd.Find([]string{"init"})
			if err != nil {
				t.Fatal(err)
			}
			err = init.ParseFlags([]string{flag, text})
			got := init.Flag(flag[2:]).Value.String()
			if err != nil {
				got = flagError(init, err).Error()
			}
			if !strings.HasPrefix(got, want) && !strings.Contains(got, flag+": "+want) {
				t.Errorf("%s %s is %s, want %s", flag, text, got, want)
			}
		}
	}
	for text, want := range map[string]string{"5e-1": "0.5", "0x1": "1", ".75": "0.75", "00.5": "0.5", "01": "expected a number without leading zeros", "inf": "expected a number, found", "0x1p-1": "expected a number, found"} {
		var v float64
		cmd := &cobra.Command{Use: "x"}
		cmd.Flags().Float64Var(&v, "share", 0, "")
		readNumbers(cmd)
		err := cmd.ParseFlags([]string{"--share", text})
		got := cmd.Flag("share").Value.String()
		if err != nil {
			got = flagError(cmd, err).Error()
		}
		if got != want && !strings.Contains(got, "--share: "+want) {
			t.Errorf("--share %s is %s, want %s", text, got, want)
		}
		at, err := assignments("--at", "a="+text, "coefficient", []string{"a"})
		switch {
		case err == nil && at["a"] != v:
			t.Errorf("--at a=%s is %g, and --share %g", text, at["a"], v)
		case err != nil && !strings.Contains(err.Error(), "a: "+want):
			t.Errorf("--at a=%s: %v, want %s", text, err, want)
		}
	}
	(&app{}).root().Commands()[0].Flags().VisitAll(func(f *pflag.Flag) {
		if _, ruled := f.Value.(numberFlag); !ruled && f.Value.Type() == "int" {
			t.Errorf("--%s reads numbers by a rule of its own", f.Name)
		}
	})
}
