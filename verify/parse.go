package verify

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
)

// parseCanonical reads a JSON document that is written as [Canonical] writes it, and refuses every
// other one: it accepts white space nowhere, members only in their order and each once, and of the
// spellings of a text or number only the canonical one. It is what [encoding/json], encoding again
// and comparing would come to, in about a third of the time. Texts share the memory of s.
func parseCanonical(s string) (any, error) {
	p := parser{s: s}
	v, ok := p.value(0)
	if !ok || p.i != len(s) {
		return nil, p.err()
	}
	return v, nil
}

func (p *parser) err() error {
	return tallystick.Errorf(tallystick.Invalid, "not canonical json (RFC 8785), first seen near byte %d", min(p.i, len(p.s)))
}

// parser holds the document and the position of the next byte.
type parser struct {
	s string
	i int
}

// next takes one byte if it is c.
func (p *parser) next(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) value(depth int) (any, bool) {
	if p.i >= len(p.s) || depth > maxDepth {
		return nil, false
	}
	switch p.s[p.i] {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		return p.text()
	case 't':
		return true, p.literal("true")
	case 'f':
		return false, p.literal("false")
	case 'n':
		return nil, p.literal("null")
	}
	return p.number()
}

// skip reads what value reads, as strictly, and makes nothing of it.
func (p *parser) skip(depth int) bool {
	if p.i >= len(p.s) || depth > maxDepth {
		return false
	}
	switch p.s[p.i] {
	case '{':
		return p.members(func(string) bool { return p.skip(depth + 1) })
	case '[':
		p.i++
		for first := true; !p.next(']'); first = false {
			if !first && !p.next(',') || !p.skip(depth+1) {
				return false
			}
		}
		return true
	case '"':
		_, ok := p.text()
		return ok
	}
	_, ok := p.value(depth)
	return ok
}

// some reads an object, of which it makes the members named.
func (p *parser) some(depth int, names []string) (any, bool) {
	if p.i >= len(p.s) || p.s[p.i] != '{' {
		return p.value(depth)
	}
	members := make(map[string]any, len(names))
	ok := p.members(func(name string) (ok bool) {
		if !slices.Contains(names, name) {
			return p.skip(depth + 1)
		}
		members[name], ok = p.value(depth + 1)
		return ok
	})
	return members, ok
}

func (p *parser) object(depth int) (any, bool) {
	members := map[string]any{}
	ok := p.members(func(name string) (ok bool) {
		members[name], ok = p.value(depth + 1)
		return ok
	})
	return members, ok
}

// members reads an object. each reads the value of a member.
func (p *parser) members(each func(name string) bool) bool {
	if !p.next('{') {
		return false
	}
	if p.next('}') {
		return true
	}
	for previous, first := "", true; ; first = false {
		name, ok := p.text()
		if !ok || !first && compareUTF16(previous, name) >= 0 || !p.next(':') || !each(name) {
			return false
		}
		previous = name
		if p.next('}') {
			return true
		}
		if !p.next(',') {
			return false
		}
	}
}

func (p *parser) array(depth int) (any, bool) {
	p.i++ // the bracket
	elements := []any{}
	if p.next(']') {
		return elements, true
	}
	for {
		element, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		elements = append(elements, element)
		if p.next(']') {
			return elements, true
		}
		if !p.next(',') {
			return nil, false
		}
	}
}

func (p *parser) literal(word string) bool {
	if len(p.s)-p.i < len(word) || p.s[p.i:p.i+len(word)] != word {
		return false
	}
	p.i += len(word)
	return true
}

func (p *parser) number() (any, bool) {
	start := p.i
	for p.i < len(p.s) {
		if c := p.s[p.i]; (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c != 'e' {
			break
		}
		p.i++
	}
	token := p.s[start:p.i]
	f, err := strconv.ParseFloat(token, 64)
	if err != nil {
		return nil, false
	}
	var buf [32]byte
	again, err := appendFloat(buf[:0], f)
	return f, err == nil && string(again) == token
}

func (p *parser) text() (string, bool) {
	if !p.next('"') {
		return "", false
	}
	start, ascii := p.i, true
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case plainASCII[c]:
			p.i++
		case c >= utf8.RuneSelf:
			ascii = false
			p.i++
		case c == '"':
			text := p.s[start:p.i]
			p.i++
			return text, ascii || utf8.ValidString(text)
		case c == '\\':
			return p.escaped(start)
		default:
			return "", false
		}
	}
	return "", false
}

// escaped reads on from the first escape of the text that begins at start.
func (p *parser) escaped(start int) (string, bool) {
	text := []byte(p.s[start:p.i])
	for p.i < len(p.s) {
		c := p.s[p.i]
		p.i++
		switch {
		case c == '"':
			return string(text), utf8.Valid(text)
		case c == '\\':
			r, ok := p.escape()
			if !ok {
				return "", false
			}
			text = append(text, r)
		case c < 0x20:
			return "", false
		default:
			text = append(text, c)
		}
	}
	return "", false
}

// escape reads what follows a backslash. Each character has one escape, and only those that need
// one have it.
func (p *parser) escape() (byte, bool) {
	if p.i >= len(p.s) {
		return 0, false
	}
	c := p.s[p.i]
	p.i++
	switch c {
	case '"', '\\':
		return c, true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		if !p.literal("000") && !p.literal("001") {
			return 0, false
		}
		if p.i >= len(p.s) {
			return 0, false
		}
		high, digit := p.s[p.i-1]-'0', p.s[p.i]
		p.i++
		var low byte
		switch {
		case digit >= '0' && digit <= '9':
			low = digit - '0'
		case digit >= 'a' && digit <= 'f':
			low = digit - 'a' + 10
		default:
			return 0, false
		}
		r := high<<4 | low
		return r, r != '\b' && r != '\f' && r != '\n' && r != '\r' && r != '\t'
	}
	return 0, false
}
