// Package merge combines fine-tuned models into one checkpoint.
//
// In comes a Spec (base, models, method, groups: what to merge) and the values of its knobs (how much
// of each). NewPlan reads headers only and says everything that is wrong at once; Plan.Write streams
// the tensors and writes any number of outputs in one pass; Plan.Export writes one, checks it, and
// leaves a receipt that Verify can hold it to. A Recipe is a merge as a file.
//
// A method is one file: it implements Method and registers itself, and never sees files, dtypes or
// goroutines (docs/methods.md says how to add one). The package knows nothing of studies, metrics or
// screens, and any Go program may use it.
//
// Where things are, in the order of a merge:
//
//   - spec, knob, resolve: what is asked for, checked before a file is opened; recipe: the same as a
//     file; mergekit_…: and as mergekit's
//   - input, hub, adapter, match, folders, families: files are opened, and their headers compared
//   - plan, execute, scan: tensors cut into chunks that workers claim; load decodes them, fuse does
//     without where the outputs are weighted sums, tile calls the method, masks and variance come after
//   - method, then a file for each: linear, ties, …; sparse, bands, ranks, window, random, rowranks:
//     what those that drop entries share; gram: what those that measure angles share
//   - output, staging, disk, write: files that appear whole or not at all
//   - digest, hashing, export, receipt, verify: what makes an export trustworthy
//   - inspect, summary: what can be said without merging
package merge
