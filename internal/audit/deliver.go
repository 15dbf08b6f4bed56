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

// deliver puts the files into dir such that report.json is there only if it and the files beside it
// are one audit's, whenever the program or the machine stops:
//
//   - A directory that does not exist appears whole: the files are written into a sibling, which
//     then takes its name.
//   - In one that exists the files are first written into a hidden directory. Then report.json of
//     the old audit goes, the other files are replaced, and the new report.json comes last. Nothing
//     else in dir is touched.
//
// What an interrupted delivery has left hidden, the next one takes away. step is called before each
// change that a reader can see; tests stop there.
func deliver(dir string, reports []verify.File, bundle []byte, step func()) (err error) {
	dir = filepath.Clean(dir)
	files := append([]verify.File{{Name: EvidenceFile, Data: bundle}}, reports...)
	defer func() {
		if err != nil {
			err = fmt.Errorf("deliver to %q: %w", dir, err)
		}
	}()
	switch _, err := os.Stat(dir); {
	case err == nil:
		return replace(dir, files, step)
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	parent := filepath.Dir(dir)
	if err := durable.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	staging, err := stage(parent, filepath.Base(dir), files)
	if err != nil {
		return err
	}
	step()
	if err := os.Rename(staging, dir); err != nil {
		return errors.Join(err, os.RemoveAll(staging))
	}
	return durable.SyncDir(parent)
}

// replace puts the files into a directory that exists.
func replace(dir string, files []verify.File, step func()) (err error) {
	staging, err := stage(dir, "audit", files)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(staging)) }()
	step()
	if err := os.Remove(filepath.Join(dir, JSONFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// The order of names on the disk is kept: gone before the others change, back after them.
	if err := durable.SyncDir(dir); err != nil {
		return err
	}
	move := func(name string) error {
		step()
		return os.Rename(filepath.Join(staging, name), filepath.Join(dir, name))
	}
	for _, f := range files {
		if name := filepath.Base(f.Name); name != JSONFile {
			if err := move(name); err != nil {
				return err
			}
		}
	}
	if err := durable.SyncDir(dir); err != nil {
		return err
	}
	if err := move(JSONFile); err != nil {
		return err
	}
	return durable.SyncDir(dir)
}

// stage writes the files into a hidden directory in parent, durably, and returns its path. It takes
// away what an interrupted delivery of that name has left.
func stage(parent, name string, files []verify.File) (staging string, err error) {
	staging = filepath.Join(parent, ".tallystick-"+name+".partial")
	if err := unstage(staging); err != nil {
		return "", err
	}
	if err := os.Mkdir(staging, 0o755); err != nil { //nolint:gosec // G301: the reports are for others to read, as the umask allows
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(staging))
		}
	}()
	for _, f := range files {
		err := durable.WriteFile(filepath.Join(staging, filepath.Base(f.Name)), 0o644, func(w io.Writer) error {
			_, err := w.Write(f.Data)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return staging, nil
}

// unstage removes a staging directory, if it is there and holds nothing but what stage writes.
func unstage(staging string) error {
	left, err := os.ReadDir(staging)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range left {
		switch name := e.Name(); {
		case name == JSONFile, name == MarkdownFile, name == HTMLFile, name == EvidenceFile, durable.IsTemporary(name):
		default:
			return tallystick.Errorf(tallystick.Invalid, "%s holds %q, which no audit has put there", staging, name).WithHint("move it away")
		}
	}
	return os.RemoveAll(staging)
}
