package cli

import (
	"fmt"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"parfait/merge"
	"parfait/merge/mergekit"
	"parfait/visible"
)

func (a *app) mergekitCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mergekit",
		Short: "Turn mergekit configurations into recipes, and recipes into those",
		Long:  "Turn a mergekit configuration into a recipe that `parfait merge` executes, or a recipe into a configuration. What has no meaning on the other side is refused with its key and line; docs/mergekit.md says where results differ, and why.",
		Args:  arguments(0, 0, "import or export"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage("`parfait mergekit --help` has examples", "expected import or export")
		},
	}
	cmd.AddCommand(
		a.translation("import FILE.yaml", "Print the recipe that a mergekit configuration describes", "parfait mergekit import config.yaml --out recipe.yaml\nparfait merge recipe.yaml merged",
			func(path string) ([]byte, []merge.Problem, error) {
				r, warnings, err := mergekit.Import(path)
				if err != nil {
					return nil, nil, err
				}
				return r.WithComment("from the mergekit configuration " + visible.Line(path)).YAML(), warnings, nil
			}),
		a.translation("export RECIPE", "Print a recipe as a mergekit configuration", "parfait mergekit export my.study/exports/pick-1/recipe.yaml",
			func(path string) ([]byte, []merge.Problem, error) {
				r, err := merge.ReadRecipe(path)
				if err != nil {
					return nil, nil, err
				}
				return mergekit.Export(*r)
			}),
	)
	return cmd
}

type translationJSON struct {
	From     string          `json:"from"`
	YAML     string          `json:"yaml"`
	Warnings []merge.Problem `json:"warnings"`
}

// translation is a command that turns one file into the text of another.
func (a *app) translation(use, short, example string, translate func(path string) ([]byte, []merge.Problem, error)) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: use, Short: short, Example: example,
		Args: arguments(1, 1, "one file"),
		RunE: func(_ *cobra.Command, args []string) error {
			text, warnings, err := translate(args[0])
			if err != nil {
				return err
			}
			if out != "" {
				if exists(out) {
					return &fault{exit: ExitExists, what: out + " exists, and nothing is overwritten", fix: "choose another --out"}
				}
				if err := renameio.WriteFile(out, text, 0o644); err != nil {
					return notWritten(out, err)
				}
			}
			switch {
			case a.json:
				return a.printJSON(a.out, translationJSON{args[0], string(text), append([]merge.Problem{}, warnings...)})
			case out == "":
				if _, err := a.out.Write(text); err != nil {
					return err
				}
			default:
				if _, err := fmt.Fprintf(a.out, "%s is written\n", shown(out)); err != nil {
					return err
				}
			}
			return warn(a, warnings)
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "write to this `FILE`, which must not exist (relative paths in a recipe are meant from its folder)")
	return cmd
}
