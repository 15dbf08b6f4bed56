package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

// Remove removes a blob. One that is not there is removed already. Who has it open can read on.
func (s *Store) Remove(d tallystick.Digest) error {
	if err := d.Validate(); err != nil {
		return err
	}
	path := s.path(d)
	if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("remove blob %s: %w", d, err)
	}
	return durable.SyncDir(filepath.Dir(path))
}

// Before returns the blobs that were put before a time, and none since.
func (s *Store) Before(at time.Time) (digests []tallystick.Digest, err error) {
	err = filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		d := tallystick.Digest("sha256:" + entry.Name())
		if !entry.Type().IsRegular() || d.Validate() != nil || s.path(d) != path {
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			return nil
		}
		if err == nil && info.ModTime().Before(at) {
			digests = append(digests, d)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list blobs in %q: %w", filepath.Dir(s.dir), err)
	}
	return digests, nil
}
