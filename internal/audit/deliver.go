package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
	"github.com/tallystick/tallystick/verify"
)

// checkOut refuses a path that cannot become the directory of the files, before hours of work.
func checkOut(dir string) error {
	if dir == "" {
		return tallystick.Errorf(tallystick.Invalid, "--out is empty").WithHint("name a directory")
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return tallystick.Errorf(tallystick.Invalid, "--out %q: %w", dir, err).WithHint("name a directory")
	case !info.IsDir():
		return tallystick.Errorf(tallystick.Invalid, "--out %q is a file", dir).WithHint("name a directory")
	}
	return nil
}

// deliver writes the files beside dir first and then moves them in, so that dir never holds part
// of a file, and holds nothing of an audit that did not end.
func deliver(dir string, reports []verify.File, bundle []byte) (err error) {
	if err := durable.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("deliver to %q: %w", dir, err)
	}
	staging, err := os.MkdirTemp(dir, ".tallystick-*")
	if err != nil {
		return fmt.Errorf("deliver to %q: %w", dir, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(staging)) }()
	files := append([]verify.File{{Name: EvidenceFile, Data: bundle}}, reports...)
	for _, f := range files {
		err := durable.WriteFile(filepath.Join(staging, filepath.Base(f.Name)), 0o644, func(w io.Writer) error {
			_, err := w.Write(f.Data)
			return err
		})
		if err != nil {
			return fmt.Errorf("deliver %s: %w", f.Name, err)
		}
	}
	for _, f := range files {
		name := filepath.Base(f.Name)
		if err := os.Rename(filepath.Join(staging, name), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("deliver %s: %w", name, err)
		}
	}
	return durable.SyncDir(dir)
}
