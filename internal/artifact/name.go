package artifact

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/tallystick/tallystick"
)

const (
	maxName  = 1024 // bytes of a name
	maxDepth = 64   // elements of a name
)

// ValidateFileName returns an Invalid error unless name can name a file of a version: a relative
// path with slashes, without empty, "." or ".." elements, backslashes or control characters, in
// UTF-8 in normal form C. So one name means one file on every system that a version is copied to.
func ValidateFileName(name string) error {
	var fault string
	switch {
	case name == "":
		fault = "is empty"
	case len(name) > maxName:
		fault = "is longer than 1024 bytes"
		name = strings.ToValidUTF8(name[:64], "") + "..."
	case !utf8.ValidString(name):
		fault = "is not UTF-8"
	case strings.HasPrefix(name, "/"):
		fault = "is absolute"
	case strings.Contains(name, `\`):
		fault = "holds a backslash"
	case strings.ContainsFunc(name, unicode.IsControl):
		fault = "holds a control character"
	case strings.Count(name, "/") >= maxDepth:
		fault = "has more than 64 elements"
	case hasElement(name, ".."):
		fault = `climbs with ".."`
	case hasElement(name, ""), hasElement(name, "."), name != path.Clean(name):
		fault = `has an empty or "." element`
	case !norm.NFC.IsNormalString(name):
		fault = "is not in Unicode normal form C"
	default:
		return nil
	}
	return tallystick.Errorf(tallystick.Invalid, "file name %q %s", name, fault).
		WithHint("rename the file to a plain relative path")
}

func hasElement(name, element string) bool {
	for e := range strings.SplitSeq(name, "/") {
		if e == element {
			return true
		}
	}
	return false
}

// nameSet notices names that some file system takes for the same: they differ in case only.
type nameSet struct {
	fold  cases.Caser
	files map[string]string // by folded name
	dirs  map[string]string // parents of files, likewise
}

func newNameSet(n int) *nameSet {
	return &nameSet{fold: cases.Fold(), files: make(map[string]string, n), dirs: map[string]string{}}
}

// add returns an Invalid error if name is in the set already, or is a directory of a name that is.
func (s *nameSet) add(name string) error {
	key := s.folded(name)
	if other, ok := s.files[key]; ok {
		if other == name {
			return tallystick.Errorf(tallystick.Invalid, "file %q is listed twice", name)
		}
		return tallystick.Errorf(tallystick.Invalid, "file names %q and %q differ in case only", other, name).
			WithHint("rename one of them: some file systems cannot hold both")
	}
	if _, ok := s.dirs[key]; ok {
		return tallystick.Errorf(tallystick.Invalid, "%q is both a file and a directory", name)
	}
	s.files[key] = name
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		dirKey := s.folded(dir)
		if _, ok := s.files[dirKey]; ok {
			return tallystick.Errorf(tallystick.Invalid, "%q is both a file and a directory", dir)
		}
		switch other, ok := s.dirs[dirKey]; {
		case !ok:
			s.dirs[dirKey] = dir
		case other != dir:
			return tallystick.Errorf(tallystick.Invalid, "directory names %q and %q differ in case only", other, dir).
				WithHint("rename one of them: some file systems cannot hold both")
		}
	}
	return nil
}

func (s *nameSet) folded(name string) string {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return norm.NFC.String(s.fold.String(name))
		}
	}
	return strings.ToLower(name)
}
