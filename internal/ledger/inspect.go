package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

// prepare makes the directory of a new log, or makes sure that there is one to open.
func prepare(dir string, create bool) error {
	if create {
		if err := durable.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("create ledger: %w", err)
		}
		return nil
	}
	for _, name := range []string{checkpointFile, stateFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return nil
		} else if !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("open ledger: %w", err)
		}
	}
	return tallystick.Errorf(tallystick.NotFound, "there is no ledger in %q", dir).
		WithHint("if one was there, restore it from a backup; a new log is created only when asked for")
}

// inspectEmpty makes sure that nothing is overwritten by a creation. It accepts what a creation that
// was cut short leaves behind.
func (l *Log) inspectEmpty() error {
	entries, err := os.ReadDir(l.cfg.Dir)
	if err != nil {
		return fmt.Errorf("create ledger: %w", err)
	}
	for _, e := range entries {
		// A crash can leave Tessera's temporary checkpoint, whose name ends in digits.
		if name := e.Name(); name == lockFile || name == stateDir || strings.Trim(name, "0123456789") == checkpointFile && name != checkpointFile {
			continue
		}
		return tallystick.Errorf(tallystick.Conflict, "directory %q is not empty: it holds %q", l.cfg.Dir, e.Name()).
			WithHint("create a ledger in a new directory")
	}
	state, err := readState(l.cfg.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if state.Size > 0 {
		return tallystick.Errorf(tallystick.Conflict, "directory %q holds the state of a ledger of %d entries", l.cfg.Dir, state.Size).
			WithHint("create a ledger in a new directory")
	}
	cp, found, err := readAnchor(l.cfg.Anchor, l.cfg.Origin, l.cfg.Verifiers)
	if err != nil || found == AnchorHeld && cp.Size > 0 { // the anchor of an empty log may be from a creation cut short
		return tallystick.Errorf(tallystick.Conflict, "anchor %q belongs to another log", l.cfg.Anchor).
			WithHint("a new ledger needs an anchor of its own")
	}
	l.anchor = AnchorMissing
	if found == AnchorNone {
		l.anchor = AnchorNone
	}
	return nil
}

// inspect compares everything that Open finds before it accepts entries.
func (l *Log) inspect(ctx context.Context) error {
	dir := l.cfg.Dir
	if err := readVersion(dir); err != nil {
		return err
	}
	cp, err := readCheckpoint(dir, l.cfg.Origin)
	if errors.Is(err, os.ErrNotExist) {
		if state, err := readState(dir); err == nil && state.Size == 0 {
			return tallystick.Errorf(tallystick.NotFound, "there is no ledger in %q: its creation was cut short", dir).
				WithHint("create it again; nothing was recorded")
		}
	}
	if err != nil {
		return missing(err, checkpointFile)
	}
	if err := cp.verify(l.cfg.Verifiers); err != nil {
		return damaged(checkpointFile, "%v", err)
	}
	state, err := readState(dir)
	if err != nil {
		return missing(err, stateFile)
	}
	t := tree{dir: dir, size: state.Size}
	root, err := t.rootAt(state.Size)
	if err != nil {
		return err
	}
	if !bytes.Equal(root, state.Root) {
		return damaged(stateFile, "its root hash is not that of the %d entries", state.Size)
	}
	if cp.Size > state.Size {
		return damaged(stateFile, "it has %d entries and the checkpoint has %d", state.Size, cp.Size)
	}
	if err := t.mustHave(cp); err != nil {
		return damaged(checkpointFile, "%v", err)
	}
	if err := t.edge(); err != nil {
		return err
	}
	if err := l.inspectAnchor(t); err != nil {
		return err
	}
	// Once asked, the guard must have answered before the lock may go: an answer that comes later would
	// overtake the next holder's.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), guardTimeout)
	defer cancel()
	if err := l.cfg.Guard.Advance(ctx, l.cfg.Origin, state.Size, state.Root); err != nil {
		refused := tallystick.Errorf(tallystick.Conflict, "the guard of ledger %q refuses its %d entries: %w", dir, state.Size, err)
		return refused.WithHint(restoredHint)
	}
	l.size, l.published, l.signer.last = state.Size, cp, cp
	return l.writeAnchor(cp)
}
