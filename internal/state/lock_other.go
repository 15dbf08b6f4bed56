//go:build !unix

package state

import "context"

// lockDir does nothing: where there is no flock, two processes that create one database at the same
// moment can fail with "table already exists", which a second start heals.
func lockDir(context.Context, string) (unlock func(), err error) { return func() {}, nil }
