package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tallystick/tallystick"
)

// Blobs keeps bytes by their digest. Put returns only when they are durable; Get returns a NotFound
// error for what is not there, and its reader ends in an error, not in io.EOF, if the bytes are not
// the digest's.
type Blobs interface {
	Put(ctx context.Context, r io.Reader) (tallystick.Digest, int64, error)
	Get(ctx context.Context, d tallystick.Digest) (io.ReadCloser, error)
}

// maxEvidence bounds what Get reads into memory, in bytes.
const maxEvidence = 128 << 20

// Store keeps evidence that fits in memory: envelopes, reports, policies, criteria.
type Store struct{ blobs Blobs }

// NewStore returns a store over blobs.
func NewStore(blobs Blobs) *Store { return &Store{blobs} }

// Put stores data durably and returns its digest. It is no error if it is there already.
func (s *Store) Put(ctx context.Context, data []byte) (tallystick.Digest, error) {
	d, _, err := s.blobs.Put(ctx, bytes.NewReader(data))
	if err != nil {
		return "", fmt.Errorf("store evidence: %w", err)
	}
	return d, nil
}

// Has reports whether there are bytes of d, without reading them.
func (s *Store) Has(ctx context.Context, d tallystick.Digest) bool {
	r, err := s.blobs.Get(ctx, d)
	if err != nil {
		return false
	}
	_ = r.Close() // nothing was read
	return true
}

// Get returns the bytes of d, having compared them with it.
func (s *Store) Get(ctx context.Context, d tallystick.Digest) ([]byte, error) {
	r, err := s.blobs.Get(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxEvidence+1))
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	if len(data) > maxEvidence || tallystick.DigestOf(data) != d {
		return nil, fmt.Errorf("read evidence: %s is damaged or larger than %d bytes", d, maxEvidence)
	}
	return data, nil
}
