package chart

import "strings"

// Wrap breaks text into lines of at most w cells, between words where it can and within words longer than a
// line. Newlines in the text are kept, other white space between words becomes one space.
func Wrap(text string, w int) []string {
	if w <= 0 {
		return nil
	}
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		var line strings.Builder
		used := 0
		flush := func() {
			lines = append(lines, line.String())
			line.Reset()
			used = 0
		}
		for _, word := range strings.Fields(paragraph) {
			word = Clean(word)
			if n := Width(word); used > 0 && used+1+n > w {
				flush()
			} else if used > 0 {
				line.WriteByte(' ')
				used++
			}
			eachCluster(word, func(g string, n int) bool {
				if used+n > w && used > 0 {
					flush()
				}
				if n <= w {
					line.WriteString(g)
					used += n
				}
				return true
			})
		}
		flush()
	}
	return lines
}
