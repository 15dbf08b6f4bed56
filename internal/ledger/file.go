package ledger

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// readFile reads the file at path into buf, growing it as needed, and refuses more than limit bytes.
func readFile(path string, buf []byte, limit int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > int64(limit) {
		return nil, fmt.Errorf("read %q: %d bytes are more than the %d that it can hold", path, info.Size(), limit)
	}
	n := int(info.Size())
	if cap(buf) < n {
		buf = make([]byte, n+n/4)
	}
	buf = buf[:n]
	if _, err := io.ReadFull(f, buf); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			err = errors.New("it shrank while it was read")
		}
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	return buf, nil
}
