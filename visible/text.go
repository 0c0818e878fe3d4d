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

// Log is [Text] of a program's output: colours go, and of a line that was drawn over itself what stayed.
func Log(s string) string {
	lines := strings.Split(styling.ReplaceAllString(s, ""), "\n")
	for i, l := range lines {
		lines[i] = stayed(l)
	}
	return Text(strings.Join(lines, "\n"))
}

// stayed is what of a line is to be seen that was drawn over itself: what follows the last carriage return that anything
// follows.
func stayed(line string) string {
	line = strings.TrimRight(line, "\r")
	return line[strings.LastIndexByte(line, '\r')+1:]
}

// escapes are the sequences that move a terminal's cursor, colour its text, or write its title.
var escapes = regexp.MustCompile(`\x1b(\[[0-?]*[\x20-\x2f]*[\x40-\x7e]|\][^\x07\x1b]*(\x07|\x1b\\)|[A-Z\\^_@])`)

// Uncoloured is s without the sequences that move a terminal's cursor, colour its text or write its title.
func Uncoloured(s string) string { return escapes.ReplaceAllString(s, "") }

// Plain is what s says: [Uncoloured], and without the characters that [Acts]. Bytes that are no UTF-8 become U+FFFD.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if Acts(r) {
			return -1
		}
		return r
	}, Uncoloured(strings.ToValidUTF8(s, string(utf8.RuneError))))
}

// Lines are the lines of a program's output as they stand on a terminal, [Plain]: of one that was drawn over itself, as
// progress bars are, what stayed, without blanks at its end.
func Lines(s string) []string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(Plain(stayed(l)), " \t")
	}
	return lines
}
