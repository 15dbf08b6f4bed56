package provenance

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"

	"github.com/tallystick/tallystick"
)

var errTooMuch = errors.New("it says more than is read")

// limited returns a writer that fails after n bytes, which ends the program that writes.
func limited(w io.Writer, n int64) io.Writer { return &limit{w, n} }

type limit struct {
	w    io.Writer
	left int64
}

// Write implements io.Writer.
func (l *limit) Write(p []byte) (int, error) {
	if int64(len(p)) > l.left {
		return 0, errTooMuch
	}
	l.left -= int64(len(p))
	return l.w.Write(p)
}

// digester hashes what is written, up to a limit.
type digester struct {
	limit int64
	hash  hash.Hash
	n     int64
}

// Write implements io.Writer.
func (d *digester) Write(p []byte) (int, error) {
	if d.hash == nil {
		d.hash = sha256.New()
	}
	if d.n += int64(len(p)); d.n > d.limit {
		return 0, errTooMuch
	}
	return d.hash.Write(p)
}

func (d *digester) sum() tallystick.Digest {
	return tallystick.Digest("sha256:" + hex.EncodeToString(d.hash.Sum(nil)))
}
