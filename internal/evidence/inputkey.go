package evidence

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

// inputFile holds the key of digests of inputs. Like private keys it is in no backup: who has a digest and the
// key could try inputs until one fits.
const (
	inputFile     = "input.key"
	inputKeyBytes = 32
)

// InputKey returns the key under which digests are made of inputs that are not kept (HMAC-SHA-256), and makes it first
// where there is none. A restored workspace has another.
func (k *Keys) InputKey() ([]byte, error) {
	path := filepath.Join(k.dir, inputFile)
	err := refuseLoose(path)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		fresh := make([]byte, inputKeyBytes)
		rand.Read(fresh) // never fails
		err = durable.CreateFile(path, 0o600, func(w io.Writer) error {
			_, err := w.Write(fresh)
			return err
		})
		if errors.Is(err, fs.ErrExist) { // another process was quicker
			err = nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("key of inputs: %w", err)
	}
	key, err := readBounded(path)
	if err == nil && len(key) != inputKeyBytes {
		err = tallystick.Errorf(tallystick.Invalid, "%q has %d bytes, not %d", path, len(key), inputKeyBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("key of inputs: %w", err)
	}
	return key, nil
}
