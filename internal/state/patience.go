package state

import (
	"context"
	"errors"
	"time"
)

const patiencePause = 250 * time.Millisecond

// Patiently calls fn again, after a pause, for as long as its error says that a database server cannot
// be reached and ctx lasts, and returns its last error. fn must do no harm when it runs twice, also
// when the first time has had its effect. For what a stopped SQLite database says, nothing is repeated.
func Patiently(ctx context.Context, fn func() error) error {
	for {
		err := fn()
		if !errors.Is(err, errUnreachable) {
			return err
		}
		select {
		case <-time.After(patiencePause):
		case <-ctx.Done():
			return err
		}
	}
}
