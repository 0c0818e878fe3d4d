package serve

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Role is what a person may do.
type Role string

// Roles. A viewer looks and asks what-if; an operator also evaluates, picks and exports.
const (
	Viewer   Role = "viewer"
	Operator Role = "operator"
)

// Person is who a key belongs to.
type Person struct {
	Name        string // from the key's comment, or its fingerprint
	Role        Role
	Fingerprint string // SHA256:…
}

// Keys are the people who may come in.
type Keys struct {
	people map[string]Person // by the key's wire form
}

// KeysError is everything that is wrong with a file of authorised keys.
type KeysError struct {
	Path     string
	Problems []string // "line 3: …"
}

// Error lists the problems on a line each, the first few of many: another file was meant then.
func (e *KeysError) Error() string {
	const few = 5
	text := e.Path + ": " + strings.Join(e.Problems[:min(few, len(e.Problems))], "\n"+e.Path+": ")
	if more := len(e.Problems) - few; more > 0 {
		text += fmt.Sprintf("\nand %d more", more)
	}
	return text
}

// ReadKeys reads a file in OpenSSH's authorized_keys format. A key's role is the option role="operator",
// or a word role=operator in its comment; a key without one is a viewer's. Restrictions that this server
// could not keep (from=, command=, expiry-time=) are refused rather than ignored.
func ReadKeys(path string) (*Keys, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		if at := (*fs.PathError)(nil); errors.As(err, &at) && !errors.Is(err, fs.ErrNotExist) {
			err = &KeysError{path, []string{"cannot be read: " + at.Err.Error()}}
		}
		return nil, fmt.Errorf("no authorised keys: %w\n  → give --authorized-keys a file with one public key a line, such as ~/.ssh/authorized_keys", err)
	}
	return parseKeys(path, b)
}

func parseKeys(path string, b []byte) (*Keys, error) {
	if bytes.Contains(b, []byte(" PRIVATE KEY-----")) {
		return nil, &KeysError{path, []string{"is a private key, which stays with its owner\n  → give the public half, which is usually in " + path + ".pub"}}
	}
	k := &Keys{people: map[string]Person{}}
	var bad []string
	for i, line := range bytes.Split(b, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		key, comment, options, _, err := ssh.ParseAuthorizedKey(line)
		if err != nil {
			bad = append(bad, fmt.Sprintf("line %d: not a public key: expected something like ssh-ed25519 AAAA… name", i+1))
			continue
		}
		p, err := person(key, comment, options)
		if err != nil {
			bad = append(bad, fmt.Sprintf("line %d: %v", i+1, err))
			continue
		}
		if old, twice := k.people[string(key.Marshal())]; twice && old.Role != p.Role {
			bad = append(bad, fmt.Sprintf("line %d: this key stands above as a %s's; keep one", i+1, old.Role))
		}
		k.people[string(key.Marshal())] = p
	}
	if len(k.people) == 0 && len(bad) == 0 {
		bad = append(bad, "holds no key, so nobody could come in")
	}
	if len(bad) > 0 {
		return nil, &KeysError{path, bad}
	}
	return k, nil
}

func person(key ssh.PublicKey, comment string, options []string) (Person, error) {
	p := Person{Role: Viewer, Fingerprint: ssh.FingerprintSHA256(key)}
	set := func(role string) error {
		p.Role = Role(role)
		if !slices.Contains([]Role{Viewer, Operator}, p.Role) {
			return fmt.Errorf("role %q is neither viewer nor operator", role)
		}
		return nil
	}
	var errs []error
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		switch strings.ToLower(name) {
		case "role":
			errs = append(errs, set(strings.Trim(value, `"`)))
		case "restrict", "no-pty", "no-port-forwarding", "no-agent-forwarding", "no-x11-forwarding", "no-user-rc":
			// already so for everybody, but for the terminal, without which there is nothing to see
		default:
			errs = append(errs, fmt.Errorf("the option %s is not kept by this server, so the key is not accepted; take the option out", name))
		}
	}
	var words []string
	for _, w := range strings.Fields(comment) {
		if role, ok := strings.CutPrefix(w, "role="); ok {
			errs = append(errs, set(role))
		} else {
			words = append(words, w)
		}
	}
	p.Name = printable(strings.Join(words, " "))
	if p.Name == "" {
		p.Name = p.Fingerprint
	}
	return p, errors.Join(errs...)
}

// printable keeps what may stand on a screen and in a log line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return -1
		}
		return r
	}, s)
}

// Lookup says whose key it is.
func (k *Keys) Lookup(key ssh.PublicKey) (Person, bool) {
	p, ok := k.people[string(key.Marshal())]
	return p, ok
}

// Count returns how many people may come in, and how many of them are operators.
func (k *Keys) Count() (people, operators int) {
	for _, p := range k.people {
		if p.Role == Operator {
			operators++
		}
	}
	return len(k.people), operators
}
