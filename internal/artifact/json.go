package artifact

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
)

// maxJSONDepth bounds the objects and arrays around a value.
const maxJSONDepth = 64

// CheckJSON returns an Invalid error, which begins with what, unless data is exactly one JSON value
// in UTF-8 in which no object names a member twice: readers differ in which of the two they believe.
func CheckJSON(what string, data []byte) error {
	if !utf8.Valid(data) {
		return tallystick.Errorf(tallystick.Invalid, "%s is not UTF-8", what)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	type level struct {
		names map[string]bool // nil in an array
		value bool            // a value comes next, not a name
	}
	var open []level
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return tallystick.Errorf(tallystick.Invalid, "%s is not json: %w", what, err)
		}
		top := len(open) - 1
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{', '[':
				if len(open) == maxJSONDepth {
					return tallystick.Errorf(tallystick.Invalid, "%s is nested more than %d deep", what, maxJSONDepth)
				}
				l := level{value: true}
				if t == '{' {
					l = level{names: map[string]bool{}}
				}
				if top >= 0 && open[top].names != nil {
					open[top].value = false
				}
				open = append(open, l)
			default:
				open = open[:top]
			}
		case string:
			if top >= 0 && open[top].names != nil && !open[top].value {
				if open[top].names[t] {
					return tallystick.Errorf(tallystick.Invalid, "%s names the member %q twice", what, t)
				}
				open[top].names[t], open[top].value = true, true
				continue
			}
			if top >= 0 && open[top].names != nil {
				open[top].value = false
			}
		default:
			if top >= 0 && open[top].names != nil {
				open[top].value = false
			}
		}
		if len(open) == 0 {
			break
		}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return tallystick.Errorf(tallystick.Invalid, "%s has something after its json value", what)
	}
	return nil
}
