package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/internal/stage"
	"parfait/problem"
	"parfait/study"
)

// Optuna writes a study's trials to path, as storage that Optuna 4 and 5, and its dashboard, open under the study's name:
// the journal of JournalFileBackend where path ends in .log, and a database of SQLite where it ends in .db, .sqlite or
// .sqlite3. Nothing is overwritten. It returns how many trials there are.
//
// The objectives are the study's, with their senses and names. Distributions are the ranges of the coefficients, as
// wide as trials outside them need. What else is known of a trial (guards, standard errors, numbers of items, why it was
// asked for) is in its user attributes.
func Optuna(path string, s *study.Snapshot) (int, error) {
	write := map[string]func(string, optunaStudy) error{".log": writeJournal, ".db": writeDatabase, ".sqlite": writeDatabase, ".sqlite3": writeDatabase}[strings.ToLower(filepath.Ext(path))]
	if write == nil {
		return 0, problem.Problem{Code: study.CodeInput, Where: path, What: "is no name of a storage of Optuna", Expected: "NAME.log for its journal, or NAME.db for SQLite"}
	}
	if _, err := os.Lstat(path); err == nil {
		return 0, problem.Problem{Code: study.CodeExists, Where: path, What: "is there already, and nothing is overwritten", Fix: "choose another name"}
	}
	o := optunaOf(s)
	draft := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d.draft", filepath.Base(path), os.Getpid()))
	err := write(draft, o)
	if err == nil {
		err = publish(draft, path)
	}
	if err != nil {
		err = errors.Join(err, removed(draft))
	}
	return len(o.trials), err
}

// URL is what Optuna calls the storage at path.
func URL(path string) string {
	if strings.EqualFold(filepath.Ext(path), ".log") {
		return path
	}
	return "sqlite:///" + path
}

// publish brings a draft that is whole to its place, for good.
func publish(draft, path string) error {
	f, err := os.Open(draft)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := (stage.OS{}).Rename(draft, path); err != nil {
		return err
	}
	return stage.OS{}.SyncDir(filepath.Dir(path))
}

func removed(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// metricNames is the attribute with the names of the objectives.
const metricNames = "study:metric_names"

// optunaStudy is a study in Optuna's words.
type optunaStudy struct {
	name       string
	minimize   []bool // an objective
	attributes map[string]any
	names      []string // of the objectives
	trials     []optunaTrial
}

// optunaState is a state of a trial: its number in a journal, and its name in a database.
type optunaState int

// States of Optuna's trials.
const (
	optunaRunning optunaState = iota
	optunaComplete
	_ // pruned
	optunaFail
	optunaWaiting
)

func (s optunaState) String() string {
	return []string{"RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING"}[s]
}

type optunaTrial struct {
	state        optunaState
	values       []float64          // none unless it is complete
	params       map[string]float64 // none while it waits: Optuna gives them when it starts
	distribution map[string]string  // of params
	user, system map[string]any
	started      time.Time // zero: not known
	ended        time.Time
}

// optunaOf is a study's snapshot in Optuna's words.
func optunaOf(s *study.Snapshot) optunaStudy {
	o := optunaStudy{name: s.Name, attributes: map[string]any{"parfait": HeaderOf(s)}}
	var objectives []study.Task
	for _, t := range s.Tasks {
		if t.Role == study.Objective {
			objectives = append(objectives, t)
			o.names, o.minimize = append(o.names, t.Name), append(o.minimize, t.Sense == study.Minimize)
		}
	}
	distribution := map[string]string{}
	for i, c := range s.Space.Coefficients {
		lo, hi := c.Lo, c.Hi
		for _, t := range s.Trials {
			lo, hi = min(lo, t.X[i]), max(hi, t.X[i])
		}
		distribution[c.Name] = fmt.Sprintf(`{"name": "FloatDistribution", "attributes": {"step": null, "low": %s, "high": %s, "log": false}}`, float(lo), float(hi))
	}
	for _, t := range s.Trials {
		o.trials = append(o.trials, optunaTrialOf(s, t, objectives, distribution))
	}
	return o
}

func optunaTrialOf(s *study.Snapshot, t study.Trial, objectives []study.Task, distribution map[string]string) optunaTrial {
	out := optunaTrial{user: map[string]any{"id": t.ID, "origin": t.Origin}, system: map[string]any{}, started: t.Started, ended: t.Ended}
	for key, text := range map[string]string{"why": t.Why, "error": t.Error} {
		if text != "" {
			out.user[key] = text
		}
	}
	for _, task := range s.Tasks {
		m, ok := t.Metrics[task.Name]
		if !ok {
			continue
		}
		if task.Role != study.Objective {
			out.user[task.Name] = m.Value
		}
		if stderr, known := task.Stderr(m); known {
			out.user[task.Name+"_stderr"] = stderr
		}
		if m.N > 0 {
			out.user[task.Name+"_n"] = m.N
		}
	}
	params := map[string]float64{}
	for i, c := range s.Space.Coefficients {
		params[c.Name] = t.X[i]
	}
	switch t.State {
	case evaluator.Done:
		out.state = optunaComplete
		for _, task := range objectives {
			out.values = append(out.values, t.Metrics[task.Name].Value)
		}
	case evaluator.Failed, evaluator.Cancelled:
		out.state = optunaFail
	case evaluator.Running:
		out.state, out.ended = optunaRunning, time.Time{}
	default:
		out.state, out.started, out.ended = optunaWaiting, time.Time{}, time.Time{}
		out.system["fixed_params"] = params // as Optuna's enqueue_trial has them
		return out
	}
	if out.started.IsZero() {
		out.started = t.Created
	}
	if out.ended.IsZero() && out.state != optunaRunning {
		out.ended = out.started
	}
	out.params, out.distribution = params, distribution
	return out
}
