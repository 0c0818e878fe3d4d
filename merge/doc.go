// Package merge combines fine-tuned models into one checkpoint.
//
// In comes a Spec (base, models, method, groups: what to merge) and the values of its knobs (how much
// of each). NewPlan reads headers only and says everything that is wrong at once; Plan.Write streams
// the tensors and writes any number of outputs in one pass; Plan.Export writes one, checks it, and
// leaves a receipt that Verify can hold it to. A Recipe is a merge as a file.
//
// A method is one file: it implements Method and registers itself, and never sees files, dtypes or
// goroutines. The package knows nothing of studies, metrics or screens, and any Go program may use it.
package merge
