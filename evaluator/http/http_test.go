package http

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/evaluatortest"
	"parfait/evaluator/internal/question"
)

// judge is a server that does what the first coefficient's name says.
type judge struct {
	mu    sync.Mutex
	tries map[string]int // by Idempotency-Key
	seen  []question.Question
}

func (j *judge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q question.Question
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if _, err := os.ReadDir(q.Model); q.Model != "" && err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	j.mu.Lock()
	j.tries[r.Header.Get("Idempotency-Key")]++
	try := j.tries[r.Header.Get("Idempotency-Key")]
	j.seen = append(j.seen, q)
	j.mu.Unlock()
	report := map[string]any{}
	for _, task := range q.Tasks {
		report[task] = map[string]any{"value": .5, "n": 100}
	}
	behaviour := strings.Split(string(q.Coefficients), `"`)[1]
	switch behaviour {
	case "hang":
		<-r.Context().Done()
		return
	case "later":
		if try < 3 {
			w.Header().Set("Retry-After", "0")
			http.Error(w, "loading", []int{http.StatusServiceUnavailable, http.StatusTooManyRequests}[try-1])
			return
		}
	case "cut":
		if try == 1 {
			panic(http.ErrAbortHandler)
		}
	case "never":
		http.Error(w, "maintenance", http.StatusServiceUnavailable)
		return
	case "broken":
		http.Error(w, "KeyError: 3", http.StatusInternalServerError)
		return
	case "moved":
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
		return
	case "html":
		_, _ = fmt.Fprint(w, "<html>it works</html>")
		return
	case "empty":
		return
	case "missing":
		delete(report, "a")
	case "undeclared":
		report["poetry"] = 1
	case "nan":
		_, _ = fmt.Fprint(w, `{"a": NaN, "b": 1}`)
		return
	case "as a worker":
		_ = json.NewEncoder(w).Encode(map[string]any{"key": q.Key, "metrics": report})
		return
	case "sorry":
		_ = json.NewEncoder(w).Encode(map[string]any{"key": q.Key, "error": "the judge is asleep"})
		return
	case "looks":
		w.Header().Set("Parfait-Model", q.Model)
	case "progress":
		_, _ = fmt.Fprintln(w, `{"progress": {"done": 1, "total": 2, "note": "a"}}`)
	case "token":
		if r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("X-Project") != "digits" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
	}
	_ = json.NewEncoder(w).Encode(report)
}

func serve(t *testing.T) (*judge, string) {
	j := &judge{tries: map[string]int{}}
	s := httptest.NewServer(j)
	t.Cleanup(s.Close)
	return j, s.URL
}

func behaving(behaviour string) func(testing.TB) evaluator.Candidate {
	return func(t testing.TB) evaluator.Candidate {
		dir := t.TempDir()
		return evaluator.Candidate{
			Tasks: []string{"a", "b"}, At: []evaluator.Coefficient{{Name: behaviour, Value: 1}},
			Model: func(context.Context, evaluator.Form) (evaluator.Lease, error) { return evaluator.Lease{Path: dir}, nil },
		}
	}
}

func mustNew(t testing.TB, o Options) evaluator.Evaluator {
	t.Helper()
	ev, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

func TestConforms(t *testing.T) {
	_, url := serve(t)
	fails := func(behaviour string, code evaluator.Code) evaluatortest.Failure {
		return evaluatortest.Failure{Candidate: behaving(behaviour), Code: code}
	}
	evaluatortest.Run(t, evaluatortest.Harness{
		New: func(t testing.TB, _ string) evaluator.Evaluator {
			return mustNew(t, Options{URL: url, Parallel: 3, Wait: time.Millisecond, Splits: []evaluator.Split{evaluator.Validation, evaluator.Test}})
		},
		Good: behaving("later"),
		Hang: behaving("hang"),
		Failures: map[string]evaluatortest.Failure{
			"never":      fails("never", Unreachable),
			"broken":     fails("broken", Refused),
			"moved":      fails("moved", Refused),
			"html":       fails("html", evaluator.BadMetrics),
			"empty":      fails("empty", evaluator.NoMetrics),
			"missing":    fails("missing", evaluator.MissingTask),
			"undeclared": fails("undeclared", evaluator.UndeclaredTask),
			"nan":        fails("nan", evaluator.NotFinite),
			"sorry":      fails("sorry", Refused),
		},
	})
}

// measure submits one candidate and returns its final event and its progress.
func measure(t testing.TB, ev evaluator.Evaluator, behaviour string) (last evaluator.Event, seen []evaluator.Progress) {
	t.Helper()
	c := behaving(behaviour)(t)
	c.Key, c.ID, c.Attempt, c.Split, c.Log = "digits/12", "x7-12-0af3", 2, evaluator.Validation, filepath.Join(t.TempDir(), "logs", "12.log")
	err := ev.Submit(t.Context(), []evaluator.Candidate{c}, func(e evaluator.Event) error {
		last = e
		if e.State == evaluator.Running {
			seen = append(seen, e.Progress)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(c.Log); err != nil || !strings.Contains(string(b), "try 1 of digits/12") {
		t.Errorf("the log says %q (%v)", b, err)
	}
	return last, seen
}

func TestQuestion(t *testing.T) {
	j, url := serve(t)
	if e, seen := measure(t, mustNew(t, Options{URL: url, NoModel: true}), "progress"); e.State != evaluator.Done || len(seen) != 2 || seen[1] != (evaluator.Progress{Done: 1, Total: 2, Note: "a"}) {
		t.Errorf("%s, progress %v: %v", e.State, seen, e.Err)
	}
	want := question.Question{ID: "x7-12-0af3", Key: "digits/12", Attempt: 2, Tasks: []string{"a", "b"}, Split: evaluator.Validation, Coefficients: json.RawMessage(`{"progress":1}`)}
	if len(j.seen) != 1 || !reflect.DeepEqual(j.seen[0], want) {
		t.Errorf("asked %+v, expected %+v", j.seen, want)
	}
}

// Who needs no model is told where that of an export is, and says whether it has looked; and how to merge, always.
func TestExport(t *testing.T) {
	j, url := serve(t)
	ev, dir := mustNew(t, Options{URL: url, NoModel: true}), t.TempDir()
	for i, behaviour := range []string{"good", "looks"} {
		looked := false
		c := evaluator.Candidate{
			Key: "k", Attempt: 1, Split: evaluator.Validation, Tasks: []string{"a"}, At: []evaluator.Coefficient{{Name: behaviour}},
			Recipe: json.RawMessage(`{"version":1}`), Written: dir, Looked: func() { looked = true },
		}
		var last evaluator.Event
		if err := ev.Submit(t.Context(), []evaluator.Candidate{c}, func(e evaluator.Event) error { last = e; return nil }); err != nil || last.Err != nil {
			t.Fatal(err, last.Err)
		}
		if q := j.seen[i]; q.Model != dir || string(q.Recipe) != `{"version":1}` || looked != (behaviour == "looks") {
			t.Errorf("%s: asked %+v, looked %v", behaviour, q, looked)
		}
	}
}

// What a worker would answer is understood, too.
func TestAnswersAsAWorkerDoes(t *testing.T) {
	_, url := serve(t)
	if e, _ := measure(t, mustNew(t, Options{URL: url}), "as a worker"); e.State != evaluator.Done || e.Metrics["a"].Value != .5 {
		t.Errorf("%s with %v: %v; want the figures inside", e.State, e.Metrics, e.Err)
	}
	if e, _ := measure(t, mustNew(t, Options{URL: url}), "sorry"); !errors.Is(e.Err, Refused) || !strings.Contains(e.Err.Error(), "the judge is asleep") {
		t.Errorf("%v, want what the server says", e.Err)
	}
}

func TestToken(t *testing.T) {
	_, url := serve(t)
	t.Setenv("JUDGE_TOKEN", "secret")
	if e, _ := measure(t, mustNew(t, Options{URL: url, BearerEnv: "JUDGE_TOKEN", Headers: map[string]string{"X-Project": "digits"}}), "token"); e.State != evaluator.Done {
		t.Error(e.Err)
	}
	e, _ := measure(t, mustNew(t, Options{URL: url}), "token")
	if !errors.Is(e.Err, Refused) || !strings.Contains(e.Err.Error(), "who are you?") || !strings.Contains(e.Err.Error(), "401") {
		t.Errorf("%v, expected %s", e.Err, Refused)
	}
}

// A connection that is cut in the middle is tried again; a server that is not there is named.
func TestConnection(t *testing.T) {
	j, url := serve(t)
	if e, _ := measure(t, mustNew(t, Options{URL: url, Wait: time.Millisecond}), "cut"); e.State != evaluator.Done || j.tries["x7-12-0af3"] != 2 {
		t.Errorf("%s after %v: %v", e.State, j.tries, e.Err)
	}
	e, _ := measure(t, mustNew(t, Options{URL: "http://127.0.0.1:1/score", Wait: time.Millisecond, Tries: 2}), "good")
	if !errors.Is(e.Err, Unreachable) || !strings.Contains(e.Err.Error(), "127.0.0.1:1") || !strings.Contains(e.Err.Error(), "2 tries") {
		t.Errorf("%v, expected %s", e.Err, Unreachable)
	}
}

func TestTimeout(t *testing.T) {
	_, url := serve(t)
	if e, _ := measure(t, mustNew(t, Options{URL: url, Timeout: 50 * time.Millisecond}), "hang"); !errors.Is(e.Err, evaluator.TimedOut) {
		t.Errorf("%v, expected %s", e.Err, evaluator.TimedOut)
	}
	if e, _ := measure(t, mustNew(t, Options{URL: url, Timeout: 50 * time.Millisecond, Wait: time.Hour}), "never"); !errors.Is(e.Err, evaluator.TimedOut) {
		t.Errorf("%v, expected %s while waiting to try again", e.Err, evaluator.TimedOut)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-3": 0, "soon": 0, "999999": 10 * time.Minute, "99999999999999999999": 0,
		"Sat, 01 Mar 2025 12:00:30 GMT": 30 * time.Second, "Sat, 01 Mar 2025 11:00:00 GMT": 0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %v, expected %v", value, got, want)
		}
	}
}

func TestParseOptions(t *testing.T) {
	o, errs := ParseOptions(map[string]any{
		"url": "http://127.0.0.1:8000/score", "parallel": 4, "timeout": "30m", "tries": 2, "wait": "2s", "headers": map[string]any{"X-Project": "digits"},
		"model": false, "form": "adapter", "splits": []any{"validation", "test"}, "metrics": map[string]any{"gsm8k": "accuracy"},
	})
	want := Options{
		URL: "http://127.0.0.1:8000/score", Parallel: 4, Timeout: 30 * time.Minute, Tries: 2, Wait: 2 * time.Second, Headers: map[string]string{"X-Project": "digits"},
		NoModel: true, Form: evaluator.Adapter, Splits: []evaluator.Split{evaluator.Validation, evaluator.Test}, Metrics: map[string]string{"gsm8k": "accuracy"},
	}
	if len(errs) > 0 || !reflect.DeepEqual(o, want) {
		t.Errorf("%+v, %v; expected %+v", o, errs, want)
	}
	for wants, m := range map[string]map[string]any{
		"url: is missing":              {},
		"expected an address":          {"url": "127.0.0.1:8000"},
		"bearer_env to the name":       {"url": "http://me:secret@host/"},
		"environment variable that":    {"url": "http://host/", "headers": map[string]any{"authorization": "Bearer x"}},
		"cannot be sent":               {"url": "http://host/", "headers": map[string]any{"X-A": "1\r\nX-B: 2"}},
		`no option "urll" for http`:    {"urll": "http://host/"},
		"tries: expected a whole":      {"url": "http://host/", "tries": 0},
		"splits: validation is missin": {"url": "http://host/", "splits": []any{"test"}},
		"folder or adapter":            {"url": "http://host/", "form": "gguf"},
	} {
		_, errs := ParseOptions(m)
		if err := errors.Join(errs...); !errors.Is(err, evaluator.BadOptions) || !strings.Contains(err.Error(), wants) {
			t.Errorf("%v: %v, expected %q", m, err, wants)
		}
	}
	// Whoever only reads a study needs no token; whoever measures does.
	o, errs = ParseOptions(map[string]any{"url": "http://host/", "bearer_env": "NO_SUCH_TOKEN"})
	if len(errs) > 0 {
		t.Errorf("a token that is not set: %v, expected none where options are read", errs)
	}
	if _, err := New(o); !errors.Is(err, evaluator.BadOptions) || !strings.Contains(err.Error(), "NO_SUCH_TOKEN is not set") {
		t.Errorf("a token that is not set: %v", err)
	}
}

// However often it is tried, the log takes what it may.
func TestLogLimit(t *testing.T) {
	_, url := serve(t)
	c := behaving("never")(t)
	c.Key, c.Attempt, c.Split, c.Log = "digits/12", 1, evaluator.Validation, filepath.Join(t.TempDir(), "12.log")
	ev := mustNew(t, Options{URL: url, Wait: time.Nanosecond, Tries: 20, LogLimit: 500})
	if err := ev.Submit(t.Context(), []evaluator.Candidate{c}, func(evaluator.Event) error { return nil }); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(c.Log)
	if err != nil || len(b) > 700 || !strings.Contains(string(b), "the rest is left out") {
		t.Errorf("the log has %d bytes (%v), expected at most 500 and a word on the rest:\n%s", len(b), err, b)
	}
}
