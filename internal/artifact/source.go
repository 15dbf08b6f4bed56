package artifact

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
)

// DefaultIgnores returns the names that are left out at the top of a directory (OpenSSF Model
// Signing 1.0, section 6.2).
func DefaultIgnores() []string { return []string{".git", ".gitattributes", ".github", ".gitignore"} }

// source is a file that is to be hashed.
type source struct {
	name string // in the manifest
	path string // on this machine
	info fs.FileInfo
}

// finder collects the sources of one directory.
type finder struct {
	prefix  string   // in front of names, with its slash, or empty
	ignored []string // relative to the directory
	follow  bool
	found   []source
}

func findSources(ctx context.Context, paths []string, o HashOptions) ([]source, error) {
	if len(paths) == 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "no path to hash")
	}
	for _, p := range o.Ignore {
		if err := ValidateIgnore(p); err != nil {
			return nil, err
		}
	}
	f := finder{ignored: append(DefaultIgnores(), o.Ignore...), follow: o.FollowLinks}
	for _, p := range paths {
		// The path itself may be a link: whoever named it meant its target.
		info, err := os.Stat(p)
		if err != nil {
			return nil, tallystick.Errorf(tallystick.NotFound, "hash: %w", err)
		}
		base, err := baseName(p)
		if err != nil {
			return nil, err
		}
		switch {
		case info.IsDir():
			f.prefix = ""
			if len(paths) > 1 {
				f.prefix = base + "/"
			}
			if p, err = filepath.EvalSymlinks(p); err == nil {
				err = f.walk(ctx, p)
			}
		case info.Mode().IsRegular():
			err = f.add(source{name: base, path: p, info: info})
		default:
			err = tallystick.Errorf(tallystick.Invalid, "%q is neither a file nor a directory", p)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(f.found) == 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "%q holds no files", paths[0]).
			WithHint("a version needs at least one file")
	}
	return f.found, nil
}

// baseName returns the last element of path, of "." too.
func baseName(p string) (string, error) {
	p, err := filepath.Abs(p)
	if err != nil {
		return "", fmt.Errorf("hash: %w", err)
	}
	return filepath.Base(p), nil
}

// ValidateIgnore returns an Invalid error unless p can stand in HashOptions.Ignore.
func ValidateIgnore(p string) error {
	if err := ValidateFileName(p); err != nil {
		return tallystick.Errorf(tallystick.Invalid, "ignored path: %w", err)
	}
	if strings.ContainsAny(p, "*?[") {
		return tallystick.Errorf(tallystick.Invalid, "ignored path %q holds a pattern", p).
			WithHint("name the file or directory itself, relative to the top")
	}
	return nil
}

func (f *finder) walk(ctx context.Context, dir string) error {
	return filepath.WalkDir(dir, func(p string, entry fs.DirEntry, err error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err != nil {
			return fmt.Errorf("hash %q: %w", dir, err)
		}
		relative, err := filepath.Rel(dir, p)
		if err != nil {
			return fmt.Errorf("hash %q: %w", dir, err)
		}
		name := filepath.ToSlash(relative)
		switch {
		case name == ".":
			return nil
		case slices.Contains(f.ignored, name):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			// An empty directory leaves no trace, but one that is too deep ends here.
			return ValidateFileName(name)
		}
		info, err := entry.Info()
		if err != nil {
			return fmt.Errorf("hash %q: %w", dir, err)
		}
		if info.Mode().Type() == fs.ModeSymlink {
			if info, err = f.target(p); err != nil {
				return err
			}
		}
		if !info.Mode().IsRegular() {
			return tallystick.Errorf(tallystick.Invalid, "%q is neither a file nor a directory", p).
				WithHint("a version is made of regular files; ignore or remove it")
		}
		return f.add(source{name: f.prefix + name, path: p, info: info})
	})
}

// target returns what the link p leads to, or an Invalid error.
func (f *finder) target(p string) (fs.FileInfo, error) {
	if !f.follow {
		return nil, tallystick.Errorf(tallystick.Invalid, "%q is a symbolic link", p).
			WithHint("replace it by the file that it points to, or allow links to be followed")
	}
	info, err := os.Stat(p)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "follow symbolic link: %w", err)
	}
	if info.IsDir() {
		return nil, tallystick.Errorf(tallystick.Invalid, "%q is a symbolic link to a directory", p).
			WithHint("replace it by the directory; only links to files can be followed")
	}
	return info, nil
}

func (f *finder) add(s source) error {
	if len(f.found) == MaxFiles {
		return errTooManyFiles()
	}
	s.name = path.Clean(s.name)
	f.found = append(f.found, s)
	return nil
}
