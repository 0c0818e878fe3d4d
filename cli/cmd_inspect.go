package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"parfait/merge"
	"parfait/merge/codes"
	"parfait/problem"
	"parfait/study"
)

func (a *app) inspectCommand() *cobra.Command {
	var base string
	var stats, suggest, crop, pad bool
	var skip []string
	cmd := &cobra.Command{
		Use:   "inspect PATH…",
		Short: "Say what a merge of these models would meet",
		Long: "Read the headers of models and say whether and how they can be merged: tensors, shapes, dtypes, sizes, and every problem at once with what to do about it. No weights are read.\n\n" +
			"--stats reads the weights once and says how the models lie relative to one another, before any evaluation is paid for: how far each is from the base, how alike their task vectors point, how often their signs conflict, and r, near 1 for models of one basin and near 1/N for models that have nothing to do with each other.\n\n" +
			"--suggest-groups reads them once too, and prints YAML for study.yaml: runs of layers that were moved about as far, with the figures that say so.\n\n" +
			"PATH is a recipe, or models: folders or .safetensors files, NAME=PATH to name them. The first is the base unless --base names it.",
		Example: "parfait inspect models/base models/math models/code\n\n# layer groups for study.yaml\nparfait inspect models/base models/math models/code --suggest-groups\n\n# the merge that a recipe describes\nparfait inspect recipe.yaml",
		Args:    arguments(1, 1000, "a recipe or models"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && base == "" && isStudy(studyDir(args)) {
				return aStudy(studyDir(args))
			}
			spec, err := inspected(base, args)
			if err != nil {
				return err
			}
			spec.Skip = append(spec.Skip, skip...)
			switch {
			case crop:
				spec.Vocab = merge.VocabCrop
			case pad:
				spec.Vocab = merge.VocabPad
			}
			if stats || suggest {
				flag := "--stats"
				if suggest {
					flag = "--suggest-groups"
				}
				if spec.Base == "" && len(spec.Models) == 1 {
					return usage("name its base first: parfait inspect "+flag+" BASE "+quoted(args[0]), "%s compares models with their base, and there is one model alone", flag)
				}
				in, err := a.inspection(cmd.Context(), spec)
				switch {
				case err != nil:
					return err
				case suggest:
					return a.printSuggestion(in)
				case a.json:
					return a.printJSON(a.out, in)
				}
				return a.printStats(in)
			}
			return a.inspect(cmd.Context(), spec)
		},
	}
	cmd.Flags().StringArrayVar(&skip, "skip", nil, "take tensors with names like `GLOB` from the base; one flag each")
	cmd.Flags().BoolVar(&crop, "crop-vocab", false, "leave out vocabulary rows that not every model has")
	cmd.Flags().BoolVar(&pad, "pad-vocab", false, "keep vocabulary rows that only some models have")
	cmd.MarkFlagsMutuallyExclusive("crop-vocab", "pad-vocab")
	cmd.Flags().BoolVar(&stats, "stats", false, "read the weights once: norms, cosines, sign conflicts")
	cmd.Flags().BoolVar(&suggest, "suggest-groups", false, "read the weights once, and print layer groups for study.yaml by how far each layer is from the base")
	cmd.MarkFlagsMutuallyExclusive("stats", "suggest-groups")
	cmd.Flags().StringVar(&base, "base", "", "the `MODEL` that the others were fine-tuned from")
	return cmd
}

// aStudy says which models a study names, to be looked at in its place.
func aStudy(dir string) error {
	fix := "name its models"
	if spec, err := study.ReadSpec(dir); err == nil {
		m := mergeSpec(dir, spec)
		words := []string{shown(m.Base)}
		for _, model := range m.Models {
			words = append(words, model.Name+"="+shown(model.Path))
		}
		fix += ": parfait inspect " + strings.Join(words, " ")
	}
	return usage(fix, "%s is a study, not a model", dir)
}

// inspected is the merge that a recipe, or a list of models, describes.
func inspected(base string, args []string) (merge.Spec, error) {
	if ext := filepath.Ext(args[0]); len(args) == 1 && (ext == ".yaml" || ext == ".yml") {
		if base != "" {
			return merge.Spec{}, usage("", "--base: the recipe names its base itself")
		}
		r, err := merge.ReadRecipe(args[0])
		if err != nil {
			return merge.Spec{}, err
		}
		return r.Spec(), nil
	}
	if base == "" && len(args) > 1 {
		base, args = args[0], args[1:]
		if _, path, ok := named(base); ok {
			base = path
		}
	}
	spec := merge.Spec{Base: home(base), Method: "task_arithmetic"}
	if base == "" {
		spec.Method = "passthrough" // one model alone is looked at by itself
	}
	for _, arg := range args {
		spec.Models = append(spec.Models, source(arg, spec.Models))
	}
	return spec, nil
}

// named splits NAME=PATH. What is a path as it stands, or begins with a part that can be no name, has no name.
func named(arg string) (name, path string, ok bool) {
	name, path, ok = strings.Cut(arg, "=")
	if _, err := os.Stat(home(arg)); err == nil || strings.ContainsAny(name, `/\`) {
		return "", arg, false
	}
	return name, path, ok
}

// source reads NAME=PATH; without a name the last part of the path is one, numbered where it is taken.
func source(arg string, taken []merge.Source) merge.Source {
	name, path, ok := named(arg)
	if !ok {
		path = arg
		name = strings.Map(func(r rune) rune {
			if strings.ContainsRune(".,=: \t\n{}[]'\"#/\\", r) {
				return '_'
			}
			return r
		}, strings.TrimSuffix(filepath.Base(filepath.Clean(arg)), ".safetensors"))
	}
	whole := name
	for n := 2; slices.ContainsFunc(taken, func(s merge.Source) bool { return s.Name == name }); n++ {
		name = whole + "_" + strconv.Itoa(n)
	}
	return merge.Source{Name: name, Path: home(path)}
}

type inspectJSON struct {
	Summary *merge.Summary        `json:"summary"` // null where it cannot be merged
	Tensors []merge.TensorSummary `json:"tensors"`
	// Problems keep the merge from being done.
	Problems []merge.Problem `json:"problems"`
}

func (a *app) inspect(ctx context.Context, spec merge.Spec) (err error) {
	plan, err := merge.NewPlan(ctx, spec)
	if err != nil {
		var p problem.List
		if a.json && errors.As(err, &p) {
			if err := a.printJSON(a.out, inspectJSON{Tensors: []merge.TensorSummary{}, Problems: p}); err != nil {
				return err
			}
		}
		return err
	}
	defer func() { err = errors.Join(err, plan.Close()) }()
	s := plan.Summary()
	if a.json {
		return a.printJSON(a.out, inspectJSON{&s, plan.Tensors(), []merge.Problem{}})
	}
	return a.printSummary(s)
}

func (a *app) printSummary(s merge.Summary) error {
	inputs := a.sheet(left(""), left("path"), right("size"), right("files"), right("tensors"), left("elements by dtype"))
	list := s.Models
	if s.Base != nil {
		list = append([]merge.InputSummary{*s.Base}, list...)
	}
	for _, in := range list {
		inputs.add(in.Name, shown(in.Path), bytesText(in.Bytes), strconv.Itoa(in.Files), strconv.Itoa(in.Tensors), dtypes(in.DTypes))
	}
	t := s.Tensors
	text := fmt.Sprintf("%s\nthese can be merged: %d tensors", inputs, t.Merged)
	if len(t.Skipped) > 0 {
		text += fmt.Sprintf(", %d taken from the base as asked", len(t.Skipped))
	}
	if t.Integers > 0 {
		text += fmt.Sprintf(", %d of %s taken from the base: nothing is computed on them", t.Integers, strings.Join(s.Carried, ", "))
	}
	text += fmt.Sprintf("\none merge reads %s, writes %s as %s, and needs about %s of memory\n", bytesText(s.Reads), bytesText(s.Bytes), s.DType, bytesText(s.Memory))
	for _, g := range s.Groups {
		text += fmt.Sprintf("group %s (%s): %d tensors, %d elements\n", g.Name, g.Match, len(g.Tensors), g.Elements)
	}
	if _, err := fmt.Fprint(a.out, text, a.differences(s)); err != nil {
		return err
	}
	warnings := slices.Clone(s.Warnings)
	for i, w := range warnings {
		if strings.HasPrefix(w.What, "its config.json says ") && w.Code == codes.Config && len(s.Differences) > 0 {
			warnings[i].What = "its configuration differs (see the table)"
		}
	}
	return warn(a, warnings)
}

// differences are the entries of the models' configurations that are not the same in all, as a table; "" where there are none.
func (a *app) differences(s merge.Summary) string {
	if len(s.Differences) == 0 {
		return ""
	}
	var names []string
	if s.Base != nil {
		names = append(names, s.Base.Name)
	}
	for _, m := range s.Models {
		names = append(names, m.Name)
	}
	columns := []column{left("configurations differ in")}
	for _, name := range names {
		columns = append(columns, left(name))
	}
	table := a.sheet(columns...)
	for _, d := range s.Differences {
		cells := []string{d.Key}
		for _, name := range names {
			cells = append(cells, cmp.Or(d.Values[name], "–"))
		}
		table.add(cells...)
	}
	return "\n" + table.String()
}

func warn(a *app, list []merge.Problem) error {
	for _, w := range list {
		if _, err := fmt.Fprintf(a.err, "  ! %s\n", strings.ReplaceAll(problem.Text(w), "\n", "\n    ")); err != nil {
			return err
		}
	}
	return nil
}

func dtypes(m map[string]int64) string {
	var parts []string
	for _, d := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s %d", d, m[d]))
	}
	return strings.Join(parts, ", ")
}
