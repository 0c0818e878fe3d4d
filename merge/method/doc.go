// Package method is the ways of merging: what a method is, and those that the program knows.
//
// A Method sees decoded numbers, a part of a tensor at a time, and fills one Tile for each output; it
// never sees files, dtypes or goroutines. Start with [Method], which says what has to be written, with
// [Register], which makes it known to merge (from any Go program: call it in an init function), and with
// [All] and [Describe], which say what is known. A method whose outputs are weighted sums of its
// operands is a [Weighted] and runs on the kernel; one that needs statistics first gathers them in a
// [Reducer].
//
// Numbers are float32, or float64 for tensors that are F64 in every input. Every product and every sum is
// rounded and none is fused, so that a merge is the same bytes on every machine: [Axpy], [Add], [Sub] and
// [Dot] are the steps, on the kernel where there is one.
//
// Where things are:
//
//   - method, info, registry: what a method says and does; chunk, setting: what it is given
//   - linear, task_arithmetic, ties, dare, della, breadcrumbs, sce, nearswap, slerp, nuslerp, multislerp,
//     karcher, ram, fusion, consensus, localize, model_stock, fisher, passthrough: a method each, or a family
//   - sparse, rescale, bands, ranks, window, gathered, random, rowranks: what those that drop entries share
//   - gram, columns: what those share whose weights come from inner products
//   - arith, chunksums, trig: arithmetic
//
// The package knows nothing of files, specs or recipes.
package method
