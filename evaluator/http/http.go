// Package http measures candidates by asking a server: one POST a candidate, metrics as JSON in the answer.
//
// In come an address and the candidates; out come metrics, in the forms that a command may write, and
// progress where the server sends it ahead line by line. What may pass by itself (a server that is not up
// yet, or too busy) is tried again, later and later; what may not is an error at once. It knows nothing of
// studies; the options' names are those of study.yaml.
package http

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/option"
)

// Kinds of failure of a server, beside those that every evaluator shares.
const (
	Unreachable evaluator.Code = "unreachable" // no answer, however often it was tried
	Refused     evaluator.Code = "refused"     // an answer with a status other than 200
)

// Options say whom to ask and how. The zero value of each but URL is a good one.
type Options struct {
	URL       string
	Parallel  int               // candidates at once, 0: 1
	Timeout   time.Duration     // for one candidate with all tries, 0: none
	Tries     int               // requests at most, where one fails in a way that may pass; 0: 5
	Wait      time.Duration     // before the second try, doubled with each, up to a minute; 0: 1 s
	Headers   map[string]string // of the request
	BearerEnv string            // name of an environment variable that holds a token; "": none is sent
	NoModel   bool              // the merged model is not wanted; else its path is in the request
	Form      evaluator.Form    // of the model, "": a folder
	Splits    []evaluator.Split // that it can measure, empty: validation
	Metrics   map[string]string // where a task's figure is in the answer, where not under the task's name
}

// ParseOptions reads the options as study.yaml has them. Everything wrong is returned, each error naming
// its key.
//
//	url: http://127.0.0.1:8000/score
//	parallel: 4
//	timeout: 30m
//	tries: 5
//	wait: 1s
//	headers: {X-Project: digits}
//	bearer_env: JUDGE_TOKEN
//	model: false
//	form: adapter
//	splits: [validation, test]
//	metrics: {gsm8k: accuracy}
func ParseOptions(m map[string]any) (Options, []error) {
	var o Options
	errs := option.Read(m, "http", map[string]func(any) error{
		"url":        option.Into(&o.URL, option.Text),
		"parallel":   option.Into(&o.Parallel, option.AtLeastOne),
		"timeout":    option.Into(&o.Timeout, option.Duration),
		"tries":      option.Into(&o.Tries, option.AtLeastOne),
		"wait":       option.Into(&o.Wait, option.Duration),
		"headers":    option.Into(&o.Headers, option.Texts),
		"bearer_env": option.Into(&o.BearerEnv, option.Text),
		"model":      option.Not(&o.NoModel),
		"form":       option.Into(&o.Form, option.Form),
		"splits":     option.Into(&o.Splits, option.Splits),
		"metrics":    option.Into(&o.Metrics, option.Texts),
	})
	if len(errs) == 0 {
		errs = o.check()
	}
	return o, errs
}

// New checks the options and makes the evaluator. Here the token has to be there: who only reads a study
// needs none.
func New(o Options) (evaluator.Evaluator, error) {
	if err := errors.Join(o.check()...); err != nil {
		return nil, err
	}
	if o.BearerEnv != "" && os.Getenv(o.BearerEnv) == "" {
		return nil, evaluator.Errorf(evaluator.BadOptions, "bearer_env: the environment variable %s is not set", o.BearerEnv)
	}
	o.Tries = cmp.Or(o.Tries, 5)
	o.Wait = cmp.Or(o.Wait, time.Second)
	o.Form = cmp.Or(o.Form, evaluator.Folder)
	s := server{options: o, client: &http.Client{
		// A connection each: an evaluation takes minutes, a connection nothing, and none is left open.
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		// What follows a redirection is a GET, which is not what was meant.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	return evaluator.Blocking(evaluator.Limits{
		InFlight: o.Parallel, NeedsModel: !o.NoModel, Form: o.Form, Splits: o.Splits, Timeout: o.Timeout,
	}, s.measure), nil
}

func (o Options) check() []error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, evaluator.Errorf(evaluator.BadOptions, format, args...))
	}
	switch u, err := url.Parse(o.URL); {
	case o.URL == "":
		bad("url: is missing: expected an address such as http://127.0.0.1:8000/score")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		bad("url: expected an address such as http://127.0.0.1:8000/score, found %q", o.URL)
	case u.User != nil:
		bad("url: a password in study.yaml would be copied with it: set bearer_env to the name of an environment variable that holds a token")
	}
	for name := range o.Headers {
		if strings.EqualFold(name, "Authorization") {
			bad("headers: a token in study.yaml would be copied with it: set bearer_env to the name of an environment variable that holds it")
		}
		if name == "" || strings.ContainsAny(name+o.Headers[name], "\r\n\x00") || strings.ContainsAny(name, " :") {
			bad("headers: %q cannot be sent", name)
		}
	}
	if o.Parallel < 0 || o.Timeout < 0 || o.Tries < 0 || o.Wait < 0 {
		bad("parallel, timeout, tries and wait: expected none below 0")
	}
	return append(errs, option.CheckOffer(o.Form, o.Splits)...)
}

// question is the body of a request.
type question struct {
	ID           string          `json:"id,omitempty"`
	Key          string          `json:"key"`
	Attempt      int             `json:"attempt"`
	Tasks        []string        `json:"tasks"`
	Split        evaluator.Split `json:"split"`
	Coefficients json.RawMessage `json:"coefficients"`
	Model        string          `json:"model,omitempty"`
}

// server is the one that is asked.
type server struct {
	options Options
	client  *http.Client
}

func (s server) measure(ctx context.Context, c evaluator.Candidate, progress func(evaluator.Progress)) (evaluator.Metrics, error) {
	coefficients, err := evaluator.CoefficientsJSON(c.At)
	if err != nil {
		return nil, err
	}
	q := question{ID: c.ID, Key: c.Key, Attempt: c.Attempt, Tasks: c.Tasks, Split: c.Split, Coefficients: coefficients}
	if !s.options.NoModel {
		lease, err := c.Model(ctx, s.options.Form)
		if err != nil {
			return nil, err
		}
		defer lease.Release()
		if q.Model, err = filepath.Abs(lease.Path); err != nil {
			return nil, err
		}
	}
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	log, done, err := openLog(c.Log)
	if err != nil {
		return nil, err
	}
	defer done()
	wait := s.options.Wait
	for try := 1; ; try++ {
		a, err := s.ask(ctx, c, body, progress)
		_, _ = fmt.Fprintf(log, "--- %s: try %d of %s at %s: %s\n", time.Now().Format(time.DateTime), try, c.Key, s.options.URL, a.told(err))
		switch {
		case err == nil && a.status == http.StatusOK:
			return a.metrics(s.options, c)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, evaluator.BadMetrics):
			return nil, err
		case err == nil && !a.mayPass():
			return nil, evaluator.Errorf(Refused, "%s answered candidate %s with %s", s.options.URL, c.Key, a.told(nil))
		case try == s.options.Tries:
			return nil, evaluator.Errorf(Unreachable, "%s did not answer candidate %s in %d tries; the last: %s; is the server up?", s.options.URL, c.Key, try, a.told(err))
		}
		if err := sleep(ctx, max(wait, a.after)); err != nil {
			return nil, err
		}
		wait = min(2*wait, time.Minute)
	}
}

func openLog(path string) (io.Writer, func(), error) {
	if path == "" {
		return io.Discard, func() {}, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, nil, evaluator.Errorf(evaluator.Internal, "the log cannot be written: %w", err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, nil, evaluator.Errorf(evaluator.Internal, "the log cannot be written: %w", err)
	}
	return f, func() { _ = f.Close() }, nil // a log is not worth an evaluation
}

// sleep waits, or returns ctx's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retried are the statuses that say: later.
var retried = []int{
	http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
	http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
}

func (a answer) mayPass() bool { return slices.Contains(retried, a.status) }
