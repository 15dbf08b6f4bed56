package ledger

import "fmt"

// DamageError names the first file of a log that does not hold what it must.
type DamageError struct {
	File   string // relative to the log's directory; the anchor by its own path
	Reason string
}

func (e *DamageError) Error() string { return fmt.Sprintf("ledger file %s: %s", e.File, e.Reason) }

func damaged(file, format string, args ...any) error {
	return &DamageError{File: file, Reason: fmt.Sprintf(format, args...)}
}
