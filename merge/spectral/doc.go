// Package spectral changes the task vectors of a matrix by their singular vectors: TSV-M, Iso-C, Iso-CTS and KnOTS.
//
// In comes a [Stack]: the task vectors δᵢ of one matrix, which is read a run of rows at a time, several times, and never
// kept. Out go runs of rows of what becomes of them. A matrix of rows × columns takes memory for some columns × columns and
// no more, in float64, where the columns are the fewer: singular vectors on that side are the eigenvectors of δᵀδ, and those
// on the other, u = δv/σ, are made again for every run of rows. Singular values below [Least] of the largest are noise of
// that arithmetic and count as none.
//
// Vectors of several tasks are made orthogonal together by the polar factor of the matrix U that they are the columns of
// (Schönemann, 1966: the nearest matrix with orthonormal columns), U·(UᵀU)^(−½); where they depend on one another the
// pseudo-inverse stands for the inverse, so that what two tasks have in common is shared between them.
//
// The package knows numbers only: no files, no models, no formats.
package spectral
