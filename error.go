package tallystick

import (
	"errors"
	"fmt"
	"strings"
)

// Code classes an error by what its receiver can do about it. Doors map codes to HTTP
// statuses and exit codes in one table each.
type Code string

// The seven codes. An error without a code is Internal.
const (
	Invalid      Code = "invalid"      // the input is wrong; the message says what, where and what to do
	Unauthorized Code = "unauthorized" // nobody has proved who they are
	Forbidden    Code = "forbidden"    // the actor may not do this
	NotFound     Code = "not_found"    // the named thing does not exist
	Conflict     Code = "conflict"     // the thing is in a state that forbids this
	Unavailable  Code = "unavailable"  // a resource is missing or busy; trying again can help
	Internal     Code = "internal"     // a fault of ours
)

// HTTPStatus is the one table from codes to HTTP statuses (RFC 9110 section 15).
func (c Code) HTTPStatus() int {
	switch c {
	case Invalid:
		return 400
	case Unauthorized:
		return 401
	case Forbidden:
		return 403
	case NotFound:
		return 404
	case Conflict:
		return 409
	case Unavailable:
		return 503
	}
	return 500
}

// Error is an error that a person is meant to read: one line of what went wrong and where, and
// a hint at what to do. Plain wrapped errors are Internal.
type Error struct {
	Code    Code
	Message string // one line, lower case, no full stop
	Hint    string // what to do about it; may be empty
	Err     error  // the cause; may be nil
}

// Errorf returns an Error. A %w verb in the format sets the cause.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// WithHint returns a copy of e that says what to do.
func (e *Error) WithHint(format string, args ...any) *Error {
	hinted := *e
	hinted.Hint = fmt.Sprintf(format, args...)
	return &hinted
}

// Error returns the message and, after a semicolon, the hint.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "; " + e.Hint
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the outermost Error in err's chain, Internal if there is none, and
// the empty code for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Words returns what err says to a person: the message, with what was wrapped around it, and the hint
// of the outermost Error in its chain.
func Words(err error) (message, hint string) {
	var e *Error
	if !errors.As(err, &e) || e.Hint == "" {
		return err.Error(), ""
	}
	return strings.Replace(err.Error(), "; "+e.Hint, "", 1), e.Hint
}
