package prediction

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds the nesting of what is unknown and kept in extra.
const maxDepth = 16

// scanner reads JSON (RFC 8259), strictly: what follows a fault is not read. The input has been
// checked to be UTF-8. Texts without escapes share its memory.
type scanner struct {
	data  string
	at    int
	fault string // of the syntax
}

func (s *scanner) fail(format string, args ...any) {
	if s.fault == "" {
		s.fault = fmt.Sprintf(format, args...)
	}
}

// peek skips white space and returns the byte after it, 0 at the end.
func (s *scanner) peek() byte {
	for s.at < len(s.data) {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// take skips white space and the byte c, or faults.
func (s *scanner) take(c byte) {
	if s.peek() != c {
		s.fail("%q is missing", string(c))
		return
	}
	s.at++
}

// object calls member with each key, with the scanner at its value, until a fault or false.
func (s *scanner) object(member func(key string) bool) {
	s.take('{')
	if s.fault != "" {
		return
	}
	if s.peek() == '}' {
		s.at++
		return
	}
	for {
		if s.peek() != '"' {
			s.fail("the name of a member is missing")
			return
		}
		key := s.text()
		s.take(':')
		if s.fault != "" || !member(key) || s.fault != "" {
			return
		}
		if s.peek() != ',' {
			s.take('}')
			return
		}
		s.at++
	}
}

// array calls element with the scanner at each element, until a fault or false.
func (s *scanner) array(element func() bool) {
	s.take('[')
	if s.fault != "" {
		return
	}
	if s.peek() == ']' {
		s.at++
		return
	}
	for {
		if !element() || s.fault != "" {
			return
		}
		if s.peek() != ',' {
			s.take(']')
			return
		}
		s.at++
	}
}

// text reads a string. The scanner is at its quotation mark.
func (s *scanner) text() string {
	s.at++
	start := s.at
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; {
		case c == '"':
			s.at++
			return s.data[start : s.at-1]
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			s.fail("a control character in a text")
			return ""
		}
	}
	s.fail("a text does not end")
	return ""
}

// escaped reads on from the first escape of a string that began at start.
func (s *scanner) escaped(start int) string {
	var b strings.Builder
	b.WriteString(s.data[start:s.at])
	for s.at < len(s.data) {
		c := s.data[s.at]
		s.at++
		switch {
		case c == '"':
			return b.String()
		case c < ' ':
			s.fail("a control character in a text")
			return ""
		case c != '\\':
			b.WriteByte(c)
		default:
			b.WriteRune(s.escape())
			if s.fault != "" {
				return ""
			}
		}
	}
	s.fail("a text does not end")
	return ""
}

// escape reads what follows a backslash. Half a surrogate pair is a fault, because it is no text.
func (s *scanner) escape() rune {
	if s.at >= len(s.data) {
		s.fail("a text does not end")
		return 0
	}
	c := s.data[s.at]
	s.at++
	switch c {
	case '"', '\\', '/':
		return rune(c)
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'u':
		r := s.unit()
		if !utf16.IsSurrogate(r) {
			return r
		}
		if strings.HasPrefix(s.data[s.at:], `\u`) {
			s.at += 2
			if r = utf16.DecodeRune(r, s.unit()); r != utf8.RuneError {
				return r
			}
		}
		s.fail("half a surrogate pair in a text")
		return 0
	}
	s.fail("an unknown escape in a text")
	return 0
}

// unit reads four hexadecimal digits.
func (s *scanner) unit() rune {
	if s.at+4 > len(s.data) {
		s.fail("a text does not end")
		return 0
	}
	v, err := strconv.ParseUint(s.data[s.at:s.at+4], 16, 16)
	if err != nil {
		s.fail("an unknown escape in a text")
	}
	s.at += 4
	return rune(v)
}

func (s *scanner) literal(word string, v Value) Value {
	if !strings.HasPrefix(s.data[s.at:], word) {
		s.fail("a value is not JSON")
		return Value{}
	}
	s.at += len(word)
	return v
}

// scalar reads anything but an object or array; ok is false if it is one of these, which is then
// not read.
func (s *scanner) scalar() (v Value, ok bool) {
	switch c := s.peek(); {
	case c == '"':
		return String(s.text()), true
	case c == '-' || '0' <= c && c <= '9':
		return s.number(), true
	case c == 't':
		return s.literal("true", Boolean(true)), true
	case c == 'f':
		return s.literal("false", Boolean(false)), true
	case c == 'n':
		return s.literal("null", Value{}), true
	case c == '{' || c == '[':
		return Value{}, false
	}
	s.fail("a value is missing")
	return Value{}, true
}

// number reads a number: an integer exactly if it fits 64 bits, any other as the nearest float64.
func (s *scanner) number() Value {
	start := s.at
	negative := s.data[s.at] == '-'
	if negative {
		s.at++
	}
	first := s.at
	var v uint64
	for s.at < len(s.data) && isDigit(s.data[s.at]) {
		if s.at-first < 18 {
			v = 10*v + uint64(s.data[s.at]-'0')
		}
		s.at++
	}
	n := s.at - first
	if n == 0 || n > 1 && s.data[first] == '0' {
		s.fail("a number is not JSON")
		return Value{}
	}
	whole := true
	if s.at < len(s.data) && s.data[s.at] == '.' {
		whole = false
		s.at++
		s.digits()
	}
	if s.at < len(s.data) && s.data[s.at]|0x20 == 'e' {
		whole = false
		s.at++
		if s.at < len(s.data) && (s.data[s.at] == '+' || s.data[s.at] == '-') {
			s.at++
		}
		s.digits()
	}
	if s.fault != "" {
		return Value{}
	}
	literal := s.data[start:s.at]
	switch {
	case whole && n <= 18 && negative:
		return Integer(-int64(v))
	case whole && n <= 18:
		return Integer(int64(v))
	case whole:
		if i, err := strconv.ParseInt(literal, 10, 64); err == nil {
			return Integer(i)
		}
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil || math.IsInf(f, 0) {
		s.fail("the number %s is out of range", clip(literal))
	}
	return Number(f)
}

func (s *scanner) digits() {
	first := s.at
	for s.at < len(s.data) && isDigit(s.data[s.at]) {
		s.at++
	}
	if s.at == first {
		s.fail("a number is not JSON")
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
