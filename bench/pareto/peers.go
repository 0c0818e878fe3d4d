package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

//go:embed peers.py
var script []byte

// The peers and their versions, pinned so that tables can be compared over time.
var requirements = []string{"moocore==0.3.2", "pymoo==0.6.2"}

// peers is a Python process that measures moocore and pymoo on the files it is told.
type peers struct {
	Versions map[string]string
	dir      string
	in       io.WriteCloser
	out      *bufio.Scanner
	cmd      *exec.Cmd
}

// startPeers makes a virtual environment in the user's cache folder, once, and starts the peers in it.
func startPeers(ctx context.Context, log io.Writer) (*peers, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	env := filepath.Join(cache, "parfait", "bench-peers-1")
	python := filepath.Join(env, "bin", "python")
	ready := filepath.Join(env, "ready")
	if _, err := os.Stat(ready); err != nil {
		_, _ = fmt.Fprintf(log, "making a virtual environment with %v in %s\n", requirements, env)
		for _, args := range [][]string{
			{"python3", "-m", "venv", "--clear", env},
			append([]string{python, "-m", "pip", "install", "--quiet"}, requirements...),
		} {
			cmd := exec.CommandContext(ctx, args[0], args[1:]...)
			cmd.Stdout, cmd.Stderr = log, log
			if err := cmd.Run(); err != nil {
				return nil, fmt.Errorf("%v: %w", args, err)
			}
		}
		if err := os.WriteFile(ready, nil, 0o600); err != nil {
			return nil, err
		}
	}
	p := &peers{}
	if p.dir, err = os.MkdirTemp("", "parfait-bench-"); err != nil {
		return nil, err
	}
	file := filepath.Join(p.dir, "peers.py")
	if err := os.WriteFile(file, script, 0o600); err != nil {
		return nil, err
	}
	p.cmd = exec.CommandContext(ctx, python, file)
	p.cmd.Stderr = log
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	return p, p.read(&p.Versions)
}

func (p *peers) read(v any) error {
	if !p.out.Scan() {
		return errors.Join(errors.New("the peers ended"), p.out.Err())
	}
	return json.Unmarshal(p.out.Bytes(), v)
}

// answer is what a peer measured.
type answer struct {
	Seconds float64 `json:"seconds"`
	Value   float64 `json:"value"`
}

func (p *peers) ask(q map[string]any) (answer, error) {
	b, err := json.Marshal(q)
	if err != nil {
		return answer{}, err
	}
	if _, err := p.in.Write(append(b, '\n')); err != nil {
		return answer{}, err
	}
	var a answer
	return a, p.read(&a)
}

// file stores rows where the peers can read them.
func (p *peers) file(name string, rows [][]float64) (string, error) {
	var b []byte
	for _, r := range rows {
		for _, v := range r {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	path := filepath.Join(p.dir, name)
	return path, os.WriteFile(path, b, 0o600)
}

func (p *peers) close() error {
	err := errors.Join(p.in.Close(), p.cmd.Wait())
	return errors.Join(err, os.RemoveAll(p.dir))
}

// machine names what the figures were measured on.
func machine() string {
	return fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
}
