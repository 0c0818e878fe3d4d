// Package tui is the explorer: the terminal program in which a person stands on a front and decides.
//
// In come a Source (a study, or something that behaves like one) and key presses; out come frames of
// cells and short commands to the study. What the person does is explore's State and moves; what a key
// does is data (action in keymap.go), from which dispatch, help, the bottom bar, the palette and docs/keys.md
// come; a screen under a tab is a value that declares all of it (view.go); where things are drawn is the pure
// function in layout.go; panes are plain structs that draw their props on a canvas. Update and View do no I/O and
// no fitting: that is background work (work.go), which turns panics into errors.
//
// Nothing about a session (theme, glyphs, size) is kept in package variables: many sessions share a
// process. The package must not know of SQL, flags, SSH or how anything is evaluated or merged.
package tui
