package cli

import (
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
)

// sheet is a table for people: aligned, no lines, the header dim. Columns whose title starts with ">" are
// aligned to the right.
type sheet struct {
	titles []string
	rows   [][]string
	marked map[int]bool // rows in bold
}

func newSheet(titles ...string) *sheet { return &sheet{titles: titles, marked: map[int]bool{}} }

func (s *sheet) add(cells ...string) { s.rows = append(s.rows, cells) }

// mark makes the last row bold.
func (s *sheet) mark() { s.marked[len(s.rows)-1] = true }

func (s *sheet) String() string {
	titles, right := make([]string, len(s.titles)), make([]bool, len(s.titles))
	for i, t := range s.titles {
		titles[i], right[i] = strings.TrimPrefix(t, ">"), strings.HasPrefix(t, ">")
	}
	text := table.New().Headers(titles...).Rows(s.rows...).Wrap(false).
		Border(lipgloss.HiddenBorder()).BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderHeader(false).BorderColumn(false).
		StyleFunc(func(row, col int) lipgloss.Style {
			style := lipgloss.NewStyle().PaddingRight(2)
			if col < len(right) && right[col] {
				style = style.Align(lipgloss.Right)
			}
			switch {
			case row == table.HeaderRow:
				style = style.Faint(true)
			case s.marked[row]:
				style = style.Bold(true)
			}
			return style
		}).String()
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n "), "\n") {
		b.WriteString("  " + strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
