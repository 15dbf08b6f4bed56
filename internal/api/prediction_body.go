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
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/semaphore"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
)

const (
	maxBatch  = 8 << 20  // bytes of a body, both as it comes and unpacked
	maxIntake = 48 << 20 // bytes of all bodies that are held at once
	maxTaken  = 4 << 20  // of those that are being read as records and made durable, or one: records take six times as much

	chunkSize = 64 << 10 // bytes of a body that are read at once

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
	chunks    sync.Pool           // of *[chunkSize]byte
	records   sync.Pool           // of *[]prediction.Record, empty but for the memory of their features
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

// What the records of a batch may have at most for their memory to be used again.
const (
	keptRecords  = 1000
	keptFeatures = 64
)

// borrow returns n empty records. giveBack takes them back, when nobody looks at them any more.
func (k *intake) borrow(n int) *[]prediction.Record {
	records, _ := k.records.Get().(*[]prediction.Record)
	if records == nil {
		records = new([]prediction.Record)
	}
	*records = slices.Grow(*records, n)[:n]
	return records
}

func (k *intake) giveBack(records *[]prediction.Record) {
	if len(*records) > keptRecords {
		return
	}
	for i := range *records {
		r := &(*records)[i]
		if cap(r.Features) > keptFeatures || cap(r.Attributions) > keptFeatures {
			*r = prediction.Record{}
			continue
		}
		clear(r.Features) // the texts are in the body
		clear(r.Attributions)
		*r = prediction.Record{Features: r.Features[:0], Attributions: r.Attributions[:0]}
	}
	*records = (*records)[:0]
	k.records.Put(records)
}

// read returns the body of a batch, unpacked. release, which is never nil, lets its memory go.
func (k *intake) read(w http.ResponseWriter, r *http.Request) (body string, release func(), err error) {
	var held int64
	release = func() { k.give(held) }
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" && kind != mediaLines {
		return "", release, errUnsupported("the body is of the type %.64q", r.Header.Get("Content-Type"), "send application/json or "+mediaLines)
	}
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	switch encoding {
	case "", "identity", "gzip", "zstd":
	default:
		return "", release, errUnsupported("the body is encoded as %.64q", encoding, "send it plain, or as gzip or zstd")
	}
	if body, err = k.receive(w, r, &held); err != nil || encoding == "" || encoding == "identity" {
		return body, release, err
	}
	body, err = k.unpack(r.Context(), encoding, body, &held)
	return body, release, err
}

// receive reads a body as it comes. It must not take long: what has come takes room that others want. What it returns is
// a text because records are read from one, and share it.
func (k *intake) receive(w http.ResponseWriter, r *http.Request, held *int64) (_ string, err error) {
	if r.ContentLength > maxBatch {
		return "", errTooLarge()
	}
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(k.wait)) // a connection that cannot is one without a network
	defer func() {
		if err == nil { // else it stays: what is left of a slow body is not waited for
			_ = conn.SetReadDeadline(time.Time{})
		}
	}()
	from := http.MaxBytesReader(w, r.Body, maxBatch) // closes the connection if there is more
	chunk, _ := k.chunks.Get().(*[chunkSize]byte)
	if chunk == nil {
		chunk = new([chunkSize]byte)
	}
	defer k.chunks.Put(chunk)
	body := new(strings.Builder)
	for {
		n, err := from.Read(chunk[:])
		if body.Len()+n > int(*held) {
			room := min(max(r.ContentLength, 2**held, int64(n)), maxBatch)
			if err := k.take(room - *held); err != nil {
				return "", err
			}
			*held = room
			larger := new(strings.Builder)
			larger.Grow(int(room))
			larger.WriteString(body.String())
			body = larger
		}
		body.Write(chunk[:n])
		switch {
		case err == io.EOF:
			return body.String(), nil
		case err != nil:
			return "", k.broken(err, body.Len())
		}
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
// have all the room of the largest, twice, until it is known how large it is.
func (k *intake) unpack(ctx context.Context, encoding, packed string, held *int64) (body string, err error) {
	select {
	case k.unpacking <- struct{}{}:
		defer func() { <-k.unpacking }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if err := k.take(2 * maxBatch); err != nil {
		return "", err
	}
	defer func() {
		k.give(2*maxBatch - int64(len(body)))
		*held += int64(len(body))
	}()
	var plain []byte
	if encoding == "zstd" {
		plain, err = k.unpackZstd(packed)
	} else {
		plain, err = k.unpackGzip(packed)
	}
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) || err == nil && len(plain) > maxBatch:
		return "", errTooLarge()
	case err != nil:
		return "", tallystick.Errorf(tallystick.Invalid, "the body is no %s: %w", encoding, err)
	}
	return string(plain), nil
}

func (k *intake) unpackZstd(packed string) ([]byte, error) {
	d, _ := k.zstd.Get().(*zstd.Decoder)
	if d == nil {
		var err error
		d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBatch), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, fmt.Errorf("make a decoder of zstd: %w", err)
		}
	}
	defer k.zstd.Put(d)
	return d.DecodeAll([]byte(packed), nil)
}

func (k *intake) unpackGzip(packed string) ([]byte, error) {
	d, _ := k.gzip.Get().(*gzip.Reader)
	if d == nil {
		d = new(gzip.Reader)
	}
	if err := d.Reset(strings.NewReader(packed)); err != nil {
		return nil, err
	}
	defer k.gzip.Put(d)
	var body bytes.Buffer
	_, err := body.ReadFrom(io.LimitReader(d, maxBatch+1))
	return body.Bytes(), err
}
