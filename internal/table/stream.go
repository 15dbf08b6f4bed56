package table

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"

	"github.com/tallystick/tallystick"
)

const (
	streamChunk = 256 << 10 // bytes that a stream hands over at once
	streamAhead = 4         // chunks that it reads ahead
)

// stream is the text of an input, read, hashed and unpacked ahead of its consumer by a goroutine of
// its own.
type stream struct {
	chunks chan []byte // filled ones, closed at the end
	spare  chan []byte // emptied ones
	cancel context.CancelFunc
	rest   []byte // of the chunk being consumed
	held   []byte // that chunk

	// Owned by the goroutine until chunks is closed.
	err    error
	digest tallystick.Digest
}

// newStream begins to read in from its start. Progress is told of the bytes of the file.
func newStream(ctx context.Context, in *input, progress *progress) *stream {
	ctx, cancel := context.WithCancel(ctx)
	s := &stream{chunks: make(chan []byte, streamAhead), spare: make(chan []byte, streamAhead), cancel: cancel}
	for range streamAhead {
		s.spare <- make([]byte, streamChunk)
	}
	go func() {
		defer close(s.chunks)
		s.err = s.read(ctx, in, progress)
	}()
	return s
}

func (s *stream) read(ctx context.Context, in *input, progress *progress) error {
	raw := newHashing(in, progress)
	text := io.Reader(raw)
	if in.format == formatGzipCSV {
		unpacked, err := gzip.NewReader(raw)
		if err != nil {
			return gzipError(in.path, err)
		}
		first := make([]byte, 4)
		n, err := io.ReadFull(unpacked, first)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return gzipError(in.path, err)
		}
		if string(first[:n]) == "PAR1" {
			return tallystick.Errorf(tallystick.Invalid, "%s is Parquet compressed with gzip", in.path).
				WithHint("unpack it: Parquet is compressed inside")
		}
		text = io.MultiReader(bytes.NewReader(first[:n]), unpacked)
	}
	for {
		var chunk []byte
		select {
		case chunk = <-s.spare:
		case <-ctx.Done():
			return ctx.Err()
		}
		n, err := io.ReadFull(text, chunk[:streamChunk])
		if n > 0 {
			s.chunks <- chunk[:n]
		}
		switch {
		case err == nil:
			continue
		case err != io.EOF && err != io.ErrUnexpectedEOF:
			return gzipError(in.path, err)
		}
		// io.ReadFull says unexpected EOF both for the end of the text and for a gzip stream cut
		// short; a further Read tells which.
		if n, err := text.Read(chunk[:1]); n != 0 || err != io.EOF {
			return gzipError(in.path, err)
		}
		s.digest = raw.digest()
		return nil
	}
}

func gzipError(path string, err error) error {
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) {
		return tallystick.Errorf(tallystick.Invalid, "%s is a damaged or truncated gzip file: %w", path, err).
			WithHint("fetch or compress it again")
	}
	return tallystick.Errorf(tallystick.Invalid, "%s: cannot be read: %w", path, err)
}

// Read gives the text in order.
func (s *stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.held != nil {
			s.spare <- s.held[:streamChunk] // never blocks: there are as many places as chunks
			s.held = nil
		}
		chunk, ok := <-s.chunks
		if !ok {
			if s.err != nil {
				return 0, s.err
			}
			return 0, io.EOF
		}
		s.held, s.rest = chunk, chunk
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// close stops the goroutine and waits for it.
func (s *stream) close() {
	s.cancel()
	for range s.chunks {
	}
}

// hashing reads a whole input and hashes what it reads.
type hashing struct {
	section  *io.SectionReader
	hash     hash.Hash
	progress *progress
}

func newHashing(in *input, progress *progress) *hashing {
	return &hashing{io.NewSectionReader(in.file, 0, in.size), sha256.New(), progress}
}

func (h *hashing) Read(p []byte) (int, error) {
	n, err := h.section.Read(p)
	h.hash.Write(p[:n])
	h.progress.add(int64(n))
	return n, err
}

func (h *hashing) digest() tallystick.Digest {
	return tallystick.Digest("sha256:" + hex.EncodeToString(h.hash.Sum(nil)))
}

// progress counts bytes for Options.Progress. One goroutine uses it at a time.
type progress struct {
	done, total int64
	report      func(done, total int64)
}

func (p *progress) add(n int64) {
	if p == nil || p.report == nil {
		return
	}
	p.done += n
	p.report(p.done, p.total)
}
