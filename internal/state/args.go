package state

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
)

// value converts an argument as database/sql would, without its allocations for the usual types, to
// what both databases take: nil, int64, float64, string or []byte.
func value(arg any) (driver.Value, error) {
	switch v := arg.(type) {
	case nil, int64, float64, []byte:
		return arg, nil
	case string:
		return arg, checkText(v)
	case int:
		return int64(v), nil
	case tallystick.Digest:
		return string(v), checkText(string(v))
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case time.Time:
		return nil, fmt.Errorf("a time is stored in milliseconds, as a number")
	}
	converted, err := driver.DefaultParameterConverter.ConvertValue(arg)
	if err != nil {
		return nil, err
	}
	switch converted.(type) {
	case string, bool, time.Time:
		return value(converted)
	}
	return converted, nil
}

// checkText refuses what PostgreSQL cannot store in a text.
func checkText(s string) error {
	if strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return nil
	}
	return tallystick.Errorf(tallystick.Invalid, "the text %.40q holds U+0000 or is not UTF-8", s).
		WithHint("leave the character out")
}

func argumentError(place int, err error) error { return fmt.Errorf("argument %d: %w", place+1, err) }
