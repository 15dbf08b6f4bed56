package client

import (
	"errors"
	"io"

	"github.com/tallystick/tallystick"
)

// exact is a body of as many bytes as were announced. It fails before the last of them if there are fewer
// or more: else a server could have answered for the beginning of a longer one before that is noticed.
type exact struct {
	io.ReadCloser
	size, left int64
}

// exactly returns the body as one of size bytes.
func exactly(body io.ReadCloser, size int64) *exact { return &exact{body, size, size} }

// Read implements io.Reader.
func (e *exact) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, e.end()
	}
	n, err := e.ReadCloser.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	if err == io.EOF && e.left > 0 {
		return n, tallystick.Errorf(tallystick.Invalid, "a body of %d bytes ends after %d: %w", e.size, e.size-e.left, io.ErrUnexpectedEOF).
			WithHint("was the file changed meanwhile?")
	}
	if err == nil && e.left == 0 {
		if end := e.end(); !errors.Is(end, io.EOF) {
			return 0, end
		}
	}
	return n, err
}

// end returns io.EOF where the body ends.
func (e *exact) end() error {
	_, err := io.ReadFull(e.ReadCloser, make([]byte, 1))
	if err == nil {
		err = tallystick.Errorf(tallystick.Invalid, "a body of %d bytes is longer", e.size).WithHint("was the file changed meanwhile?")
	}
	return err
}
