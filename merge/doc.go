// Package merge combines fine-tuned models into one checkpoint.
//
// In comes a [Spec] (base, models, method, groups: what to merge) and a value for each of its
// [Coefficients] (how much of each). Start with
//
//   - [NewPlan], which reads headers only and says everything that is wrong at once,
//   - [Plan.Export], which writes one merge, checks it and leaves a receipt ([Plan.Stage] where more is to be
//     in the folder before it appears), or [Plan.Write] for any number of them in one pass over the inputs,
//   - [Verify], which holds what was exported to its receipt, and [Inspect], which says how models lie
//     relative to one another.
//
// A [Recipe] is a merge as a file: [ReadRecipe] and [Plan.Recipe]. Package mergekit turns recipes into
// mergekit's configurations and back, package method has the ways of merging, to which any Go program may
// add, and package codes the kinds of problems. What cannot be done is a [Problem], or a problem.List with
// all of them. The package knows nothing of studies, metrics or screens.
//
// Where things are, in the order of a merge:
//
//   - spec, coefficient, resolve: what is asked for, checked before a file is opened; recipe: the same as a
//     file; relocate: models that have moved
//   - input, hubcache, config, quantised, adapter: files are opened, and what they are
//   - match, tied, carried, meaning, fold: inputs are compared, and what is wrong with many tensors is said once
//   - plan, execute, scan: tensors cut into chunks that workers claim; load decodes them, fuse does without
//     where the outputs are weighted sums, tile calls the method, masks and variance come after; lora and
//     adapter_form: adapters in and out
//   - sidecar, output, write: configuration and tokenizer, and files that appear whole or not at all
//   - digest, hashing, sha256, fingerprint, export, receipt, verify: what makes an export trustworthy
//   - prepare: task vectors that are changed by their singular vectors before they are summed, by package spectral
//   - inspect, summary: what can be said without merging
package merge
