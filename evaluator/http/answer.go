package http

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"parfait/evaluator"
	"parfait/evaluator/internal/report"
)

// answer is what came back.
type answer struct {
	status int
	after  time.Duration // Retry-After
	model  string        // the folder whose files were measured, where it says so
	body   []byte        // without lines of progress
}

// modelHeader of an answer is the folder whose files were measured.
const modelHeader = "Parfait-Model"

// maxAnswer is the most bytes that are read.
const maxAnswer = 64 << 20

// ask sends one request and reads the answer; lines of progress are passed on as they come.
func (s server) ask(ctx context.Context, c evaluator.Candidate, body []byte, progress func(evaluator.Progress)) (a answer, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.options.URL, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	for name, value := range s.options.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.ID != "" {
		req.Header.Set("Idempotency-Key", c.ID) // the same in every try, and after an interruption
	}
	if s.options.BearerEnv != "" {
		req.Header.Set("Authorization", "Bearer "+os.Getenv(s.options.BearerEnv))
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	a.status, a.after, a.model = resp.StatusCode, retryAfter(resp.Header.Get("Retry-After"), time.Now()), resp.Header.Get(modelHeader)
	r := bufio.NewReader(io.LimitReader(resp.Body, maxAnswer+1))
	for read := 0; ; {
		line, err := r.ReadBytes('\n')
		if read += len(line); read > maxAnswer {
			return a, evaluator.Errorf(evaluator.BadMetrics, "the answer of %s has more than %d bytes", s.options.URL, maxAnswer)
		}
		if p, ok := report.ParseProgress(line); ok {
			progress(p)
		} else {
			a.body = append(a.body, line...)
		}
		if errors.Is(err, io.EOF) {
			return a, nil
		}
		if err != nil {
			return a, err
		}
	}
}

// retryAfter reads the header of that name (RFC 9110, 10.2.3): seconds, or a date. It is believed up to ten
// minutes.
func retryAfter(value string, now time.Time) time.Duration {
	d := time.Duration(0)
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		d = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(value); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), 10*time.Minute)
}

// told says in a line what came back.
func (a answer) told(err error) string {
	if err != nil {
		return report.Printable(err.Error())
	}
	text := fmt.Sprintf("status %d (%s)", a.status, http.StatusText(a.status))
	if a.status != http.StatusOK {
		text += ": " + report.Snippet(a.body)
	}
	return text
}

func (a answer) metrics(o Options, c evaluator.Candidate) (evaluator.Metrics, error) {
	if len(bytes.TrimSpace(a.body)) == 0 {
		return nil, evaluator.Errorf(evaluator.NoMetrics, "%s answered with status 200 and an empty body: expected a JSON object such as {\"task\": 0.81}", o.URL)
	}
	var asWorker struct { // its answer, with the report inside
		Key     string
		Metrics json.RawMessage
		Error   string
	}
	if json.Unmarshal(a.body, &asWorker) == nil && asWorker.Key == c.Key {
		if asWorker.Error != "" {
			return nil, evaluator.Errorf(Refused, "%s says: %s", o.URL, report.Snippet([]byte(asWorker.Error)))
		}
		if bytes.HasPrefix(asWorker.Metrics, []byte("{")) {
			a.body = asWorker.Metrics
		}
	}
	m, err := report.Read(a.body, report.Source{Where: o.Metrics, Optional: c.Timed}, c.Tasks)
	if err != nil {
		return nil, fmt.Errorf("the answer of %s: %w", o.URL, err)
	}
	return m, nil
}
