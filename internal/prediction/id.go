package prediction

import (
	"encoding/hex"
	"time"

	"github.com/tallystick/tallystick"
)

// ID names a record: a UUID of version 7 (RFC 9562 section 5.7), which sorts by time.
type ID [16]byte

const textSize = 36 // bytes of an ID as text

// NewID returns an ID for a record received at the time at.
func NewID(at time.Time) ID {
	id, _ := ParseID(tallystick.NewID(at)) // which has the form, always
	return id
}

// ParseID reads an ID in its one accepted form: lower case, with dashes.
func ParseID(s string) (ID, error) {
	var id ID
	if !id.parse(s) {
		return ID{}, tallystick.Errorf(tallystick.Invalid, "id %q is not a UUID of version 7", clip(s)).
			WithHint("leave it out to be given one, or write it as 01234567-89ab-7cde-8f01-23456789abcd")
	}
	return id, nil
}

func (id *ID) parse(s string) bool {
	if len(s) != textSize || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	at := 0
	for _, part := range [...]string{s[:8], s[9:13], s[14:18], s[19:23], s[24:]} {
		if !decodeHex(id[at:at+len(part)/2], part) {
			return false
		}
		at += len(part) / 2
	}
	return id.valid()
}

func (id ID) valid() bool { return id[6]>>4 == 7 && id[8]>>6 == 2 }

// IsZero reports whether id names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// Time returns the millisecond that the ID was made in.
func (id ID) Time() time.Time {
	var ms int64
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms).UTC()
}

// String returns the ID in lower case, with dashes; empty for the zero ID.
func (id ID) String() string {
	if id.IsZero() {
		return ""
	}
	return string(id.append(make([]byte, 0, textSize)))
}

func (id ID) append(dst []byte) []byte {
	for i, part := range [...][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return dst
}

// MarshalText returns the form that String returns.
func (id ID) MarshalText() ([]byte, error) {
	if id.IsZero() {
		return nil, nil
	}
	return id.append(make([]byte, 0, textSize)), nil
}

// UnmarshalText reads what MarshalText wrote.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}

// TraceID is the trace that a prediction belongs to (W3C Trace Context section 3.2.2.3), SpanID the
// span in it. All zeros stand for none.
type (
	TraceID [16]byte
	SpanID  [8]byte
)

// String returns the 32 lower-case hexadecimal digits.
func (t TraceID) String() string { return hex.EncodeToString(t[:]) }

// String returns the 16 lower-case hexadecimal digits.
func (s SpanID) String() string { return hex.EncodeToString(s[:]) }

// MarshalText returns the digits.
func (t TraceID) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalText returns the digits.
func (s SpanID) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads 32 lower-case hexadecimal digits, not all zero.
func (t *TraceID) UnmarshalText(text []byte) error {
	if !decodeHex(t[:], string(text)) || *t == (TraceID{}) {
		return tallystick.Errorf(tallystick.Invalid, "trace id %q is not 32 lower-case hexadecimal digits, not all zero", clip(string(text)))
	}
	return nil
}

// UnmarshalText reads 16 lower-case hexadecimal digits, not all zero.
func (s *SpanID) UnmarshalText(text []byte) error {
	if !decodeHex(s[:], string(text)) || *s == (SpanID{}) {
		return tallystick.Errorf(tallystick.Invalid, "span id %q is not 16 lower-case hexadecimal digits, not all zero", clip(string(text)))
	}
	return nil
}

// Salt makes a leaf unguessable.
type Salt [16]byte

// String returns the 32 lower-case hexadecimal digits.
func (s Salt) String() string { return hex.EncodeToString(s[:]) }

// MarshalText returns the digits.
func (s Salt) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads 32 lower-case hexadecimal digits.
func (s *Salt) UnmarshalText(text []byte) error {
	if !decodeHex(s[:], string(text)) {
		return tallystick.Errorf(tallystick.Invalid, "salt is not 32 lower-case hexadecimal digits")
	}
	return nil
}

// decodeHex fills dst from lower-case digits, and returns false if s is not just those.
func decodeHex(dst []byte, s string) bool {
	if len(s) != 2*len(dst) {
		return false
	}
	for i := range dst {
		high, low := digits[s[2*i]], digits[s[2*i+1]]
		if high|low > 0xf {
			return false
		}
		dst[i] = high<<4 | low
	}
	return true
}

// digits holds the value of each lower-case hexadecimal digit, and 0xff for every other byte.
var digits = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range "0123456789abcdef" {
		t[c] = byte(i)
	}
	return t
}()

// clip shortens what is quoted in a message.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}
