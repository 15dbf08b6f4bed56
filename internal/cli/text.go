package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"syscall"

	"github.com/tallystick/tallystick/internal/wording"
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

const maxWord = 256 // runes of a word of an error

var longWord = regexp.MustCompile(`\S{257,}`)

// oneLine returns the message of an error as one line that a terminal can show: joined errors are separated
// by semicolons, what would steer the terminal is made visible, and words that no eye takes in are cut.
func oneLine(err error) string {
	line := strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	return longWord.ReplaceAllStringFunc(strings.Map(wording.Visible, line), func(word string) string {
		runes := []rune(word)
		return string(runes[:maxWord/2]) + "…" + string(runes[len(runes)-maxWord/4:])
	})
}
