package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tallystick/tallystick"
)

const (
	readWait   = 30 * time.Second // for the next bytes of a stream
	grace      = time.Minute      // in which a stream may be slower than leastSpeed
	leastSpeed = 16 << 10         // bytes a second of a stream as a whole
)

// Stream is the body of a request that is not held in memory.
type Stream struct {
	body *pacedReader
}

// Resolve implements huma.Resolver: it is called before the operation and takes the body.
func (s *Stream) Resolve(ctx huma.Context) []error {
	r, w := humago.Unwrap(ctx)
	s.body = newPacedReader(r.Body, http.NewResponseController(w))
	return nil
}

// pacedReader reads a body of any length from a sender who must keep going: it gives up on one who
// sends nothing for a while, or so little that it would take for ever.
type pacedReader struct {
	r       io.Reader
	conn    *http.ResponseController
	started time.Time
	read    int64
}

func newPacedReader(r io.Reader, conn *http.ResponseController) *pacedReader {
	_ = conn.SetWriteDeadline(time.Time{}) // a connection that cannot is one without a network
	return &pacedReader{r: r, conn: conn, started: time.Now()}
}

// Read implements io.Reader.
func (p *pacedReader) Read(b []byte) (int, error) {
	_ = p.conn.SetReadDeadline(time.Now().Add(readWait))
	n, err := p.r.Read(b)
	p.read += int64(n)
	if since := time.Since(p.started); err == nil && since > grace && float64(p.read) < leastSpeed*since.Seconds() {
		return n, tallystick.Errorf(tallystick.Unavailable, "%d bytes in %s are too slow", p.read, since.Round(time.Second)).WithHint("send at least %d bytes a second", leastSpeed)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = tallystick.Errorf(tallystick.Unavailable, "the body broke off after %d bytes: %w", p.read, err).WithHint("send it again")
	}
	return n, err
}

// send streams what r yields as the answer. An error in the middle cuts the connection, so that nobody
// takes a part for the whole.
func send(contentType string, size int64, headers map[string]string, r io.ReadCloser) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer r.Close()
		_, w := humago.Unwrap(ctx)
		conn := http.NewResponseController(w)
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Length", itoa(size))
		for name, value := range headers {
			h.Set(name, value)
		}
		w.WriteHeader(http.StatusOK)
		if err := pump(ctx.Context(), w, conn, r); err != nil {
			panic(http.ErrAbortHandler)
		}
	}}
}

// pump writes what r yields, the last bytes only once r has ended well: a reader that finds damage finds
// it at the end, and the answer must be too short then.
func pump(ctx context.Context, w io.Writer, conn *http.ResponseController, r io.Reader) error {
	const size = 256 << 10
	held, next := make([]byte, 0, size), make([]byte, size)
	write := func() error {
		_ = conn.SetWriteDeadline(time.Now().Add(readWait)) // a connection that cannot is one without a network
		_, err := w.Write(held)
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(next[:size])
		if n > 0 {
			if err := write(); err != nil {
				return err
			}
			held, next = next[:n], held
		}
		if err == io.EOF {
			return write()
		}
		if err != nil {
			return err
		}
	}
}
