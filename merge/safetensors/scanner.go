package safetensors

import (
	"fmt"
	"math"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON (RFC 8259) token by token, so that a duplicate name is seen and nothing is built
// that was not asked for. It is stricter than encoding/json: lone surrogates are errors. The caller has
// checked that data is UTF-8.
type scanner struct {
	data []byte
	pos  int
}

// syntaxError is what was wrong and at which byte.
type syntaxError struct {
	at  int
	msg string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.msg, e.at) }

func (s *scanner) errorf(format string, args ...any) error {
	return &syntaxError{s.pos, fmt.Sprintf(format, args...)}
}

// here describes the byte at the position, for messages.
func (s *scanner) here() string {
	if s.pos >= len(s.data) {
		return "the end"
	}
	r, _ := utf8.DecodeRune(s.data[s.pos:])
	return fmt.Sprintf("%q", r)
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek skips white space and gives the next byte, 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.pos == len(s.data) {
		return 0
	}
	return s.data[s.pos]
}

func (s *scanner) expect(c byte) error {
	if s.peek() != c {
		return s.errorf("expected %q, found %s", c, s.here())
	}
	s.pos++
	return nil
}

// object calls member for each name, with the position at its value, which member consumes.
// The name is valid until member returns.
func (s *scanner) object(member func(name []byte) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	for {
		name, err := s.text()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
		if s.peek() != ',' {
			return s.expect('}')
		}
		s.pos++
	}
}

// array calls element with the position at each value, which element consumes.
func (s *scanner) array(element func() error) error {
	if err := s.expect('['); err != nil {
		return err
	}
	if s.peek() == ']' {
		s.pos++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if s.peek() != ',' {
			return s.expect(']')
		}
		s.pos++
	}
}

// text reads a string. The bytes are part of the input where it has no escapes.
func (s *scanner) text() ([]byte, error) {
	if err := s.expect('"'); err != nil {
		return nil, err
	}
	start := s.pos
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return s.data[start : s.pos-1], nil
		case c == '\\':
			return s.escaped(append([]byte(nil), s.data[start:s.pos]...))
		case c < ' ':
			return nil, s.errorf("control character %s in a string", s.here())
		}
	}
	return nil, s.errorf("a string has no end")
}

// escaped reads the rest of a string from its first backslash, after what is in done.
func (s *scanner) escaped(done []byte) ([]byte, error) {
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		switch {
		case c == '"':
			s.pos++
			return done, nil
		case c < ' ':
			return nil, s.errorf("control character %s in a string", s.here())
		case c != '\\':
			done = append(done, c)
			s.pos++
			continue
		}
		s.pos++
		r, err := s.escape()
		if err != nil {
			return nil, err
		}
		done = utf8.AppendRune(done, r)
	}
	return nil, s.errorf("a string has no end")
}

// escape reads what follows a backslash.
func (s *scanner) escape() (rune, error) {
	if s.pos == len(s.data) {
		return 0, s.errorf("a string has no end")
	}
	c := s.data[s.pos]
	s.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return s.unicode()
	}
	s.pos--
	return 0, s.errorf("unknown escape %s", s.here())
}

func (s *scanner) unicode() (rune, error) {
	r, err := s.hex4()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if s.pos+1 < len(s.data) && s.data[s.pos] == '\\' && s.data[s.pos+1] == 'u' {
		s.pos += 2
		low, err := s.hex4()
		if err != nil {
			return 0, err
		}
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, nil
		}
	}
	return 0, s.errorf("lone surrogate \\u%04x", r)
}

func (s *scanner) hex4() (rune, error) {
	var r rune
	for range 4 {
		var c byte
		if s.pos < len(s.data) {
			c = s.data[s.pos]
		}
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, s.errorf("expected four hexadecimal digits after \\u, found %s", s.here())
		}
		s.pos++
	}
	return r, nil
}

// integer reads a non-negative integer without sign, point or exponent, at most 2^63−1.
func (s *scanner) integer() (int64, error) {
	s.space()
	start := s.pos
	var n int64
	for ; s.pos < len(s.data); s.pos++ {
		c := s.data[s.pos]
		if c < '0' || c > '9' {
			break
		}
		d := int64(c - '0')
		if n > (math.MaxInt64-d)/10 {
			s.pos = start
			return 0, s.errorf("an integer above 2^63-1")
		}
		n = n*10 + d
	}
	switch {
	case s.pos == start:
		return 0, s.errorf("expected a non-negative integer, found %s", s.here())
	case s.data[start] == '0' && s.pos > start+1:
		s.pos = start
		return 0, s.errorf("an integer with a leading zero")
	case s.pos < len(s.data) && (s.data[s.pos] == '.' || s.data[s.pos] == 'e' || s.data[s.pos] == 'E'):
		return 0, s.errorf("expected an integer, found a fraction or an exponent")
	}
	return n, nil
}
