package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/tallystick/tallystick"
)

// heldBack is how much of an answer waits for more, as net/http has it: an answer that ends before is
// one of a known length, and of one that is cut off before nothing is seen.
const heldBack = 2 << 10

var (
	errCutOff = errors.New("the answer was cut off")
	errGone   = errors.New("nobody reads the answer any longer")
)

// Handler carries requests to a handler in the same process, without a network between. As over a
// network, bodies stream in both directions, in constant memory; a handler that aborts cuts its answer
// off, and no panic of it ends the program; it is told through its context when the caller has gone.
// Deadlines of a connection there are none.
type Handler struct{ http.Handler }

// RoundTrip implements http.RoundTripper.
func (h Handler) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // nothing was read from it
		}
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	body, out := io.Pipe()
	e := &exchange{request: r, cancel: cancel, body: body, out: out, head: make(chan struct{}), header: http.Header{}, trailer: http.Header{}}
	e.held = bufio.NewWriterSize((*sender)(e), heldBack)
	served := r.Clone(ctx)
	served.RequestURI, served.RemoteAddr = r.URL.RequestURI(), "in-process"
	if served.Host == "" {
		served.Host = r.URL.Host
	}
	served.Body = e.receive(ctx)
	context.AfterFunc(ctx, func() { _ = out.CloseWithError(context.Cause(ctx)) }) // it cannot fail
	go e.serve(h.Handler, served)

	select {
	case <-e.head:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return e.response, nil
}

// exchange is one request and its answer. The handler's goroutine owns what is below the line until
// head is closed.
type exchange struct {
	request *http.Request
	cancel  context.CancelCauseFunc
	body    *io.PipeReader // of the answer
	out     *io.PipeWriter
	held    *bufio.Writer
	head    chan struct{} // closed once response is there

	header, trailer http.Header
	sent            http.Header // header as it was when the status was written
	status          int
	length          int64 // that the handler has announced; -1 if it has not
	asked, written  int64 // bytes that the handler wanted to write, and that were taken
	response        *http.Response
}

// receive returns the body as the handler reads it. A goroutine carries it over, so that a handler whose
// caller has gone does not wait for a body that does not come.
func (e *exchange) receive(ctx context.Context) io.ReadCloser {
	r := e.request
	if r.Body == nil || r.Body == http.NoBody {
		return http.NoBody
	}
	body := r.Body
	if r.ContentLength > 0 {
		body = exactly(body, r.ContentLength)
	}
	in, w := io.Pipe()
	context.AfterFunc(ctx, func() { _ = in.CloseWithError(context.Cause(ctx)) }) // it cannot fail
	go func() {
		_, err := io.Copy(w, body)
		if err != nil && !errors.Is(err, io.ErrClosedPipe) && ctx.Err() == nil {
			e.cancel(fmt.Errorf("body of the request: %w", err))
		}
		_ = w.CloseWithError(err) // it cannot fail
		_ = r.Body.Close()        // what was to be read from it was read
	}()
	return in
}

// serve calls the handler and ends the answer as the handler has ended.
func (e *exchange) serve(h http.Handler, r *http.Request) {
	err := call(h, e, r)
	_ = r.Body.Close()                          // the caller need not send the rest
	if err == nil && r.Context().Err() != nil { // it may have ended because of that
		err = context.Cause(r.Context())
	}
	if err == nil {
		err = e.finish()
	}
	if e.response == nil {
		e.cancel(err)
	}
	if e.isHead() {
		err = nil
	}
	_ = e.out.CloseWithError(err) // it cannot fail; ctx ends when the answer has been read
}

func (e *exchange) isHead() bool { return e.request.Method == http.MethodHead }

// call returns how the handler ended: by a panic in an error.
func call(h http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		switch fault := recover(); fault {
		case nil:
		case http.ErrAbortHandler:
			err = errCutOff
		default:
			err = tallystick.Errorf(tallystick.Internal, "panic in a request: %v\n%s", fault, debug.Stack())
		}
	}()
	h.ServeHTTP(w, r)
	return nil
}

// finish sends what is held back, and the trailers.
func (e *exchange) finish() error {
	e.WriteHeader(http.StatusOK)
	_, announced := e.sent["Trailer"]
	if e.response == nil && e.length < 0 && !announced && !bodiless(e.status) && (!e.isHead() || e.written > 0) {
		e.length = int64(e.held.Buffered())
		e.sent.Set("Content-Length", strconv.FormatInt(e.length, 10))
	}
	if err := e.FlushError(); err != nil {
		return err
	}
	if e.length > e.written && !e.isHead() && !bodiless(e.status) {
		return io.ErrUnexpectedEOF
	}
	if e.isHead() {
		return nil
	}
	for name, values := range e.header {
		if after, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			e.trailer[after] = values
		} else if _, announced := e.trailer[name]; announced {
			e.trailer[name] = values
		}
	}
	return nil
}

// Header implements http.ResponseWriter.
func (e *exchange) Header() http.Header { return e.header }

// WriteHeader implements http.ResponseWriter. Statuses that announce another are not passed on.
func (e *exchange) WriteHeader(status int) {
	if e.status != 0 || status < 200 {
		return
	}
	e.status, e.sent, e.length = status, e.header.Clone(), -1
	for name := range e.sent {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			delete(e.sent, name)
		}
	}
	if n, err := strconv.ParseInt(e.sent.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		e.length = n
	} else {
		e.sent.Del("Content-Length")
	}
}

// Write implements http.ResponseWriter.
func (e *exchange) Write(p []byte) (int, error) {
	e.WriteHeader(http.StatusOK)
	if bodiless(e.status) {
		return 0, http.ErrBodyNotAllowed
	}
	if e.asked += int64(len(p)); e.length >= 0 && e.asked > e.length {
		return 0, http.ErrContentLength
	}
	if _, typed := e.sent["Content-Type"]; !typed && e.written == 0 && e.response == nil && len(p) > 0 {
		e.sent.Set("Content-Type", http.DetectContentType(p))
	}
	n, err := e.held.Write(p)
	e.written += int64(n)
	return n, err
}

// bodiless reports whether an answer of this status has no body (RFC 9110 section 6.4.1).
func bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

// Flush implements http.Flusher.
func (e *exchange) Flush() { _ = e.FlushError() } // http.Flusher cannot tell

// FlushError is what http.ResponseController calls.
func (e *exchange) FlushError() error {
	e.WriteHeader(http.StatusOK)
	e.release()
	return e.held.Flush()
}

// sender is the way of the answer past what is held back.
type sender exchange

// Write implements io.Writer.
func (s *sender) Write(p []byte) (int, error) {
	(*exchange)(s).release()
	if (*exchange)(s).isHead() {
		return len(p), nil
	}
	return s.out.Write(p)
}

// release lets the caller see the status and the header.
func (e *exchange) release() {
	if e.response != nil {
		return
	}
	if !e.isHead() {
		for _, names := range e.sent["Trailer"] {
			for name := range strings.SplitSeq(names, ",") {
				e.trailer[http.CanonicalHeaderKey(strings.TrimSpace(name))] = nil
			}
		}
		delete(e.sent, "Trailer")
	}
	e.response = &http.Response{
		StatusCode: e.status, Status: strconv.Itoa(e.status) + " " + http.StatusText(e.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: e.sent, Trailer: e.trailer, ContentLength: e.length, Request: e.request,
		Body: &inbound{PipeReader: e.body, cancel: e.cancel},
	}
	if bodiless(e.status) && e.length < 0 && !e.isHead() {
		e.response.ContentLength = 0
	}
	close(e.head)
}

// inbound is the body of an answer.
type inbound struct {
	*io.PipeReader
	cancel context.CancelCauseFunc
	once   sync.Once
}

// Read implements io.Reader.
func (b *inbound) Read(p []byte) (int, error) {
	n, err := b.PipeReader.Read(p)
	if err != nil {
		b.once.Do(func() { b.cancel(errGone) })
	}
	return n, err
}

// Close implements io.Closer. A handler that is not done is told that nobody listens.
func (b *inbound) Close() error {
	b.once.Do(func() { b.cancel(errGone) })
	return b.PipeReader.Close()
}
