package verify

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
)

// The limits of an archive. They hold for writing as well as for reading.
const (
	MaxArchive     = 256 << 20 // bytes of a whole archive
	maxFile        = 128 << 20
	maxFiles       = 4096
	maxNameLength  = 200
	maxNameSegment = 100
)

// File is one file of an archive.
type File struct {
	Name string // slash-separated, relative
	Data []byte
}

// Archive is a canonical zip file in memory. For one set of files there is exactly one: entries
// are stored without compression and sorted by name, all header fields that carry no information
// are fixed, and there are no directories, comments, extra fields, data descriptors or gaps.
// Any zip program can read it.
type Archive struct{ files []File }

// NewArchive returns the archive of files. Names are ASCII letters, digits, '.', '_' and '-' in
// segments that begin with neither '.' nor '-' and do not end with '.'; no two may differ in case
// alone, and no file may be a directory of another. Windows device names are refused.
func NewArchive(files []File) (Archive, error) {
	a := Archive{files: slices.SortedFunc(slices.Values(files), func(x, y File) int { return cmp.Compare(x.Name, y.Name) })}
	return a, a.validate()
}

// Files returns the files, sorted by name. The caller must not change them.
func (a Archive) Files() []File { return a.files }

// File returns the content of the file of that name.
func (a Archive) File(name string) ([]byte, bool) {
	i, ok := slices.BinarySearchFunc(a.files, name, func(f File, name string) int { return cmp.Compare(f.Name, name) })
	if !ok {
		return nil, false
	}
	return a.files[i].Data, true
}

var (
	nameSegment = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_-])?$`)
	deviceName  = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)
)

// validateName refuses every name that could land elsewhere than below the directory of
// extraction, or on another file, on any common operating system.
func validateName(name string) error {
	if len(name) > maxNameLength {
		return tallystick.Errorf(tallystick.Invalid, "archive: name %.40q... is longer than %d bytes", name, maxNameLength)
	}
	for segment := range strings.SplitSeq(name, "/") {
		if len(segment) > maxNameSegment || !nameSegment.MatchString(segment) || deviceName.MatchString(segment) {
			return tallystick.Errorf(tallystick.Invalid, "archive: name %q is not accepted", name).
				WithHint("use relative names of ASCII letters, digits, '.', '_' and '-'")
		}
	}
	return nil
}

func (a Archive) validate() error {
	parts := make([]Part, len(a.files))
	for i, f := range a.files {
		parts[i] = Part{Name: f.Name, Size: int64(len(f.Data))}
	}
	_, err := SizeOf(parts)
	return err
}

// validateNames refuses names that are not sorted, or that no two files of an archive may have.
func validateNames(parts []Part) error {
	folded := map[string]string{} // lower-case name of every file and directory, to its spelling
	directories := map[string]bool{}
	for i, f := range parts {
		if err := validateName(f.Name); err != nil {
			return err
		}
		if i > 0 && f.Name <= parts[i-1].Name {
			return tallystick.Errorf(tallystick.Invalid, "archive: %q comes after %q: not sorted, or there twice", f.Name, parts[i-1].Name)
		}
		for dir := path.Dir(f.Name); dir != "."; dir = path.Dir(dir) {
			directories[dir] = true
			if other, ok := folded[strings.ToLower(dir)]; ok && other != dir {
				return tallystick.Errorf(tallystick.Invalid, "archive: %q and %q differ in case alone", dir, other)
			}
			folded[strings.ToLower(dir)] = dir
		}
		if other, ok := folded[strings.ToLower(f.Name)]; ok && other != f.Name {
			return tallystick.Errorf(tallystick.Invalid, "archive: %q and %q differ in case alone", f.Name, other)
		}
		folded[strings.ToLower(f.Name)] = f.Name
	}
	for _, f := range parts {
		if directories[f.Name] {
			return tallystick.Errorf(tallystick.Invalid, "archive: %q is a file and a directory", f.Name)
		}
	}
	return nil
}

// Extract writes the files below dir, which must be empty or not exist. No name can lead out of
// it. Only [Result.Extract] should be given bundles: this function knows nothing of signatures.
func (a Archive) Extract(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("extract: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("extract: %w", err)
	}
	defer root.Close()
	if names, err := readNames(root); err != nil || len(names) > 0 {
		if err != nil {
			return fmt.Errorf("extract: %w", err)
		}
		return tallystick.Errorf(tallystick.Conflict, "directory %q is not empty", dir).
			WithHint("extract into a new directory")
	}
	for _, f := range a.files {
		if err := root.MkdirAll(path.Dir(f.Name), 0o755); err != nil {
			return fmt.Errorf("extract: %w", err)
		}
		if err := writeNew(root, f); err != nil {
			return fmt.Errorf("extract: %w", err)
		}
	}
	return nil
}

func readNames(root *os.Root) ([]string, error) {
	d, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(1)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	return names, err
}

func writeNew(root *os.Root, f File) error {
	file, err := root.OpenFile(f.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := file.Write(f.Data); err != nil {
		return errors.Join(err, file.Close())
	}
	return file.Close()
}
