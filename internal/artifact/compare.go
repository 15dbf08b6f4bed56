package artifact

import (
	"github.com/tallystick/tallystick"
)

// Changes is what turns one manifest into another, each list in the order of names. A file that
// was renamed is removed and added.
type Changes struct {
	Added   []File
	Removed []File
	Changed []Change
}

// Change is a file whose content differs.
type Change struct {
	Name     string
	Old, New File
}

// Empty reports whether nothing changed.
func (c Changes) Empty() bool { return len(c.Added)+len(c.Removed)+len(c.Changed) == 0 }

// Compare returns the changes from old to new.
func Compare(old, new Manifest) Changes {
	var c Changes
	a, b := old.files, new.files
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Name < b[0].Name:
			c.Removed, a = append(c.Removed, a[0]), a[1:]
		case a[0].Name > b[0].Name:
			c.Added, b = append(c.Added, b[0]), b[1:]
		default:
			if a[0] != b[0] {
				c.Changed = append(c.Changed, Change{Name: a[0].Name, Old: a[0], New: b[0]})
			}
			a, b = a[1:], b[1:]
		}
	}
	c.Removed = append(c.Removed, a...)
	c.Added = append(c.Added, b...)
	return c
}

// Err returns nil if nothing changed, and otherwise a Conflict error that names the first changed,
// missing or extra file, in that order: a changed file says most.
func (c Changes) Err() error {
	var err *tallystick.Error
	switch {
	case len(c.Changed) > 0:
		f := c.Changed[0]
		if f.Old.Size != f.New.Size {
			err = tallystick.Errorf(tallystick.Conflict, "file %q has changed: %d bytes, want %d", f.Name, f.New.Size, f.Old.Size)
			break
		}
		err = tallystick.Errorf(tallystick.Conflict, "file %q has changed: %s, want %s", f.Name, f.New.Digest, f.Old.Digest)
	case len(c.Removed) > 0:
		err = tallystick.Errorf(tallystick.Conflict, "file %q is missing", c.Removed[0].Name)
	case len(c.Added) > 0:
		err = tallystick.Errorf(tallystick.Conflict, "file %q is not part of the version", c.Added[0].Name)
	default:
		return nil
	}
	if n := len(c.Changed) + len(c.Removed) + len(c.Added); n > 1 {
		return err.WithHint("%d files differ: %d changed, %d missing, %d extra; a version never changes, register a new one", n, len(c.Changed), len(c.Removed), len(c.Added))
	}
	return err.WithHint("a version never changes: register the files as a new one")
}
