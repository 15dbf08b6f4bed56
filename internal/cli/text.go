package cli

import "strings"

// oneLine returns the message of an error as one line: joined errors are separated by semicolons.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' }), "; ")
}
