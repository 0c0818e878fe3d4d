package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"parfait/search"
)

//go:embed peers.py
var script string

// peerNames are strategies of other programs: Optuna's TPE and Gaussian processes, and pymoo's NSGA-II.
var peerNames = []string{"optuna-tpe", "optuna-gp", "pymoo-nsga2"}

// peers is a Python process that answers for them.
type peers struct {
	mu  sync.Mutex
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startPeers(ctx context.Context, python string) (*peers, error) {
	p := &peers{cmd: exec.CommandContext(ctx, python, "-c", script)}
	p.cmd.Stderr = os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	return p, p.cmd.Start()
}

func (p *peers) close() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }

// peer is one of them as a strategy.
type peer struct {
	*peers
	name string
}

// Ask implements search.Strategy.
func (p peer) Ask(_ context.Context, q search.Question) (search.Proposal, error) {
	done := [][2][]float64{}
	for _, point := range q.Done {
		var y []float64
		for k, m := range point.Y {
			if q.Tasks[k].Maximize {
				m.Value = -m.Value
			}
			y = append(y, m.Value)
		}
		done = append(done, [2][]float64{point.X, y})
	}
	var hi []float64
	for _, c := range q.Space.Coefficients {
		hi = append(hi, c.Hi)
	}
	b, err := json.Marshal(map[string]any{
		"of": p.name, "hi": hi, "goals": len(q.Tasks), "done": done, "pending": append([][]float64{}, q.Pending...), "n": q.N, "seed": q.Seed,
	})
	if err != nil {
		return search.Proposal{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.in.Write(append(b, '\n')); err != nil {
		return search.Proposal{}, err
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return search.Proposal{}, fmt.Errorf("the peers ended: %w", err)
	}
	var answer struct {
		Xs    [][]float64 `json:"xs"`
		Error string      `json:"error"`
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		return search.Proposal{}, err
	}
	if answer.Error != "" {
		return search.Proposal{}, errors.New(answer.Error)
	}
	if len(answer.Xs) == 0 {
		return search.Proposal{Wait: "for what is pending"}, nil
	}
	var out search.Proposal
	for _, x := range answer.Xs {
		out.Points = append(out.Points, search.Proposed{X: x, Why: p.name})
	}
	return out, nil
}
