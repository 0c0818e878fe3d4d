// Package problems holds test problems that know their fronts.
package problems
