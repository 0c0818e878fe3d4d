package visible

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Acts says whether r does something where text is shown instead of being seen: control characters (C0 but for
// line feed and tab, DEL, C1), the bidirectional embeddings, overrides and isolates (UAX #9: U+202A–E, U+2066–9;
// see Boucher and Anderson 2023, "Trojan Source"), and the line and paragraph separators.
func Acts(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ', r >= 0x7f && r <= 0x9f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x2028, r == 0x2029:
		return true
	}
	return false
}

// Text returns s with every character that [Acts] written as \uXXXX, and bytes that are no UTF-8 as U+FFFD. Lines
// and tabs stay. Text of Text is the same. O(len(s)), without a copy where nothing acts.
func Text(s string) string { return escape(s, Acts) }

// Line is [Text] for places of one line: line feeds and tabs are written as what they are, too.
func Line(s string) string {
	return escape(s, func(r rune) bool { return Acts(r) || r == '\n' || r == '\t' })
}

func escape(s string, acts func(rune) bool) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	if !strings.ContainsFunc(s, acts) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if acts(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// styling is a sequence that colours text and does nothing else (ECMA-48 SGR).
var styling = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

// Log is [Text] of a program's output: colours go, and what a progress bar writes over itself stands line by line.
func Log(s string) string {
	s = strings.ReplaceAll(styling.ReplaceAllString(s, ""), "\r\n", "\n")
	return Text(strings.ReplaceAll(s, "\r", "\n"))
}
