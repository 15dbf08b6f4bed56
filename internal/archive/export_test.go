package archive

import (
	"context"

	"github.com/tallystick/tallystick/internal/prediction"
)

// Reached has fn called after each stage of a change: "put" and "registered"; and "removed" when a file is, which is still to be
// written down.
func (a *Archive) Reached(fn func(stage string)) { a.reached = fn }

// Candidates returns how many segments can hold an id.
func (a *Archive) Candidates(ctx context.Context, id prediction.ID) (int, error) {
	rows, _, err := a.around(ctx, id)
	return len(rows), err
}
