package report

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"parfait/evaluator"
	"parfait/visible"
)

// progressWord begins a line that tells of progress: PARFAIT_PROGRESS 3/10 a note.
const progressWord = "PARFAIT_PROGRESS "

// ParseProgress reads a line of progress: "PARFAIT_PROGRESS 3/10 a note", or JSON of the form
// {"progress": {"done": 3, "total": 10, "note": "a note"}}.
func ParseProgress(line []byte) (evaluator.Progress, bool) {
	var p evaluator.Progress
	line = bytes.TrimSpace(line)
	if rest, ok := bytes.CutPrefix(line, []byte(progressWord)); ok {
		count, note, _ := strings.Cut(strings.TrimSpace(string(rest)), " ")
		done, total, _ := strings.Cut(count, "/")
		var err error
		if p.Done, err = strconv.Atoi(done); err != nil {
			return p, false
		}
		if total != "" {
			if p.Total, err = strconv.Atoi(total); err != nil {
				return p, false
			}
		}
		p.Note = Printable(strings.TrimSpace(note))
		return p, sound(p)
	}
	if !bytes.HasPrefix(line, []byte("{")) || !bytes.Contains(line, []byte(`"progress"`)) {
		return p, false
	}
	var message struct {
		Progress *evaluator.Progress `json:"progress"`
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&message); err != nil || message.Progress == nil {
		return p, false
	}
	p = *message.Progress
	p.Note = Printable(p.Note)
	return p, sound(p)
}

func sound(p evaluator.Progress) bool {
	return p.Done >= 0 && p.Total >= 0 && (p.Total == 0 || p.Done <= p.Total)
}

// escapes are the sequences that move a terminal's cursor or colour its text.
var escapes = regexp.MustCompile(`\x1b(\[[0-?]*[\x20-\x2f]*[\x40-\x7e]|\][^\x07\x1b]*(\x07|\x1b\\)|[A-Z\\^_@])`)

// Printable makes anybody's text safe to show.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if visible.Acts(r) {
			return -1
		}
		return r
	}, escapes.ReplaceAllString(strings.ToValidUTF8(s, "�"), ""))
}

// WordsSize is how many bytes of the end of an output LastWords wants to see.
const WordsSize = 4096

// LastWords returns the last ten lines of an output, safe to show.
func LastWords(tail []byte) string {
	const lines = 10
	text := strings.TrimSpace(Printable(strings.ReplaceAll(string(tail), "\r\n", "\n")))
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
