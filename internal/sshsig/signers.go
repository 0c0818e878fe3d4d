package sshsig

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"parfait/problem"
)

// Signers are the people whose signatures are accepted, and for what.
type Signers struct {
	path  string
	lines []signer
}

// signer is one line: a key, whose it is, for what and when.
type signer struct {
	line          int
	principals    string
	key           ssh.PublicKey
	authority     bool   // signs certificates, and nothing else
	namespaces    string // "" for all
	after, before time.Time
}

// ReadSigners reads a file of allowed signers as ssh-keygen -Y verify takes it: a line of principals, options
// (namespaces="…", valid-after="…", valid-before="…", cert-authority) and a public key for each. The error lists every
// line that is wrong.
func ReadSigners(file string) (*Signers, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		if e := (*fs.PathError)(nil); errors.As(err, &e) && !errors.Is(err, fs.ErrNotExist) {
			return nil, problem.Problem{Code: BadSigners, Where: file, What: "it cannot be read: " + e.Err.Error(), Expected: "a file of allowed signers"}
		}
		return nil, err
	}
	return parseSigners(file, b)
}

func parseSigners(file string, b []byte) (*Signers, error) {
	s := &Signers{path: file}
	var bad problem.List
	for i, line := range bytes.Split(b, []byte("\n")) {
		text := strings.TrimSpace(string(line))
		if text == "" || text[0] == '#' {
			continue
		}
		one, err := parseSigner(text)
		if err != nil {
			bad = append(bad, problem.Problem{Code: BadSigners, Where: fmt.Sprintf("%s:%d", file, i+1), What: err.Error(), Expected: `NAME [namespaces="parfait"] ssh-ed25519 AAAA…`})
			continue
		}
		one.line = i + 1
		s.lines = append(s.lines, one)
	}
	if len(s.lines) == 0 && len(bad) == 0 {
		bad = append(bad, problem.Problem{Code: BadSigners, Where: file, What: "it names nobody", Expected: `a line NAME ssh-ed25519 AAAA… for everybody who may sign`})
	}
	return s, bad.Err()
}

func parseSigner(text string) (s signer, err error) {
	s.principals, text, err = firstWord(text)
	if err != nil {
		return s, err
	}
	var options []string
	if s.key, _, options, _, err = ssh.ParseAuthorizedKey([]byte(text)); err != nil {
		return s, fmt.Errorf("behind %q stands no public key", s.principals)
	}
	seen := map[string]bool{}
	for _, o := range options {
		name, value, has := strings.Cut(o, "=")
		name = strings.ToLower(name)
		if seen[name] {
			return s, fmt.Errorf("the option %s stands there twice", name)
		}
		seen[name] = true
		inner, quoted := strings.CutPrefix(value, `"`)
		inner, closed := strings.CutSuffix(inner, `"`)
		if has && (!quoted || !closed) {
			return s, fmt.Errorf(`the value of %s is not between " and "`, name)
		}
		if err := s.set(name, inner); err != nil {
			return s, err
		}
	}
	if !s.after.IsZero() && !s.before.IsZero() && !s.before.After(s.after) {
		return s, errors.New("valid-before is not after valid-after")
	}
	return s, nil
}

func (s *signer) set(option, value string) (err error) {
	switch option {
	case "cert-authority":
		s.authority = true
	case "namespaces":
		if s.namespaces = value; value == "" {
			return errors.New("namespaces is empty")
		}
	case "valid-after":
		s.after, err = moment(value)
	case "valid-before":
		s.before, err = moment(value)
	default:
		return fmt.Errorf("the option %q is not known", option)
	}
	return err
}

// firstWord is a line's first word, which may stand in quotes, and the rest.
func firstWord(line string) (word, rest string, err error) {
	if inner, ok := strings.CutPrefix(line, `"`); ok {
		word, rest, ok = strings.Cut(inner, `"`)
		if !ok {
			return "", "", errors.New(`a " is not closed`)
		}
	} else {
		at := strings.IndexAny(line, " \t")
		if at < 0 {
			return "", "", errors.New("there is one word only")
		}
		word, rest = line[:at], line[at:]
	}
	if word == "" {
		return "", "", errors.New("the name is empty")
	}
	return word, strings.TrimSpace(rest), nil
}

// moment reads YYYYMMDD[HHMM[SS]], in local time, or with a Z in UTC.
func moment(text string) (time.Time, error) {
	digits, place := text, time.Local
	if strings.HasSuffix(strings.ToUpper(text), "Z") {
		digits, place = text[:len(text)-1], time.UTC
	}
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(layout) == len(digits) {
			if t, err := time.ParseInLocation(layout, digits, place); err == nil {
				return t, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: expected YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with a Z for UTC", text)
}

// Who says whose a key is that signed something for this use, now: the principals of every line that has it. The error
// says why nobody's.
func (s *Signers) Who(key ssh.PublicKey, namespace string, now time.Time) (principals []string, err error) {
	fingerprint := ssh.FingerprintSHA256(key)
	wrong := problem.Problem{
		Code: UnknownSigner, Where: s.path, What: "it does not have the key that signed, " + fingerprint, Expected: "the key of somebody whose word counts",
		Fix: "if you know whose it is, add a line with the name and the public key; if not, do not believe the signature",
	}
	for _, l := range s.lines {
		if l.authority || !bytes.Equal(l.key.Marshal(), key.Marshal()) {
			continue
		}
		if p := l.refuses(namespace, now); p != nil {
			p.Where = fmt.Sprintf("%s:%d", s.path, l.line)
			wrong = *p
			continue
		}
		principals = append(principals, l.principals)
	}
	if len(principals) == 0 {
		return nil, wrong
	}
	return principals, nil
}

// refuses says why a line's key may not sign for a use at a time.
func (s signer) refuses(namespace string, now time.Time) *problem.Problem {
	const day = "2006-01-02 15:04:05 MST"
	switch {
	case s.namespaces != "" && !matches(s.namespaces, namespace):
		return &problem.Problem{Code: WrongUse, What: fmt.Sprintf("the key of %s may not sign for %q, but for %s", s.principals, namespace, s.namespaces), Expected: fmt.Sprintf("namespaces=%q among its options", namespace)}
	case !s.after.IsZero() && now.Before(s.after):
		return &problem.Problem{Code: NotValidNow, What: "the key of " + s.principals + " is not valid before " + s.after.Format(day), Expected: "a key that is valid now"}
	case !s.before.IsZero() && now.After(s.before):
		return &problem.Problem{Code: NotValidNow, What: "the key of " + s.principals + " has expired: it was valid until " + s.before.Format(day), Expected: "a key that is valid now", Fix: "have it signed again with a key that is"}
	}
	return nil
}

// matches says whether a word is meant by patterns with * and ?, parted by commas; one with a ! excludes it.
func matches(patterns, word string) bool {
	found := false
	for p := range strings.SplitSeq(patterns, ",") {
		p, not := strings.CutPrefix(p, "!")
		if ok, _ := path.Match(plain.Replace(p), word); ok {
			if not {
				return false
			}
			found = true
		}
	}
	return found
}

// plain takes the meaning from what path.Match knows beyond * and ?.
var plain = strings.NewReplacer("[", `\[`, "]", `\]`, `\`, `\\`)
