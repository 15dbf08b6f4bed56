package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

// Report is what Check found.
type Report struct {
	Blobs   int      // files that are blobs by their name
	Bytes   int64    // their size
	Damaged []string // paths below the store of blobs that do not have the bytes of their name
	Strange []string // paths of anything else that does not belong here
	Left    []string // temporary files of writes that were interrupted, or are under way
}

// Sweep removes what writes have left behind that were killed; see [durable.Sweep].
func (s *Store) Sweep() (durable.Swept, error) { return durable.Sweep(s.dir) }

// Check reads every blob and compares it with its name. The error is about the walk itself;
// damage is in the report. It cannot see that a blob is missing: whoever refers to it can.
func (s *Store) Check(ctx context.Context) (Report, error) {
	var report Report
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		name, err := filepath.Rel(filepath.Dir(s.dir), path)
		if err != nil {
			return err
		}
		d := tallystick.Digest("sha256:" + entry.Name())
		switch {
		case entry.IsDir():
			if path != s.dir && (len(entry.Name()) != 2 || filepath.Dir(path) != s.dir) {
				report.Strange = append(report.Strange, name)
				return fs.SkipDir
			}
			return nil
		case durable.IsTemporary(entry.Name()) && entry.Type().IsRegular():
			report.Left = append(report.Left, name)
			return nil
		case !entry.Type().IsRegular() || d.Validate() != nil || s.path(d) != path:
			report.Strange = append(report.Strange, name)
			return nil
		}
		n, err := s.checkBlob(ctx, d)
		if tallystick.CodeOf(err) == tallystick.NotFound { // removed meanwhile
			return nil
		}
		report.Blobs++
		report.Bytes += n
		if errors.Is(err, ErrDamaged) {
			report.Damaged = append(report.Damaged, name)
			return nil
		}
		return err
	})
	if err != nil {
		return report, fmt.Errorf("check blobs in %q: %w", filepath.Dir(s.dir), err)
	}
	return report, nil
}

func (s *Store) checkBlob(ctx context.Context, d tallystick.Digest) (int64, error) {
	r, err := s.Get(ctx, d)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, r)
	return n, errors.Join(err, r.Close())
}
