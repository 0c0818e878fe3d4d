// Package python is a worker in Python, one file, that merges in memory: Source is it, as `parfait worker python` prints it.
//
// It speaks what package worker asks, and merges by the recipe in the question, in the arithmetic of package merge. The
// file knows nothing of this program but the protocol and docs/methods.md.
package python

import _ "embed" // the file

// Source is worker.py.
//
//go:embed worker.py
var Source []byte
