package prediction

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"unicode/utf8"
)

// The canonical JSON of this package has no white space; members stand in ascending order of the
// bytes of their names; numbers are written as ECMAScript prints them, integers of 64 bits with all
// their digits; only what must be escaped is, in its shortest form. It is RFC 8785 but for integers
// beyond 2^53, which that rounds, and for the order of names beyond the first 65,536 characters.

// canonicalObject returns the canonical form of a JSON object that has members.
func canonicalObject(data []byte) ([]byte, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	s := scanner{data: string(data)}
	if s.peek() != '{' {
		return nil, errors.New("not an object")
	}
	out := s.canonical(nil, 0)
	if s.peek() != 0 || s.at != len(s.data) {
		s.fail("more follows")
	}
	if s.fault != "" {
		return nil, errors.New(s.fault)
	}
	if string(out) == "{}" {
		return nil, errors.New("no members")
	}
	return out, nil
}

// member is a member of an object with its value in canonical form.
type member struct {
	key   string
	value []byte
}

// canonical reads a value and appends its canonical form.
func (s *scanner) canonical(dst []byte, depth int) []byte {
	if depth > maxDepth {
		s.fail("values are nested deeper than %d", maxDepth)
		return dst
	}
	if v, ok := s.scalar(); ok {
		return appendValue(dst, v)
	}
	if s.peek() == '[' {
		dst = append(dst, '[')
		first := true
		s.array(func() bool {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = s.canonical(dst, depth+1)
			return true
		})
		return append(dst, ']')
	}
	var members []member
	s.object(func(key string) bool {
		members = append(members, member{key, s.canonical(nil, depth+1)})
		return true
	})
	dst, twice := appendMembers(dst, members)
	if twice != "" {
		s.fail("the name %q stands twice in one object", clip(twice))
	}
	return dst
}

// appendMembers writes an object, and returns a name that occurs twice, if there is one.
func appendMembers(dst []byte, members []member) (_ []byte, twice string) {
	slices.SortStableFunc(members, func(a, b member) int { return cmp.Compare(a.key, b.key) })
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
			if members[i-1].key == m.key {
				twice = m.key
			}
		}
		dst = appendText(dst, m.key)
		dst = append(dst, ':')
		dst = append(dst, m.value...)
	}
	return append(dst, '}'), twice
}

func appendValue(dst []byte, v Value) []byte {
	switch v.kind {
	case Null:
		return append(dst, "null"...)
	case Bool:
		return strconv.AppendBool(dst, v.bits == 1)
	case Int:
		return strconv.AppendInt(dst, int64(v.bits), 10)
	case Float:
		switch f, _ := v.Float(); {
		case f != f:
			return append(dst, `"`+textNaN+`"`...)
		case f-f != 0 && f > 0:
			return append(dst, `"`+textInf+`"`...)
		case f-f != 0:
			return append(dst, `"`+textNeg+`"`...)
		default:
			return appendFloat(dst, f)
		}
	}
	return appendText(dst, v.text)
}

// appendText writes s in quotation marks with the escapes of RFC 8785 section 3.2.2.2.
func appendText(dst []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, hexDigits[c>>4], hexDigits[c&0xf])
		}
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
