package cli

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

// openFile opens a file that the user has named, or says what is wrong with the name.
func openFile(path string) (*os.File, error) {
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, tallystick.Errorf(tallystick.Invalid, "%s: no such file", path).WithHint("check the path")
	case err != nil:
		return nil, tallystick.Errorf(tallystick.Invalid, "%w", err)
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		file.Close()
		return nil, tallystick.Errorf(tallystick.Invalid, "%s is a directory", path).WithHint("name a file in it")
	}
	return file, nil
}

// readFile reads a file that is at most limit bytes long.
func readFile(path string, limit int64) ([]byte, error) {
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(file, limit+1))
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "read %s: %w", path, err)
	}
	if n > limit {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s is longer than %d bytes", path, limit)
	}
	return b.Bytes(), nil
}

// write writes data to a file, durably, or to standard output for "-".
func (a *app) write(path string, data []byte) error {
	write := func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
	if path == "-" {
		return write(a.Out)
	}
	if err := writable("--output", path); err != nil {
		return err
	}
	return durable.WriteFile(path, 0o644, write)
}

// writable returns an Invalid error if no file can have the path that a flag names: worth asking before what
// is recorded.
func writable(flag, path string) error {
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return tallystick.Errorf(tallystick.Invalid, "%s %s is a directory", flag, path).WithHint("name a file in it")
	case err != nil && !exists(filepath.Dir(path)):
		return tallystick.Errorf(tallystick.Invalid, "%s %s: there is no directory %s", flag, path, filepath.Dir(path)).WithHint("make it first")
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
