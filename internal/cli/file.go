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
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return tallystick.Errorf(tallystick.Invalid, "--output %s is a directory", path).WithHint("name a file in it")
	case err != nil && !exists(filepath.Dir(path)):
		return tallystick.Errorf(tallystick.Invalid, "--output %s: there is no directory %s", path, filepath.Dir(path)).WithHint("make it first")
	}
	return durable.WriteFile(path, 0o644, write)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
