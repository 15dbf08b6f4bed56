package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/semaphore"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/journal"
)

const (
	maxBatch  = 8 << 20  // bytes of a body, both as it comes and unpacked
	maxIntake = 48 << 20 // bytes of all bodies that are held at once
	maxTaken  = 6 << 20  // of those that are being read as records and made durable, or one: records take six times as much

	batchWait = 30 * time.Second // for a body

	mediaLines = "application/x-ndjson"
)

// bodyError is a fault of a body that has an HTTP status of its own.
type bodyError struct {
	told   *tallystick.Error
	status int
}

func (e *bodyError) Error() string { return e.told.Error() }

// Unwrap lets the error be told as what it is.
func (e *bodyError) Unwrap() error { return e.told }

func errTooLarge() error {
	return &bodyError{
		tallystick.Errorf(tallystick.Invalid, "the body has more than %d MiB", maxBatch>>20).WithHint("send fewer records at once"), http.StatusRequestEntityTooLarge,
	}
}

func errUnsupported(format, is, hint string) error {
	return &bodyError{tallystick.Errorf(tallystick.Invalid, format, is).WithHint("%s", hint), http.StatusUnsupportedMediaType}
}

// intake holds the bodies of batches, within bounds: what a body takes is reserved before it is read.
type intake struct {
	wait time.Duration // for a body

	mu   sync.Mutex
	left int64

	unpacking chan struct{}       // holds one for each body that is being unpacked
	taking    *semaphore.Weighted // bytes of bodies that are records now
	zstd      sync.Pool           // of *zstd.Decoder
	gzip      sync.Pool           // of *gzip.Reader
}

func newIntake() *intake {
	return &intake{wait: batchWait, left: maxIntake, unpacking: make(chan struct{}, runtime.GOMAXPROCS(0)), taking: semaphore.NewWeighted(maxTaken)}
}

// take reserves n bytes, or returns an error that says when to come again.
func (k *intake) take(n int64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left < n {
		full := &journal.FullError{RetryAfter: time.Second}
		return tallystick.Errorf(tallystick.Unavailable, "too many batches are coming in at once: %w", full).WithHint("send the batch again in a second")
	}
	k.left -= n
	return nil
}

func (k *intake) give(n int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.left += n
}

// read returns the body of a batch, unpacked. release, which is never nil, lets its memory go.
func (k *intake) read(w http.ResponseWriter, r *http.Request) (body []byte, release func(), err error) {
	var held int64
	release = func() { k.give(held) }
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" && kind != mediaLines {
		return nil, release, errUnsupported("the body is of the type %.64q", r.Header.Get("Content-Type"), "send application/json or "+mediaLines)
	}
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	switch encoding {
	case "", "identity", "gzip", "zstd":
	default:
		return nil, release, errUnsupported("the body is encoded as %.64q", encoding, "send it plain, or as gzip or zstd")
	}
	if body, err = k.receive(w, r, &held); err != nil || encoding == "" || encoding == "identity" {
		return body, release, err
	}
	body, err = k.unpack(r.Context(), encoding, body, &held)
	return body, release, err
}

// receive reads a body as it comes. It must not take long: what has come takes room that others want.
func (k *intake) receive(w http.ResponseWriter, r *http.Request, held *int64) (_ []byte, err error) {
	if r.ContentLength > maxBatch {
		return nil, errTooLarge()
	}
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(k.wait)) // a connection that cannot is one without a network
	defer func() {
		if err == nil { // else it stays: what is left of a slow body is not waited for
			_ = conn.SetReadDeadline(time.Time{})
		}
	}()
	from := http.MaxBytesReader(w, r.Body, maxBatch)                  // closes the connection if there is more
	size := min(max(r.ContentLength, 16<<10)+bytes.MinRead, maxBatch) // a byte more than announced shows that it ends
	var body []byte
	for {
		if err := k.take(size - int64(cap(body))); err != nil {
			return nil, err
		}
		*held += size - int64(cap(body))
		grown := make([]byte, len(body), size)
		copy(grown, body)
		body = grown
		for len(body) < cap(body) {
			n, err := from.Read(body[len(body):cap(body)])
			body = body[:len(body)+n]
			switch {
			case err == io.EOF:
				return body, nil
			case err != nil:
				return nil, k.broken(err, len(body))
			}
		}
		if size == maxBatch { // nothing may follow
			if _, err := io.ReadFull(from, make([]byte, 1)); err == io.EOF {
				return body, nil
			}
			return nil, errTooLarge()
		}
		size = min(2*size, maxBatch)
	}
}

func (k *intake) broken(err error, after int) error {
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return errTooLarge()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		full := &journal.FullError{RetryAfter: time.Second}
		return tallystick.Errorf(tallystick.Unavailable, "the body took longer than %s: %w", k.wait, full).WithHint("send the batch again, or fewer records at once")
	}
	return tallystick.Errorf(tallystick.Invalid, "the body broke off after %d bytes: %w", after, err).WithHint("send the batch again")
}

// unpack returns what a body was before it was packed. Few bodies are unpacked at once, so that each may
// have all the room of the largest until it is known how large it is.
func (k *intake) unpack(ctx context.Context, encoding string, packed []byte, held *int64) (body []byte, err error) {
	select {
	case k.unpacking <- struct{}{}:
		defer func() { <-k.unpacking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := k.take(maxBatch); err != nil {
		return nil, err
	}
	defer func() {
		k.give(maxBatch - int64(cap(body)))
		*held += int64(cap(body))
	}()
	if encoding == "zstd" {
		body, err = k.unpackZstd(packed)
	} else {
		body, err = k.unpackGzip(packed)
	}
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) || err == nil && len(body) > maxBatch:
		return nil, errTooLarge()
	case err != nil:
		return nil, tallystick.Errorf(tallystick.Invalid, "the body is no %s: %w", encoding, err)
	}
	return body, nil
}

func (k *intake) unpackZstd(packed []byte) ([]byte, error) {
	d, _ := k.zstd.Get().(*zstd.Decoder)
	if d == nil {
		var err error
		d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBatch), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, fmt.Errorf("make a decoder of zstd: %w", err)
		}
	}
	defer k.zstd.Put(d)
	return d.DecodeAll(packed, nil)
}

func (k *intake) unpackGzip(packed []byte) ([]byte, error) {
	d, _ := k.gzip.Get().(*gzip.Reader)
	if d == nil {
		d = new(gzip.Reader)
	}
	if err := d.Reset(bytes.NewReader(packed)); err != nil {
		return nil, err
	}
	defer k.gzip.Put(d)
	var body bytes.Buffer
	_, err := body.ReadFrom(io.LimitReader(d, maxBatch+1))
	return body.Bytes(), err
}
