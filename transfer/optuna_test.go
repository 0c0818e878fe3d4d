package transfer_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"parfait/evaluator"
	"parfait/explore/exploretest"
	"parfait/problem"
	"parfait/study"
	"parfait/transfer"
)

// exported is a study with every state that a trial may have, and a trial outside the ranges.
func exported() *study.Snapshot {
	s := exploretest.Snapshot(exploretest.Options{Name: "exported", Tasks: []string{"rotated", "mirrored"}, Trials: 14, Running: 2, Failed: []int{5}, Minimize: true})
	s.Trials[8].X = []float64{1.5, -0.25}
	s.Trials[12].State = evaluator.Waiting
	s.Trials[3].State, s.Trials[3].Metrics = evaluator.Cancelled, nil
	return s
}

// optunaSays is what testdata/optuna_reads.py prints.
type optunaSays struct {
	Version, Name       string
	Directions, Metrics []string
	Best                []int
	Trials              []struct {
		Number           int
		State            string
		Values           []float64
		Params           map[string]float64
		User             map[string]any
		Ranges           map[string][2]float64
		Seconds, Started *float64
	}
	Dashboard struct {
		Studies, Trials int
		Best            []int
		Metrics         []string
	}
	WaitsFor map[string]float64 `json:"waits_for"`
}

// optunaVariable names a python with Optuna; .ci/run optuna makes one, of the newest there is.
const optunaVariable = "PARFAIT_OPTUNA"

// Optuna itself, and its dashboard, open what is written, in both forms, and say the same of it as we do.
func TestRealOptunaReadsWhatIsWritten(t *testing.T) {
	python := os.Getenv(optunaVariable)
	if python == "" {
		t.Skipf("%s does not name a python with optuna and optuna-dashboard: .ci/run optuna installs one", optunaVariable)
	}
	s := exported()
	for _, name := range []string{"o.log", "o.db"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			if n, err := transfer.Optuna(path, s); err != nil || n != len(s.Trials) {
				t.Fatalf("%d trials were written, %v; want %d", n, err, len(s.Trials))
			}
			cmd := exec.Command(python, filepath.Join("testdata", "optuna_reads.py"), path)
			cmd.Stderr = os.Stderr
			text, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			var o optunaSays
			if err := json.Unmarshal(text, &o); err != nil {
				t.Fatal(err)
			}
			t.Logf("Optuna %s", o.Version)
			o.compare(t, s)
		})
	}
}

func (o optunaSays) compare(t *testing.T, s *study.Snapshot) {
	t.Helper()
	if o.Name != "exported" || !slices.Equal(o.Directions, []string{"minimize", "maximize"}) || !slices.Equal(o.Metrics, []string{"rotated", "mirrored"}) {
		t.Errorf("Optuna reads the study %s of %v %v", o.Name, o.Directions, o.Metrics)
	}
	if len(o.Trials) != len(s.Trials) {
		t.Fatalf("Optuna reads %d trials, want %d", len(o.Trials), len(s.Trials))
	}
	states := map[study.State]string{evaluator.Done: "COMPLETE", evaluator.Failed: "FAIL", evaluator.Cancelled: "FAIL", evaluator.Running: "RUNNING", evaluator.Waiting: "WAITING"}
	for i, got := range o.Trials {
		want := s.Trials[i]
		if got.Number != i || got.State != states[want.State] || got.User["id"] != float64(want.ID) {
			t.Errorf("Optuna reads trial %d as number %d, %s, id %v; want %s", want.ID, got.Number, got.State, got.User["id"], states[want.State])
		}
		if waits := want.State == evaluator.Waiting; !waits && (got.Params["rotated"] != want.X[0] || got.Params["mirrored"] != want.X[1]) {
			t.Errorf("Optuna reads trial %d at %v, want %v", want.ID, got.Params, want.X)
		} else if !waits && (got.Ranges["rotated"] != [2]float64{0, 1.5} || got.Ranges["mirrored"] != [2]float64{-0.25, 1.2}) {
			t.Errorf("the ranges are %v, want them as wide as the trials", got.Ranges)
		}
		if want.State != evaluator.Done {
			continue
		}
		if !slices.Equal(got.Values, []float64{want.Metrics["rotated"].Value, want.Metrics["mirrored"].Value}) {
			t.Errorf("Optuna reads the values %v of trial %d, want %v", got.Values, want.ID, want.Metrics)
		}
		if got.User["upright"] != want.Metrics["upright"].Value || got.User["mirrored_n"] != float64(450) || got.User["mirrored_stderr"] != 0.011 {
			t.Errorf("the attributes of trial %d are %v", want.ID, got.User)
		}
		if got.Seconds == nil || *got.Seconds != 2 || got.Started == nil || math.Abs(*got.Started-float64(want.Started.UnixMilli())/1000) > 1e-3 {
			t.Errorf("trial %d took %v s from %v, want 2 from %v", want.ID, got.Seconds, got.Started, want.Started)
		}
	}
	best := front(s)
	if !slices.Equal(o.Best, best) || !slices.Equal(o.Dashboard.Best, best) {
		t.Errorf("the best are %v to Optuna, %v to its dashboard, want %v", o.Best, o.Dashboard.Best, best)
	}
	if d := o.Dashboard; d.Studies != 1 || d.Trials != len(s.Trials) || !slices.Equal(d.Metrics, o.Metrics) {
		t.Errorf("the dashboard shows %+v, want one study with %d trials", d, len(s.Trials))
	}
	if x := s.Trials[12].X; o.WaitsFor["rotated"] != x[0] || o.WaitsFor["mirrored"] != x[1] {
		t.Errorf("Optuna goes on at %v, want at the trial that waits, %v", o.WaitsFor, x)
	}
}

// front are the trials, counted from 0, that no other is better than, by the definition.
func front(s *study.Snapshot) []int {
	var out []int
	at := func(t study.Trial) (down, up float64) { return t.Metrics["rotated"].Value, t.Metrics["mirrored"].Value }
	for i, a := range s.Trials {
		da, ua := at(a)
		dominated := slices.ContainsFunc(s.Trials, func(b study.Trial) bool {
			db, ub := at(b)
			return b.State == evaluator.Done && db <= da && ub >= ua && (db < da || ub > ua)
		})
		if a.State == evaluator.Done && !dominated {
			out = append(out, i)
		}
	}
	return out
}

// Nothing is overwritten, nothing half-written is left, and a name says which form is meant.
func TestOptunaOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	s := exported()
	for _, name := range []string{"o.log", "o.DB", "o.sqlite3"} {
		path := filepath.Join(dir, name)
		if _, err := transfer.Optuna(path, s); err != nil {
			t.Fatal(err)
		}
		if _, err := transfer.Optuna(path, s); problem.CodeOf(err) != study.CodeExists {
			t.Errorf("%s: %v, want that it is there already", name, err)
		}
	}
	if _, err := transfer.Optuna(filepath.Join(dir, "o.csv"), s); problem.CodeOf(err) != study.CodeInput {
		t.Errorf("%v, want that .csv is no storage", err)
	}
	if _, err := transfer.Optuna(filepath.Join(dir, "nowhere", "o.log"), s); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v, want that there is no such folder", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 3 {
		t.Errorf("%v (%v) is in the folder, want three storages", left, err)
	}
}
