package prediction

import (
	"time"

	"github.com/tallystick/tallystick"
)

// Time is a moment in UTC: microseconds since 1970. The zero value is no time; the first
// microsecond of 1970 cannot be told from it.
type Time int64

// The years that RFC 3339 can write.
const (
	minTime Time = -62135596800_000000 // 0001-01-01
	maxTime Time = 253402300799_999999 // 9999-12-31
)

// TimeOf returns t without what is finer than a microsecond.
func TimeOf(t time.Time) Time { return Time(t.UnixMicro()) }

// Time returns t in UTC.
func (t Time) Time() time.Time { return time.UnixMicro(int64(t)).UTC() }

// IsZero reports whether t is no time.
func (t Time) IsZero() bool { return t == 0 }

func (t Time) valid() bool { return t != 0 && minTime <= t && t <= maxTime }

// String returns t as RFC 3339 has it, in UTC.
func (t Time) String() string { return string(t.append(nil)) }

func (t Time) append(dst []byte) []byte { return t.Time().AppendFormat(dst, time.RFC3339Nano) }

// MarshalText returns what String returns.
func (t Time) MarshalText() ([]byte, error) { return t.append(nil), nil }

// UnmarshalText reads a moment of RFC 3339 in any zone; what is finer than a microsecond is cut off.
func (t *Time) UnmarshalText(text []byte) error {
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil || !TimeOf(at).valid() {
		return tallystick.Errorf(tallystick.Invalid, "time %q is not a moment of RFC 3339", clip(string(text))).
			WithHint("write it as 2026-01-02T15:04:05.678901Z")
	}
	*t = TimeOf(at)
	return nil
}
