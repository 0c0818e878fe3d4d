// Package problem is what every package says a mistake with: what is wrong, where, what was expected, what to do,
// and a code for programs.
//
// A package that finds a mistake returns a [Problem], or a [List] of all that it found at once; [Unknown] is the one
// for a word that nobody knows. In come facts, out come errors. Nothing is printed here: the command line and the
// explorer lay a mistake out with [Text] or [Split], and exit codes are made of codes. It is a leaf and knows nobody.
package problem
