package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/note"
)

// Guard remembers the newest checkpoint of a log in a place that does not roll back together with the
// log's directory: a row of a database, say.
type Guard interface {
	// Advance durably replaces the remembered size and root by these, or returns an error and keeps
	// what it has: if size is smaller than the remembered one, or equal with another root. Asking again
	// for what it remembers succeeds. A checkpoint is signed only after a nil return. An error, of
	// whatever kind, stops the log.
	Advance(ctx context.Context, origin string, size uint64, root []byte) error
}

// guardedSigner is the only signer that Tessera sees. It signs a checkpoint if the tiles say so, if
// the tree extends what was signed before, and if the guard agrees.
type guardedSigner struct {
	log *Log

	mu   sync.Mutex
	last checkpoint // the newest one signed, or found by Open
}

// Name and KeyHash implement note.Signer.
func (s *guardedSigner) Name() string    { return s.log.cfg.Signer.Name() }
func (s *guardedSigner) KeyHash() uint32 { return s.log.cfg.Signer.KeyHash() }

// Sign implements note.Signer. Every refusal stops the log.
func (s *guardedSigner) Sign(body []byte) ([]byte, error) {
	if err := s.log.ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.log.failure(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next, err := s.admit(body)
	if err != nil {
		return nil, s.log.fail(fmt.Errorf("no checkpoint is signed: %w", err))
	}
	sig, err := s.log.cfg.Signer.Sign(body)
	if err != nil {
		return nil, s.log.fail(fmt.Errorf("sign checkpoint: %w", err))
	}
	next.raw, err = note.Sign(&note.Note{Text: string(body)}, signature{s, sig})
	if err != nil {
		return nil, s.log.fail(fmt.Errorf("sign checkpoint: %w", err))
	}
	s.last = next
	select {
	case s.log.signed <- struct{}{}:
	default: // watch is awake already
	}
	return sig, nil
}

func (s *guardedSigner) admit(body []byte) (checkpoint, error) {
	next, err := parseBody(body)
	if err != nil {
		return next, err
	}
	dir := s.log.cfg.Dir
	if s.last.Hash != nil {
		// Tessera only logs a failure to write the checkpoint, and signs again.
		onDisk, err := readCheckpoint(dir, s.log.cfg.Origin)
		if err != nil {
			return next, fmt.Errorf("read back the checkpoint: %w", err)
		}
		if onDisk.Size != s.last.Size {
			return next, fmt.Errorf("the checkpoint of %d entries was signed but not written", s.last.Size)
		}
	}
	if next.Size < s.last.Size {
		return next, fmt.Errorf("the tree shrank from %d to %d entries", s.last.Size, next.Size)
	}
	t := tree{dir: dir, size: next.Size}
	if err := t.mustHave(next); err != nil {
		return next, err
	}
	if s.last.Hash != nil {
		if err := t.mustHave(s.last); err != nil {
			return next, err
		}
	}
	ctx, cancel := context.WithTimeout(s.log.ctx, guardTimeout)
	defer cancel()
	return next, s.log.cfg.Guard.Advance(ctx, next.Origin, next.Size, next.Hash)
}

// mustHave checks that the tree had the root of cp at its size.
func (t tree) mustHave(cp checkpoint) error {
	root, err := t.rootAt(cp.Size)
	if err != nil {
		return err
	}
	if !bytes.Equal(root, cp.Hash) {
		return fmt.Errorf("the first %d entries are not those of the checkpoint of that size", cp.Size)
	}
	return nil
}

// newest returns the newest checkpoint that was signed, or that Open found.
func (s *guardedSigner) newest() checkpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// signature is a note.Signer whose one signature is made already.
type signature struct {
	note.Signer
	sig []byte
}

func (s signature) Sign([]byte) ([]byte, error) { return s.sig, nil }

// refusingSigner is for appenders that have no business to publish.
type refusingSigner struct{ origin string }

func (r refusingSigner) Name() string              { return r.origin }
func (refusingSigner) KeyHash() uint32             { return 0 }
func (refusingSigner) Sign([]byte) ([]byte, error) { return nil, errors.New("not the publisher") }
