// Package visible makes anybody's text safe to show: on a terminal, in a page, in a file that people read.
//
// Names of folders and tensors, units, reasons, logs and errors come from elsewhere, and what a terminal reads in
// them may move its cursor, write its title or its clipboard, or turn the order of letters round. Such characters
// are written as what they are, \u001b: nothing is hidden, nothing acts, and a string of JSON stays the same
// string. In comes text, out goes text; the package knows nothing of who shows it.
//
// Start with [Text] and [Line]; [NewWriter] stands before a terminal.
package visible
