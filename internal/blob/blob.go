// Package blob keeps immutable bytes by their digest in a local directory: DIR/sha256/ab/abcd...,
// one file per blob, two levels so that no directory grows without bound.
//
// A blob that Put has returned for is durable, see package durable. Nothing is believed on reading:
// Get hashes what it hands out. Several processes may share one directory.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

// DefaultMaxSize bounds a blob if Config does not: 256 MiB.
const DefaultMaxSize = 256 << 20

const algorithmDir = "sha256"

// ErrDamaged is in the chain of every error about a blob whose bytes do not have its digest.
var ErrDamaged = errors.New("blob is damaged")

// Config says where a store lies and what it takes.
type Config struct {
	Dir     string // created, 0700, if it is missing
	MaxSize int64  // bytes of one blob; DefaultMaxSize if zero
}

// Store is a directory of blobs. It is safe for concurrent use.
type Store struct {
	dir     string
	maxSize int64
}

// Open returns the store of c.
func Open(c Config) (*Store, error) {
	if c.MaxSize == 0 {
		c.MaxSize = DefaultMaxSize
	}
	s := &Store{dir: filepath.Join(c.Dir, algorithmDir), maxSize: c.MaxSize}
	if err := durable.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("open blob store %q: %w", c.Dir, err)
	}
	return s, nil
}

// Put stores what r yields and returns its digest and size. Storing the same bytes again is no
// error and changes nothing, except that it repairs a blob that was damaged.
func (s *Store) Put(ctx context.Context, r io.Reader) (tallystick.Digest, int64, error) {
	return s.put(ctx, r, "")
}

// PutAs is Put of bytes of which the digest is known. Others are an Invalid error, and not stored.
func (s *Store) PutAs(ctx context.Context, r io.Reader, want tallystick.Digest) (int64, error) {
	if err := want.Validate(); err != nil {
		return 0, err
	}
	_, n, err := s.put(ctx, r, want)
	return n, err
}

func (s *Store) put(ctx context.Context, r io.Reader, want tallystick.Digest) (tallystick.Digest, int64, error) {
	f, err := durable.Create(s.dir, 0o400)
	if err != nil {
		return "", 0, fmt.Errorf("store blob: %w", err)
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), io.LimitReader(contextReader{ctx, r}, s.maxSize+1))
	d := tallystick.Digest("sha256:" + hex.EncodeToString(h.Sum(nil)))
	switch {
	case err != nil:
	case n > s.maxSize:
		err = tallystick.Errorf(tallystick.Invalid, "blob is larger than %d bytes", s.maxSize)
	case want != "" && d != want:
		err = tallystick.Errorf(tallystick.Invalid, "the %d bytes have the digest %s, not %s", n, d, want).
			WithHint("was the file changed, or cut off on its way?")
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = tallystick.Errorf(tallystick.Unavailable, "the disk is full: there was no space after %d bytes, and nothing was kept", n).
			WithHint("free space where the store lies and try again")
	}
	if err != nil {
		return "", 0, errors.Join(fmt.Errorf("store blob: %w", err), f.Discard())
	}
	path := s.path(d)
	if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", 0, errors.Join(fmt.Errorf("store blob: %w", err), f.Discard())
	}
	if err := f.Commit(path); err != nil {
		return "", 0, fmt.Errorf("store blob: %w", err)
	}
	return d, n, nil
}

// Get returns the bytes of d. The reader hashes them as it goes: in place of io.EOF it returns an
// error with [ErrDamaged] in its chain if they are not d's, so bytes must not be relied upon
// before its end has been read. A blob that is not there is a NotFound error.
func (s *Store) Get(ctx context.Context, d tallystick.Digest) (io.ReadCloser, error) {
	f, err := s.open(d)
	if err != nil {
		return nil, err
	}
	return &reader{f: f, r: io.LimitReader(contextReader{ctx, f}, s.maxSize+1), hash: sha256.New(), digest: d}, nil
}

// Size returns the number of bytes of d as its file states it, without reading them. A blob that
// is not there is a NotFound error.
func (s *Store) Size(d tallystick.Digest) (int64, error) {
	f, err := s.open(d)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("read blob %s: %w", d, err)
	}
	return info.Size(), nil
}

// Open returns the file of d for reading at any place. Its bytes were d's when they were stored; they are not hashed
// again.
func (s *Store) Open(d tallystick.Digest) (*os.File, error) { return s.open(d) }

func (s *Store) open(d tallystick.Digest) (*os.File, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	f, err := os.Open(s.path(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, tallystick.Errorf(tallystick.NotFound, "blob %s is not in the store", d)
	}
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", d, err)
	}
	return f, nil
}

// path must be given a valid digest.
func (s *Store) path(d tallystick.Digest) string {
	return filepath.Join(s.dir, d.Hex()[:2], d.Hex())
}

type reader struct {
	f      *os.File
	r      io.Reader
	hash   hash.Hash
	digest tallystick.Digest
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.hash.Write(p[:n])
	if errors.Is(err, io.EOF) && hex.EncodeToString(r.hash.Sum(nil)) != r.digest.Hex() {
		err = fmt.Errorf("read blob %s: %w", r.digest, ErrDamaged)
	}
	return n, err
}

func (r *reader) Close() error { return r.f.Close() }

// contextReader stops a long copy when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
