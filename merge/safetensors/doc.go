// Package safetensors reads and writes model files in the safetensors format.
//
// In come a file, a folder with one model.safetensors or with shards and their index; out go checked
// descriptions of tensors (name, dtype, shape, place in the file) and positioned reads of their bytes.
// Nothing is mapped into memory and no tensor is read before it is asked for. The other way round, a
// Layout says which bytes a file begins with and where each tensor goes, in the order and alignment of
// the reference library, so that files are equal to its own byte for byte.
//
// To read, begin with [OpenModel] (a file or a folder, sharded or not) or [Open] (one file) and
// [File.Bytes] or [File.Float32s] of a tensor; to write, with [NewLayout] and [Layout.Write].
//
// A file is not trusted: every rule of the format is checked before the first tensor can be reached, no
// input panics, and memory stays within a small multiple of the header. The package is a leaf: it knows
// nothing of merging and imports nothing of this project.
//
// Format: https://github.com/huggingface/safetensors#format
package safetensors
