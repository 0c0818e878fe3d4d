//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// long says whether a test is to take the time that it takes before a release: `.ci/long` sets it.
func long() bool { return os.Getenv("PARFAIT_LONG") != "" }

// scale is how often something is done: in every run of the tests, and before a release.
func scale(short, more int) int {
	if long() {
		return more
	}
	return short
}

// judgeTasks are what the judge of these tests measures: nothing real, but another figure for every merge.
var judgeTasks = []string{"rotated", "mirrored", "upside_down"}

// score is what the judge says of coefficients.
func score(x map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for i, task := range judgeTasks {
		next, last := x[judgeTasks[(i+1)%3]], x[judgeTasks[(i+2)%3]]
		out[task] = math.Round(1e6/(1+math.Exp(-(1+2*x[task]-next*next-last/2)))) / 1e6
	}
	return out
}

// asJudge is this program as an evaluator's: `judge command COEFFICIENTS` or `judge worker`. It notes in the file
// JUDGE_LOG when it begins and ends, and sleeps JUDGE_SLEEP between the two: a line "begin TRIAL ATTEMPT".
func asJudge(args []string) error {
	pause, err := time.ParseDuration(os.Getenv("JUDGE_SLEEP"))
	if err != nil {
		return err
	}
	measure := func(key string, attempt int, x map[string]float64) (map[string]float64, error) {
		trial := key[strings.LastIndexByte(key, '/')+1:]
		if err := note("begin", trial, attempt); err != nil {
			return nil, err
		}
		time.Sleep(pause)
		return score(x), nil
	}
	if args[0] == "command" {
		var x map[string]float64
		if err := json.Unmarshal([]byte(args[1]), &x); err != nil {
			return err
		}
		attempt, _ := strconv.Atoi(os.Getenv("PARFAIT_ATTEMPT"))
		m, err := measure(os.Getenv("PARFAIT_KEY"), attempt, x)
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(m)
		}
		return errors.Join(err, note("end", os.Getenv("PARFAIT_TRIAL"), attempt))
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var q struct {
			Key          string
			Attempt      int
			Coefficients map[string]float64
		}
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			return err
		}
		m, err := measure(q.Key, q.Attempt, q.Coefficients)
		if err != nil {
			return err
		}
		if err := errors.Join(json.NewEncoder(os.Stdout).Encode(map[string]any{"key": q.Key, "metrics": m}), note("end", q.Key[strings.LastIndexByte(q.Key, '/')+1:], q.Attempt)); err != nil {
			return err
		}
	}
	return nil
}

// note appends a line to the judge's log, whole.
func note(what ...any) error {
	f, err := os.OpenFile(os.Getenv("JUDGE_LOG"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = fmt.Fprintln(f, what...)
	return err
}

// judge is the evaluator of a study, and what it was asked.
type judge struct {
	kind    string // digits, command, worker or http
	pause   time.Duration
	log     string
	address string
	marked  string // in the environment of all that belongs to it

	mu       sync.Mutex
	answers  map[string]func() map[string]float64 // of the HTTP judge, by Idempotency-Key
	computed map[string]int                       // how often it has computed, by the trial
}

func newJudge(t *testing.T, kind string, pause time.Duration) *judge {
	t.Helper()
	j := &judge{kind: kind, pause: pause, log: filepath.Join(t.TempDir(), "judge.log"), marked: fmt.Sprintf("JUDGE_MARK=%s-%d-%d", kind, os.Getpid(), time.Now().UnixNano())}
	j.forget()
	if kind == "http" {
		server := httptest.NewServer(j)
		t.Cleanup(server.Close)
		j.address = server.URL
	}
	return j
}

// forget begins anew, for another study.
func (j *judge) forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.answers, j.computed = map[string]func() map[string]float64{}, map[string]int{}
	_ = os.Remove(j.log)
}

// ServeHTTP answers a question, once for each Idempotency-Key: whoever asks again gets the answer that there is.
func (j *judge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Key          string
		Coefficients map[string]float64
	}
	b, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(b, &q)
	}
	id := r.Header.Get("Idempotency-Key")
	if err != nil || id == "" {
		http.Error(w, fmt.Sprint(err, id), http.StatusBadRequest)
		return
	}
	j.mu.Lock()
	answer := j.answers[id]
	if answer == nil {
		answer = sync.OnceValue(func() map[string]float64 { time.Sleep(j.pause); return score(q.Coefficients) })
		j.answers[id] = answer
		j.computed[q.Key[strings.LastIndexByte(q.Key, '/')+1:]]++
	}
	j.mu.Unlock()
	_ = json.NewEncoder(w).Encode(answer())
}

// begun is how often the judge has begun to measure each trial.
func (j *judge) begun() map[string]int { return j.noted("begin") }

// ended is how often it has measured one to the end.
func (j *judge) ended() map[string]int { return j.noted("end") }

func (j *judge) noted(what string) map[string]int {
	out := map[string]int{}
	if j.kind == "http" {
		j.mu.Lock()
		defer j.mu.Unlock()
		for trial, n := range j.computed {
			out[trial] = n
		}
		return out
	}
	b, _ := os.ReadFile(j.log)
	for line := range strings.Lines(string(b)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == what {
			out[words[1]]++
		}
	}
	return out
}

// environ is the environment of all that belongs to the judge's study.
func (j *judge) environ() []string {
	return append(os.Environ(), "JUDGE_LOG="+j.log, "JUDGE_SLEEP="+j.pause.String(), j.marked)
}

// survivors are the processes that belong to the judge's study: runners and evaluators.
func (j *judge) survivors() (pids []int) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		environ, err := os.ReadFile(p + "/environ")
		if err != nil || !strings.Contains(string(environ), j.marked+"\x00") {
			continue
		}
		if stat, err := os.ReadFile(p + "/stat"); err != nil || strings.Contains(string(stat), ") Z ") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(p)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// study makes a study in dir that the judge measures.
func (j *judge) study(t *testing.T, dir string, budget int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	evaluator := map[string]string{
		"digits":  "{digits: {parallel: 2}}",
		"command": fmt.Sprintf(`{command: {command: [%q, judge, command, "{coefficients}"], parallel: 2, grace: 2s}}`, self),
		"worker":  fmt.Sprintf(`{worker: {worker: [%q, judge, worker], parallel: 2, grace: 2s, model: false}}`, self),
		"http":    fmt.Sprintf(`{http: {url: %q, parallel: 2, model: false}}`, j.address),
	}[j.kind]
	text := fmt.Sprintf(`version: 1
base: %[1]s/base
models:
  - {name: rotated, path: %[1]s/rotated, range: [0, 1.2]}
  - {name: mirrored, path: %[1]s/mirrored, range: [0, 1.2]}
  - {name: upside_down, path: %[1]s/upside_down, range: [0, 1.2]}
method: {name: task_arithmetic, lambda: 1}
dtype: bf16
tasks: [{name: rotated, unit: rate}, {name: mirrored, unit: rate}, {name: upside_down, unit: rate}]
evaluators: {main: %[2]s}
search: {strategy: design, budget: %[3]d, batch: 4, seed: 1}
`, judgeModels(t), evaluator, budget)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "study.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// judgeModels are models to merge: those of the embedded study.
func judgeModels(t *testing.T) string {
	t.Helper()
	judged.Do(func() {
		judgedDir = filepath.Join(filepath.Dir(program), fmt.Sprint("judged-", os.Getpid()))
		if out, err := exec.Command(program, "demo", "--headless", "--tasks", "3", "--budget", "4", "--dir", judgedDir).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	return filepath.Join(judgedDir, "models")
}

var (
	judged    sync.Once
	judgedDir string
)
