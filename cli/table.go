package cli

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"

	"parfait/visible"
)

// column is one column of a sheet.
type column struct {
	title string
	right bool
	// spare columns are left out where the terminal is too narrow, the most spare ones first. Their title
	// says what is missing then.
	spare int
}

func left(title string) column  { return column{title: title} }
func right(title string) column { return column{title: title, right: true} }

func (c column) spared(n int) column {
	c.spare = n
	return c
}

// sheet is a table for people: aligned, without lines, the header dim.
type sheet struct {
	columns []column
	rows    [][]string
	marked  map[int]bool // rows in bold
	width   int          // 0: as wide as it gets
}

// sheet makes a table that fits the terminal, where there is one.
func (a *app) sheet(columns ...column) *sheet {
	for i := range columns {
		columns[i].title = visible.Line(columns[i].title)
	}
	s := &sheet{columns: columns, marked: map[int]bool{}}
	if a.outTTY {
		if w, _, err := term.GetSize(a.files[0].Fd()); err == nil {
			s.width = w
		}
	}
	return s
}

// add adds a row. Cells are of one line, whoever wrote them.
func (s *sheet) add(cells ...string) {
	for i := range cells {
		cells[i] = visible.Line(cells[i])
	}
	s.rows = append(s.rows, cells)
}

// mark makes the last row bold.
func (s *sheet) mark() { s.marked[len(s.rows)-1] = true }

// page is how wide text beside the table may be.
func (s *sheet) page() int {
	if s.width > 0 {
		return min(s.width, 80)
	}
	return 80
}

const gap = 2 // between columns, and before the first

// widths of the columns with their gap.
func (s *sheet) widths() []int {
	out := make([]int, len(s.columns))
	for i, c := range s.columns {
		out[i] = ansi.StringWidth(c.title)
		for _, r := range s.rows {
			if i < len(r) {
				out[i] = max(out[i], ansi.StringWidth(r[i]))
			}
		}
		out[i] += gap
	}
	return out
}

// fitting are the columns that the width has room for, and whether any had to go.
func (s *sheet) fitting() (keep []int, narrow bool) {
	widths := s.widths()
	total, most := gap, 0
	for i, c := range s.columns {
		keep = append(keep, i)
		total += widths[i]
		most = max(most, c.spare)
	}
	for ; s.width > 0 && total > s.width+gap && most > 0; most-- {
		var next []int
		for _, i := range keep {
			if s.columns[i].spare == most {
				total -= widths[i]
				narrow = true
			} else {
				next = append(next, i)
			}
		}
		keep = next
	}
	return keep, narrow
}

func (s *sheet) String() string {
	keep, narrow := s.fitting()
	titles := make([]string, len(keep))
	rows := make([][]string, len(s.rows))
	for k, i := range keep {
		titles[k] = s.columns[i].title
		for r, cells := range s.rows {
			cell := ""
			if i < len(cells) {
				cell = cells[i]
			}
			rows[r] = append(rows[r], cell)
		}
	}
	text := table.New().Headers(titles...).Rows(rows...).Wrap(false).
		Border(lipgloss.HiddenBorder()).BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderHeader(false).BorderColumn(false).
		StyleFunc(func(row, col int) lipgloss.Style {
			style := lipgloss.NewStyle().PaddingRight(gap)
			if col < len(keep) && s.columns[keep[col]].right {
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
		b.WriteString(strings.Repeat(" ", gap) + strings.TrimRight(line, " ") + "\n")
	}
	if narrow {
		fmt.Fprintf(&b, "  (%d of %d columns fit; a wider terminal or --json has them all)\n", len(keep), len(s.columns))
	}
	return visible.Styled(b.String())
}
