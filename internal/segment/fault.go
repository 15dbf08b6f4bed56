package segment

import (
	"fmt"

	"github.com/tallystick/tallystick"
)

// fault is what is wrong with the bytes of a file.
type fault struct{ what string }

func (f fault) Error() string { return f.what }

func faultf(format string, args ...any) error { return fault{fmt.Sprintf(format, args...)} }

// damaged returns the error for a file whose bytes are not what they should be.
func damaged(err error) error {
	if err == nil {
		return nil
	}
	return tallystick.Errorf(tallystick.Invalid, "the segment file is damaged, or is none of ours: %w", err).
		WithHint("fetch it again, or restore it from a backup: its digest is on the trail")
}
