package api

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tallystick/tallystick"
)

// slow yields one byte of a body each time it has waited.
type slow struct {
	wait time.Duration
	left int
}

func (s *slow) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.wait)
	s.left--
	p[0] = 'x'
	return 1, nil
}

func TestPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := http.NewResponseController(httptest.NewRecorder())
		n, err := io.Copy(io.Discard, newPacedReader(&slow{time.Second, 1 << 20}, conn))
		if tallystick.CodeOf(err) != tallystick.Unavailable || n < 50 || n > 70 {
			t.Errorf("a byte a second ends after %d with %v", n, err)
		}
		if n, err := io.Copy(io.Discard, newPacedReader(&slow{time.Second, 50}, conn)); n != 50 || err != nil {
			t.Errorf("a small body that is slow: %d bytes, %v", n, err)
		}
	})
}

type failing struct{ io.Reader }

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errors.New("damaged")
	}
	return n, err
}

// TestPump: what ends in an error is cut before its end.
func TestPump(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 256 << 10, 256<<10 + 1, 1 << 20} {
		body := strings.Repeat("x", size)
		whole, part := httptest.NewRecorder(), httptest.NewRecorder()
		if err := pump(t.Context(), whole, http.NewResponseController(whole), strings.NewReader(body)); err != nil || whole.Body.String() != body {
			t.Errorf("%d bytes: %d came, %v", size, whole.Body.Len(), err)
		}
		if err := pump(t.Context(), part, http.NewResponseController(part), failing{strings.NewReader(body)}); err == nil || size > 0 && part.Body.Len() >= size {
			t.Errorf("%d bytes with damage: %d came, %v", size, part.Body.Len(), err)
		}
	}
}
