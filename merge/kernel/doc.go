// Package kernel is the arithmetic of merging: conversions between the floating-point formats of model
// files, weighted sums of task vectors, and the reductions and random masks that methods need.
//
// In come runs of elements as they lie in a file, a chunk of a tensor at a time; out go elements of the
// same kind, and whether all of them are finite. The sums are those of the documentation of merge: every product
// and every sum rounded to float32, no fused multiply-add, one rounding to the format of the output, to
// nearest, ties to even. A result is the same bits on every machine, whatever the length of the chunks.
//
// generic.go is the reference, in plain Go, and always compiled; on amd64 with AVX2 and F16C assembly
// takes its place at run time (written by _asm, `go generate` renews it). Build with the tag purego to
// leave it out. The package knows nothing of files, tensors, methods or goroutines.
package kernel

//go:generate go -C _asm run . -out ../kernel_amd64.s -stubs ../stubs_amd64.go -pkg kernel
