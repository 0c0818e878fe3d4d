package report

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
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

// Printable makes anybody's text safe to show.
func Printable(s string) string { return visible.Plain(s) }

// WordsSize is how many bytes of the end of an output LastWords wants to see.
const WordsSize = 4096

// LastWords returns the last ten lines of an output, safe to show; of a line that was written over itself what stayed.
func LastWords(tail []byte) string {
	const most = 10
	lines := wordsOf(tail)
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}

// Ending is how an output ends whose last words are given, as lines to put behind a sentence; from is which output.
func Ending(from, words string) string {
	return "\nits " + from + " ends with\n  " + strings.ReplaceAll(words, "\n", "\n  ")
}

// wordsOf are the lines of an output as they stood on a screen, without empty ones at its ends.
func wordsOf(tail []byte) []string {
	return strings.Split(strings.Trim(strings.Join(visible.Lines(string(tail)), "\n"), "\n"), "\n")
}

var (
	traceback = regexp.MustCompile(`^(\s|\| )*Traceback \(most recent call last\):$`)
	complains = regexp.MustCompile(`(?i)^\S*(error|exception|exit|interrupt)\b.*:|\b(error|fatal|panic|not found|no such|denied|killed|failed|cannot|unable)\b`)
)

// Reason is the line of an output that says why its program failed, "" where it said nothing: the exception of the last
// traceback, else the last line that complains, else the last.
func Reason(tail []byte) string {
	lines := wordsOf(tail)
	reason := lines[len(lines)-1]
	for _, l := range slices.Backward(lines) {
		if complains.MatchString(l) && !strings.HasPrefix(l, " ") {
			reason = l
			break
		}
	}
	for i := len(lines) - 1; i >= 0; i-- {
		if !traceback.MatchString(lines[i]) {
			continue
		}
		if exception := exceptionOf(lines[i+1:]); exception != "" {
			reason = exception
		}
		break
	}
	const most = 300
	reason = strings.TrimSpace(reason)
	if runes := []rune(reason); len(runes) > most {
		reason = string(runes[:most]) + "…"
	}
	return reason
}

// exceptionOf is the exception behind the frames of a traceback, which are indented.
func exceptionOf(lines []string) string {
	for _, l := range lines {
		if l != "" && !strings.HasPrefix(l, " ") && !strings.HasPrefix(l, "\t") {
			return l
		}
	}
	return ""
}
