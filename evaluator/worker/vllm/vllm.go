// Package vllm is a worker in Python, one file, that keeps a vLLM server loaded: Source is it, as `parfait worker vllm`
// prints it.
//
// It speaks what package worker asks, has the server load each candidate, makes sure that it is that candidate which
// answers, and measures it with lm-eval or with what its user writes. The file knows nothing of this program but the
// protocol.
package vllm

import _ "embed" // the file

// Source is worker.py.
//
//go:embed worker.py
var Source []byte
