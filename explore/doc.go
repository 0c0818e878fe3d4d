// Package explore is what a person does with a study, without a terminal: where they stand, what they
// prefer, and what they see there.
//
// In come an immutable study.Analysis and moves; out come a new State and readouts, all plain data. The
// keys of the explorer, the flags of the command line and SSH sessions all go through [Apply], [Choose]
// and [Read], so that they cannot disagree. Everything in here is a pure function: no clock, no files, no
// fitting, nothing random, and no argument is changed.
//
// The package must not know of terminals, flags, colours or databases.
package explore
