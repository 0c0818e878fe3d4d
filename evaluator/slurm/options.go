//go:build linux || darwin

package slurm

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/command"
	"parfait/evaluator/internal/option"
)

// ParseOptions reads the options as study.yaml has them. Everything wrong is returned, each error naming its key.
// Documented says which there are.
func ParseOptions(m map[string]any) (Options, []error) {
	var o Options
	errs := o.set().Read("slurm", m)
	return o, errs
}

// Documented are the options that ParseOptions knows.
func Documented() []evaluator.Option { return new(Options).set().Documented() }

// set are the options, to be read into o.
func (o *Options) set() option.Set {
	c := &o.Command
	names := command.PlaceholdersElsewhere()
	duration := func(key, means, without string, field *time.Duration) option.Option {
		return option.New(key, means, without, option.Into(field, option.Duration)).Checked(option.NotNegative(field))
	}
	count := func(key, means, without string, field *int) option.Option {
		return option.New(key, means, without, option.Into(field, option.AtLeastOne)).Checked(option.NotNegative(field))
	}
	return option.Set{
		option.Program("command", &c.Command, names),
		option.New("sbatch", "options of sbatch: `[--partition=gpu, --gres=gpu:1, --time=2:00:00]`", "the cluster's defaults", option.Into(&o.Sbatch, option.Command)).Checked(o.checkSbatch),
		count("throttle", "candidates in the cluster at once, over all jobs and arrays", "8", &o.Throttle),
		count("group", "candidates that a task measures one after another", "1", &o.Group),
		option.New("materialise", "`there`: each task merges its candidate itself, on its node's own disk; `here`: the runner merges, into a folder that all nodes see", "`here`", option.Into(&o.There, readMaterialise)),
		option.New("node_dir", "folder on a node's own disk for what is merged there, such as `/scratch/$USER`", "`$SLURM_TMPDIR`, `$TMPDIR` or `/tmp`", option.Into(&o.NodeDir, option.Text)).Checked(o.checkNodeDir),
		duration("poll", "between two calls of squeue", "`15s`", &o.Poll),
		duration("lost", "between the two answers of squeue after which a task without a result is lost", "`30s`", &o.Lost),
		count("tries", "tasks for a candidate at most, where they are lost", "5", &o.Tries),
		option.New("bin", "folder of sbatch, squeue, scancel and scontrol", "as in `$PATH`", option.Into(&o.Bin, option.Text)),
		option.Dir(&c.Dir),
		option.Env(&c.Env, names),
		option.Model(&c.Model),
		option.Form(&c.Form),
		option.MaxRank(&c.MaxRank, &c.Form),
		option.Splits(&c.Splits, "test where `{split}` is mentioned"),
		option.Metrics(&c.Metrics),
	}
}

// readMaterialise says whether candidates are merged by their tasks.
func readMaterialise(v any) (there bool, err error) {
	switch v {
	case "here", "there":
		return v == "there", nil
	}
	return false, fmt.Errorf("expected here or there, found %v", v)
}

// nodeDirs are the paths that may be written to node_dir: the shell of a task reads them, for their variables.
var nodeDirs = regexp.MustCompile(`^(/|\$\w|\$\{\w)[\w./${},:+@=-]*$`)

func (o *Options) checkNodeDir() (errs []error) {
	switch {
	case o.NodeDir == "":
	case !o.There:
		errs = append(errs, errors.New("nothing is merged on the nodes: write materialise: there, too"))
	case !nodeDirs.MatchString(o.NodeDir):
		errs = append(errs, fmt.Errorf("expected an absolute path of letters, digits and . , : + @ = _ - $, found %q", o.NodeDir))
	}
	return errs
}

// ours are the options of sbatch by which tasks are told apart and found again.
var ours = map[string]string{
	"--array": "throttle and group say how many there are", "-a": "throttle and group say how many there are",
	"--job-name": "tasks are found again by it", "-J": "tasks are found again by it", "--comment": "tasks are found again by it",
	"--output": "what a command prints is in its trial's log", "-o": "what a command prints is in its trial's log",
	"--error": "what a command prints is in its trial's log", "-e": "what a command prints is in its trial's log",
	"--requeue": "what is lost is submitted again, under another name", "--no-requeue": "it is set anyway", "--open-mode": "it is set anyway",
	"--chdir": "write the option dir instead", "-D": "write the option dir instead",
	"--parsable": "it is set anyway", "--wrap": "write the option command instead", "--wait": "nobody waits for it", "-W": "nobody waits for it",
	"--test-only": "it is asked anyway", "--clusters": "set SLURM_CLUSTERS for the runner instead, so that squeue asks the same one", "-M": "set SLURM_CLUSTERS for the runner instead, so that squeue asks the same one",
}

func (o *Options) checkSbatch() (errs []error) {
	takesNext := false
	for _, arg := range o.Sbatch {
		name, _, _ := strings.Cut(arg, "=")
		isOption := strings.HasPrefix(arg, "-")
		if !isOption && !takesNext {
			errs = append(errs, fmt.Errorf("%q is no option of sbatch: what is to be run is the option command", arg))
		}
		takesNext = isOption && name == arg
		if why, taken := ours[name]; taken {
			errs = append(errs, fmt.Errorf("%s is parfait's own: %s", name, why))
		}
	}
	return errs
}

// arguments are the options of sbatch without nodes that have lost tasks.
func (o *Options) arguments(without []string) []string {
	args := slices.Clone(o.Sbatch)
	if len(without) == 0 {
		return args
	}
	list := strings.Join(without, ",")
	for i, arg := range args {
		switch {
		case strings.HasPrefix(arg, "--exclude="):
			args[i] += "," + list
			return args
		case (arg == "-x" || arg == "--exclude") && i+1 < len(args):
			args[i+1] += "," + list
			return args
		}
	}
	return append(args, "--exclude="+list)
}
