// Package study holds everything about one question: what was asked (study.yaml), what was measured
// (SQLite), what that says (surrogates, fronts), and what was chosen (picks, exports). One folder.
//
// A runner runs, viewers look: the process that evaluates owns the run lock; everybody else reads
// immutable Snapshots and writes short Commands that the runner obeys.
package study
