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
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/option"
	"parfait/evaluator/internal/question"
)

// Kinds of failure of a server, beside those that every evaluator shares.
const (
	Unreachable evaluator.Code = "unreachable" // no answer, however often it was tried
	Refused     evaluator.Code = "refused"     // an answer with a status other than 200, or with an error
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
	MaxRank   int               // of an adapter's modules, 0: whatever they have
	Splits    []evaluator.Split // that it can measure, empty: validation
	Metrics   map[string]string // where a task's figure is in the answer, where not under the task's name
	LogLimit  int64             // bytes that are kept in a candidate's log, 0: evaluator.MaxLog
}

// ParseOptions reads the options as study.yaml has them. Everything wrong is returned, each error naming
// its key. Documented says which there are.
func ParseOptions(m map[string]any) (Options, []error) {
	var o Options
	errs := o.set().Read("http", m)
	return o, errs
}

// Documented are the options that ParseOptions knows.
func Documented() []evaluator.Option { return new(Options).set().Documented() }

// set are the options, to be read into o.
func (o *Options) set() option.Set {
	return option.Set{
		option.New("url", "where to POST", "needed", option.Into(&o.URL, option.Text)).Checked(o.checkURL),
		option.Parallel(&o.Parallel, "1"),
		option.Timeout(&o.Timeout, "for one candidate with all tries, once its model is there"),
		option.New("tries", "requests at most", "5", option.Into(&o.Tries, option.AtLeastOne)).Checked(option.NotNegative(&o.Tries)),
		option.New("wait", "before the second try, doubled with each up to a minute", "`1s`", option.Into(&o.Wait, option.Duration)).Checked(option.NotNegative(&o.Wait)),
		option.New("headers", "of the request", "none", option.Into(&o.Headers, option.Texts)).Checked(o.checkHeaders),
		option.New("bearer_env", "the environment variable with a token: no secret in study.yaml", "none", option.Into(&o.BearerEnv, option.Text)),
		option.NoModel(&o.NoModel),
		option.Form(&o.Form),
		option.MaxRank(&o.MaxRank, &o.Form),
		option.Splits(&o.Splits, "validation"),
		option.Metrics(&o.Metrics),
	}
}

// New checks the options and makes the evaluator. Here the token has to be there: who only reads a study
// needs none.
func New(o Options) (evaluator.Evaluator, error) {
	if err := errors.Join(o.set().Check()...); err != nil {
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
		InFlight: o.Parallel, NeedsModel: !o.NoModel, Form: o.Form, MaxRank: o.MaxRank, Elsewhere: true, Splits: o.Splits, Timeout: o.Timeout,
	}, s.measure), nil
}

func (o *Options) checkURL() []error {
	var err error
	switch u, e := url.Parse(o.URL); {
	case o.URL == "":
		err = errors.New("is missing: expected an address such as http://127.0.0.1:8000/score")
	case e != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		err = fmt.Errorf("expected an address such as http://127.0.0.1:8000/score, found %q", o.URL)
	case u.User != nil:
		err = errors.New("a password in study.yaml would be copied with it: set bearer_env to the name of an environment variable that holds a token")
	default:
		return nil
	}
	return []error{err}
}

func (o *Options) checkHeaders() (errs []error) {
	for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
		if strings.EqualFold(name, "Authorization") {
			errs = append(errs, errors.New("a token in study.yaml would be copied with it: set bearer_env to the name of an environment variable that holds it"))
		}
		if name == "" || strings.ContainsAny(name+o.Headers[name], "\r\n\x00") || strings.ContainsAny(name, " :") {
			errs = append(errs, fmt.Errorf("%q cannot be sent", name))
		}
	}
	return errs
}

// server is the one that is asked.
type server struct {
	options Options
	client  *http.Client
}

func (s server) measure(ctx context.Context, c evaluator.Candidate, progress func(evaluator.Progress)) (evaluator.Metrics, error) {
	form := s.options.Form
	if s.options.NoModel {
		form = ""
	}
	q, release, err := question.Of(ctx, c, form)
	if err != nil {
		return nil, err
	}
	defer release()
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	log, err := evaluator.OpenLog(c.Log, s.options.LogLimit)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	wait := s.options.Wait
	for try := 1; ; try++ {
		asked := time.Now()
		a, err := s.ask(ctx, c, body, progress)
		took := time.Since(asked)
		_, _ = fmt.Fprintf(log, "--- %s: try %d of %s at %s: %s\n", time.Now().Format(time.DateTime), try, c.Key, s.options.URL, a.told(err))
		switch {
		case err == nil && a.status == http.StatusOK:
			m, err := a.metrics(s.options, c)
			if err == nil {
				q.Looked(c, a.model)
			}
			return c.Time(m, took), err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, evaluator.BadMetrics):
			return nil, err
		case troubled(err):
			return nil, fmt.Errorf("%s could not be asked: %w", s.options.URL, err)
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

// troubled says whether this machine could not ask: to ask again is then not the server's to suffer.
func troubled(err error) bool {
	_, ok := evaluator.TroubleOf(err)
	return ok
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
