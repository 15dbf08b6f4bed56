package policy

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"go.yaml.in/yaml/v3"
)

//go:embed packs
var embedded embed.FS

// What a directory of policies may hold.
const (
	maxFiles    = 500
	maxFileSize = 1 << 20
	maxSize     = 16 << 20 // of all files
	maxEntries  = 10_000   // other files and directories too
)

const manifestName = ".manifest"

// File is one file of a pack, by its slash-separated name within the pack.
type File struct {
	Name string
	Data []byte
}

// source is what one directory holds, before it is understood.
type source struct {
	prefix string // of the names within the pack: builtin or custom
	origin string // how messages name the directory
	files  []File // sorted by name: modules, data files, the manifest
	tests  []File // sorted by name: modules that end in _test.rego
}

func builtinSource() (source, error) {
	packs, err := fs.Sub(embedded, "packs")
	if err != nil {
		return source{}, fmt.Errorf("open embedded policy: %w", err)
	}
	return readSource(packs, "builtin", "builtin")
}

func customSource(dir string) (source, error) {
	info, err := os.Stat(dir) // first, because to open a pipe takes until somebody writes into it
	if err == nil && !info.IsDir() {
		return source{}, tallystick.Errorf(tallystick.Invalid, "policy %q is not a directory", dir).WithHint("give a directory of .rego files")
	}
	var root *os.Root
	if err == nil {
		root, err = os.OpenRoot(dir)
	}
	if err != nil {
		code := tallystick.Invalid
		if errors.Is(err, fs.ErrNotExist) {
			code = tallystick.NotFound
		}
		return source{}, tallystick.Errorf(code, "open policy directory %q: %w", dir, err).
			WithHint("give a directory of .rego files")
	}
	defer root.Close()
	s, err := readSource(root.FS(), "custom", dir)
	if err != nil {
		return source{}, err
	}
	if len(s.files) == 0 && len(s.tests) == 0 {
		return source{}, tallystick.Errorf(tallystick.Invalid, "policy directory %q holds no policy", dir).
			WithHint("put .rego files there, or a data.yaml that overrides settings")
	}
	return s, nil
}

// readSource reads the files of a bundle layout: .rego files anywhere, data.json or data.yaml at
// the place in the data document that their directory names, and a .manifest at the root. Other
// files, and names that begin with a dot, are no policy.
func readSource(fsys fs.FS, prefix, origin string) (source, error) {
	s := source{prefix: prefix, origin: origin}
	entries, size := 0, 0
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		switch entries++; {
		case entries > maxEntries:
			return tallystick.Errorf(tallystick.Invalid, "it holds more than %d files and directories", maxEntries).
				WithHint("keep the policy in a directory of its own")
		case name == ".":
			return nil
		case entry.IsDir() && strings.HasPrefix(base, "."):
			return fs.SkipDir
		case entry.IsDir() || !isPolicy(name):
			return nil
		case len(s.files)+len(s.tests) == maxFiles:
			return tallystick.Errorf(tallystick.Invalid, "it holds more than %d files of policy", maxFiles)
		}
		data, err := readBounded(fsys, name)
		if err != nil {
			return err
		}
		if size += len(data); size > maxSize {
			return tallystick.Errorf(tallystick.Invalid, "it holds more than %d bytes of policy", maxSize)
		}
		if strings.HasSuffix(base, "_test.rego") {
			s.tests = append(s.tests, File{name, data})
		} else {
			s.files = append(s.files, File{name, data})
		}
		return nil
	})
	if err != nil {
		return source{}, fmt.Errorf("read policy %q: %w", origin, err)
	}
	for _, files := range [][]File{s.files, s.tests} {
		slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	}
	return s, nil
}

func isPolicy(name string) bool {
	base := path.Base(name)
	return name == manifestName || isData(base) || path.Ext(base) == ".rego" && !strings.HasPrefix(base, ".")
}

func isData(base string) bool {
	return base == "data.json" || base == "data.yaml" || base == "data.yml"
}

func readBounded(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name) // first, because to open a pipe takes until somebody writes into it
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "%w", err).WithHint("a link must lead to a file in the same directory")
	}
	if !info.Mode().IsRegular() {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s is not a regular file", name)
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFileSize {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s has more than %d bytes", name, maxFileSize)
	}
	return data, nil
}

// display is how messages name a file: where the user can open it.
func (s source) display(name string) string {
	if s.prefix == "builtin" {
		return s.origin + "/" + name
	}
	return filepath.Join(s.origin, filepath.FromSlash(name))
}

// data returns the data document that the source's data files make.
func (s source) data() (map[string]any, error) {
	document := map[string]any{}
	for _, file := range s.files {
		if !isData(path.Base(file.Name)) {
			continue
		}
		content, err := decodeData(file)
		if err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "%s: %s", s.display(file.Name), oneLine(err)).
				WithHint("a data file is one JSON or YAML object with string keys")
		}
		if dir := path.Dir(file.Name); dir != "." {
			for _, key := range slices.Backward(strings.Split(dir, "/")) {
				content = map[string]any{key: content}
			}
		}
		if at := merge(document, content); at != "" {
			return nil, tallystick.Errorf(tallystick.Invalid, "%s: data.%s is set twice", s.display(file.Name), at)
		}
	}
	return document, nil
}

func decodeData(file File) (map[string]any, error) {
	data := file.Data
	if path.Ext(file.Name) != ".json" {
		var content map[string]any
		if err := yaml.Unmarshal(data, &content); err != nil {
			return nil, err
		}
		if content == nil {
			content = map[string]any{}
		}
		var err error
		if data, err = json.Marshal(content); err != nil {
			return nil, err
		}
	}
	return decode(data)
}

// merge adds the leaves of from to to and returns the path of the first that is there already.
func merge(to, from map[string]any) string {
	for key, value := range from {
		old, there := to[key]
		oldObject, isOld := old.(map[string]any)
		newObject, isNew := value.(map[string]any)
		switch {
		case !there:
			to[key] = value
		case isOld && isNew:
			if at := merge(oldObject, newObject); at != "" {
				return key + "." + at
			}
		default:
			return key
		}
	}
	return ""
}
