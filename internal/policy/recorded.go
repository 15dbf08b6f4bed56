package policy

import (
	"bytes"
	"io/fs"
	"iter"
	"os"
	"path"

	"github.com/tallystick/tallystick"
)

// maxRecorded bounds the files of a directory of recorded inputs.
const maxRecorded = 1_000_000

// Recorded returns the recorded inputs of the gate below dir, in the order of their names: each .json
// file that names InputSchema. The others are left aside; the first error ends it.
func Recorded(dir string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		root, err := os.OpenRoot(dir)
		if err != nil {
			yield(nil, tallystick.Errorf(tallystick.NotFound, "open decisions %q: %w", dir, err).WithHint("give a directory of gate-input.json files"))
			return
		}
		defer root.Close()
		seen := 0
		err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || path.Ext(name) != ".json" {
				return err
			}
			if seen++; seen > maxRecorded {
				return tallystick.Errorf(tallystick.Invalid, "decisions %q: more than %d files", dir, maxRecorded)
			}
			info, err := entry.Info()
			if err != nil || !info.Mode().IsRegular() || info.Size() > MaxInput {
				return err
			}
			data, err := fs.ReadFile(root.FS(), name)
			if err != nil {
				return err
			}
			if bytes.Contains(data, []byte(InputSchema)) && !yield(data, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(nil, err)
		}
	}
}
