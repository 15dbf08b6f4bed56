package verify

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
)

const (
	// maxDepth bounds the nesting of every JSON document that this package reads or writes.
	maxDepth = 64
	// maxSafeInteger is the largest integer that every JSON reader keeps exactly (RFC 7493
	// section 2.2). Integers beyond it are written as decimal strings.
	maxSafeInteger = 1<<53 - 1
)

// Canonical returns the RFC 8785 form of v: members sorted by UTF-16 code units, numbers as
// ECMAScript prints them, no white space. Integers beyond ±(2^53-1) become decimal strings,
// whatever Go type holds them; NaN, infinities and invalid UTF-8 are refused. Types other than
// JSON's own take the way of [encoding/json] first.
func Canonical(v any) ([]byte, error) { return appendCanonical(nil, v, 0) }

func appendCanonical(dst []byte, v any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return dst, tallystick.Errorf(tallystick.Invalid, "json is nested deeper than %d", maxDepth)
	}
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case string:
		return appendString(dst, v)
	case float64:
		return appendFloat(dst, v)
	case int:
		return appendInt(dst, int64(v)), nil
	case int64:
		return appendInt(dst, v), nil
	case uint64:
		return appendUint(dst, v), nil
	case json.Number:
		return appendNumber(dst, v)
	case []any:
		return appendArray(dst, v, depth)
	case []string:
		return appendArray(dst, v, depth)
	case map[string]any:
		return appendObject(dst, v, depth)
	}
	plain, err := plainValue(v)
	if err != nil {
		return dst, err
	}
	return appendCanonical(dst, plain, depth)
}

// plainValue turns a value of any Go type into JSON's own types, with numbers kept as text.
func plainValue(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, string, float64, int, int64, uint64, json.Number, []any, []string, map[string]any:
		return v, nil
	}
	_, custom := v.(json.Marshaler)
	if r := reflect.ValueOf(v); r.Kind() == reflect.String && !custom {
		return r.String(), nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "value of type %T has no json form: %w", v, err)
	}
	var plain any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&plain); err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "value of type %T: %w", v, err)
	}
	return plain, nil
}

func appendArray[T any](dst []byte, elements []T, depth int) ([]byte, error) {
	dst = append(dst, '[')
	var err error
	for i, element := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendCanonical(dst, element, depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func appendObject(dst []byte, members map[string]any, depth int) ([]byte, error) {
	dst = append(dst, '{')
	var err error
	var stack [16]string
	for i, name := range sortedNames(stack[:0], members) {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendString(dst, name); err != nil {
			return dst, err
		}
		dst = append(dst, ':')
		if dst, err = appendCanonical(dst, members[name], depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// sortedNames appends the names of members to buf in the order of RFC 8785 section 3.2.3.
func sortedNames(buf []string, members map[string]any) []string {
	for name := range members {
		buf = append(buf, name)
	}
	slices.SortFunc(buf, compareUTF16)
	return buf
}

// compareUTF16 orders valid UTF-8 as its UTF-16 code units would order. The two orders differ in
// one place: U+E000 to U+FFFF (first byte 0xEE or 0xEF) come after the supplementary planes (0xF0
// and above), which UTF-16 writes with surrogates.
func compareUTF16(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if x == 0xEE || x == 0xEF {
			x += 0x10
		}
		if y == 0xEE || y == 0xEF {
			y += 0x10
		}
		return int(x) - int(y)
	}
	return len(a) - len(b)
}

// plainASCII marks the bytes that stand for themselves in a JSON text.
var plainASCII = func() (plain [256]bool) {
	for c := byte(0x20); c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

// appendString writes s as RFC 8785 section 3.2.2.2 asks: only what must be escaped is.
func appendString[T string | []byte](dst []byte, s T) ([]byte, error) {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start, ascii := 0, true
	for i := range len(s) {
		c := s[i]
		if plainASCII[c] {
			continue
		}
		if c >= utf8.RuneSelf {
			ascii = false
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
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
		}
	}
	if !ascii && !utf8.ValidString(string(s)) {
		return dst, tallystick.Errorf(tallystick.Invalid, "text %.40q is not valid UTF-8", string(s))
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"'), nil
}

// appendFloat writes f as ECMAScript's Number::toString does (RFC 8785 section 3.2.2.3).
func appendFloat(dst []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, tallystick.Errorf(tallystick.Invalid, "json has no number %v", f).
			WithHint("write null, and say why it is null in a field of its own")
	}
	if f == 0 {
		return append(dst, '0'), nil // minus zero too
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64), nil
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') { // 1e-07 is 1e-7
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst, nil
}

func appendInt(dst []byte, v int64) []byte {
	if v > maxSafeInteger || v < -maxSafeInteger {
		dst = append(dst, '"')
		dst = strconv.AppendInt(dst, v, 10)
		return append(dst, '"')
	}
	return strconv.AppendInt(dst, v, 10)
}

func appendUint(dst []byte, v uint64) []byte {
	if v > maxSafeInteger {
		dst = append(dst, '"')
		dst = strconv.AppendUint(dst, v, 10)
		return append(dst, '"')
	}
	return strconv.AppendUint(dst, v, 10)
}

func appendNumber(dst []byte, n json.Number) ([]byte, error) {
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return appendInt(dst, i), nil
	}
	if u, err := strconv.ParseUint(string(n), 10, 64); err == nil {
		return appendUint(dst, u), nil
	}
	f, err := n.Float64()
	if err != nil {
		return dst, tallystick.Errorf(tallystick.Invalid, "json number %.40q: %w", string(n), err)
	}
	return appendFloat(dst, f)
}
