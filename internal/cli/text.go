package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// complaint returns what the user is told of an error. A full disk makes many things fail, each with
// its own history, of which the first is enough.
func complaint(err error) string {
	var path *fs.PathError
	if errors.Is(err, syscall.ENOSPC) && errors.As(err, &path) {
		return fmt.Sprintf("the disk is full: %s %s; free space and run the command again; what was acknowledged is kept", path.Op, path.Path)
	}
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	return oneLine(err)
}

// oneLine returns the message of an error as one line: joined errors are separated by semicolons.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' }), "; ")
}
