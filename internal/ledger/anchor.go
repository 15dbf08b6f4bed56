package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

// AnchorState is what was found at the path of an anchor: a copy of the newest checkpoint, kept where
// restoring an old copy of the log does not reach it.
type AnchorState string

const (
	AnchorNone    AnchorState = "none"    // no path was given: only the guard would notice an old copy
	AnchorMissing AnchorState = "missing" // nothing is there, which is right only before the first checkpoint
	AnchorHeld    AnchorState = "held"    // the log holds everything that the anchor says
)

const restoredHint = "was it restored from an old backup? use `tallystick restore`, which opens a new log that says so"

// readAnchor reads and verifies the anchor at path.
func readAnchor(path, origin string, known note.Verifiers) (checkpoint, AnchorState, error) {
	if path == "" {
		return checkpoint{}, AnchorNone, nil
	}
	raw, err := readFile(path, nil, maxCheckpoint)
	if errors.Is(err, os.ErrNotExist) {
		return checkpoint{}, AnchorMissing, nil
	}
	if err != nil {
		return checkpoint{}, "", fmt.Errorf("read anchor: %w", err)
	}
	cp, err := parseCheckpoint(raw, origin)
	if err == nil && known != nil {
		err = cp.verify(known)
	}
	if err != nil {
		return checkpoint{}, "", damaged(path, "not a good anchor: %v", err)
	}
	return cp, AnchorHeld, nil
}

// inspectAnchor refuses a log that is behind its anchor or has another history.
func (l *Log) inspectAnchor(t tree) error {
	cp, found, err := readAnchor(l.cfg.Anchor, l.cfg.Origin, l.cfg.Verifiers)
	if err != nil {
		return err
	}
	l.anchor = found
	if found != AnchorHeld {
		return nil
	}
	return t.mustHold(cp, l.cfg.Anchor)
}

// mustHold checks that the tree holds all that the anchor at path says.
func (t tree) mustHold(anchor checkpoint, path string) error {
	if anchor.Size > t.size {
		return tallystick.Errorf(tallystick.Conflict, "ledger %q has %d entries, but its anchor %q has seen %d", t.dir, t.size, path, anchor.Size).
			WithHint(restoredHint)
	}
	root, err := t.rootAt(anchor.Size)
	if err != nil {
		return err
	}
	if !bytes.Equal(root, anchor.Hash) {
		return tallystick.Errorf(tallystick.Conflict, "the first %d entries of ledger %q are not those that its anchor %q has seen", anchor.Size, t.dir, path).
			WithHint(restoredHint)
	}
	return nil
}

// writeAnchor makes cp the anchor. One that is newer stays: its checkpoint was signed, and the tree
// that it speaks of is here.
func (l *Log) writeAnchor(cp checkpoint) error {
	if l.cfg.Anchor == "" {
		return nil
	}
	if old, found, err := readAnchor(l.cfg.Anchor, l.cfg.Origin, l.cfg.Verifiers); err == nil && found == AnchorHeld &&
		(old.Size > cp.Size || bytes.Equal(old.raw, cp.raw)) {
		return nil
	}
	if err := durable.MkdirAll(filepath.Dir(l.cfg.Anchor), 0o700); err != nil {
		return fmt.Errorf("anchor: %w", err)
	}
	err := durable.WriteFile(l.cfg.Anchor, 0o600, func(w io.Writer) error {
		_, err := w.Write(cp.raw)
		return err
	})
	if err != nil {
		return fmt.Errorf("anchor: %w", err)
	}
	return nil
}

// missing turns the absence of a file that every log has into damage.
func missing(err error, name string) error {
	if errors.Is(err, os.ErrNotExist) {
		return damaged(name, "it is missing")
	}
	return err
}
