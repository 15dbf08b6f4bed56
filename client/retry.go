package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tallystick/tallystick"
)

const (
	tries      = 4 // of a request that is safe to repeat
	firstWait  = 200 * time.Millisecond
	maxWait    = 30 * time.Second // that a server may ask for; longer is not waited for
	answerWait = time.Minute      // for the beginning of an answer
	longWait   = 2 * time.Hour    // likewise, where a server first has to store a large file
	stallWait  = time.Minute      // for the next bytes of a body, in either direction
)

var errStalled = fmt.Errorf("no byte has moved for %s", stallWait)

// passing is an error after which another try can help.
type passing struct {
	error
	wait time.Duration // that the server asks for
}

func (p passing) Unwrap() error { return p.error }

// repeat calls once until it succeeds, fails for good, or has been called often enough.
func repeat(ctx context.Context, once func() error) error {
	wait := firstWait
	for try := 1; ; try++ {
		err := once()
		var again passing
		if !errors.As(err, &again) {
			return err
		}
		pause := max(again.wait, wait/2+rand.N(wait)) //nolint:gosec // chance is enough for not all who were refused to come back at once
		deadline, limited := ctx.Deadline()
		if try == tries || again.wait > maxWait || limited && time.Until(deadline) < pause {
			return again.error
		}
		select {
		case <-time.After(pause):
			wait *= 2
		case <-ctx.Done():
			return again.error
		}
	}
}

// refused marks the error of an answer as passing if the status says so.
func refused(response *http.Response, err error) error {
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return passing{err, retryAfter(response.Header.Get("Retry-After"))}
	}
	return err
}

// retryAfter reads the field of RFC 9110 section 10.2.3; what it is not counts as none.
func retryAfter(field string) time.Duration {
	if seconds, err := strconv.ParseUint(field, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(field); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// send sends a request, which ends with the body of its answer, or when no byte of a body moves.
func (c *Client) send(by *http.Client, r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	stalled := func() { cancel(errStalled) }
	sent := r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		body := r.Body
		if r.ContentLength > 0 {
			body = exactly(body, r.ContentLength)
		}
		sent.Body = &outbound{ReadCloser: body, watch: stopped(stalled)}
	}
	response, err := by.Do(sent)
	if err != nil {
		if errors.Is(context.Cause(ctx), errStalled) {
			err = errStalled
		}
		cancel(nil)
		return nil, c.unreachable(r, err)
	}
	response.Body = &watched{ReadCloser: response.Body, ctx: ctx, cancel: cancel, watch: stopped(stalled)}
	return response, nil
}

func stopped(call func()) *time.Timer {
	t := time.AfterFunc(stallWait, call)
	t.Stop()
	return t
}

// watched is the body of an answer; the time between its reads is the reader's own.
type watched struct {
	io.ReadCloser
	ctx    context.Context //nolint:containedctx // that of the request that the body belongs to
	cancel context.CancelCauseFunc
	watch  *time.Timer
}

// Read implements io.Reader.
func (b *watched) Read(p []byte) (int, error) {
	b.watch.Reset(stallWait)
	n, err := b.ReadCloser.Read(p)
	b.watch.Stop()
	if err != nil && err != io.EOF && errors.Is(context.Cause(b.ctx), errStalled) {
		err = errStalled
	}
	return n, err
}

// Close implements io.Closer.
func (b *watched) Close() error {
	b.watch.Stop()
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}

// outbound is the body of a request; the time within its reads is the sender's own.
type outbound struct {
	io.ReadCloser
	watch *time.Timer
}

// Read implements io.Reader.
func (b *outbound) Read(p []byte) (int, error) {
	b.watch.Stop()
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		b.watch.Reset(stallWait)
	}
	return n, err
}

// Close implements io.Closer.
func (b *outbound) Close() error {
	b.watch.Stop()
	return b.ReadCloser.Close()
}

// unreachable returns the error of a request that got no answer, or not all of one.
func (c *Client) unreachable(r *http.Request, err error) error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if told := (*tallystick.Error)(nil); errors.As(err, &told) { // of a handler in the same process
		return err
	}
	if ended := r.Context().Err(); ended != nil && !errors.Is(context.Cause(r.Context()), errStalled) {
		return fmt.Errorf("ask %s: %w", c.config.Server, ended)
	}
	if untrusted := (*tls.CertificateVerificationError)(nil); errors.As(err, &untrusted) {
		return tallystick.Errorf(tallystick.Unavailable, "server %s does not prove who it is: %w", c.config.Server, err).
			WithHint("is the name the one in its certificate? SSL_CERT_FILE can name a file with the authority that issued it")
	}
	return passing{error: tallystick.Errorf(tallystick.Unavailable, "server %s cannot be reached: %w", c.config.Server, err).WithHint("is `tallystick serve` running there?")}
}
