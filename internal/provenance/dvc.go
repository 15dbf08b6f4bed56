package provenance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
)

// Stage is a stage of a pipeline, as dvc.lock notes it after it ran.
type Stage struct {
	Name    string            `json:"name"`
	Command string            `json:"command"`
	Deps    []Dep             `json:"deps,omitempty" doc:"what it read"`
	Outs    []Dep             `json:"outs,omitempty" doc:"what it wrote"`
	Params  map[string]string `json:"params,omitempty" doc:"parameters, as file:name"`
}

// Dep is a file or directory that a stage read or wrote.
type Dep struct {
	Path string `json:"path"`
	Hash string `json:"hash,omitempty" doc:"kind:value, such as md5:..., as DVC computed it"`
	Size int64  `json:"size,omitempty"`
}

const (
	maxStages = 500
	maxDeps   = 5000 // of all stages
	maxParams = 1000 // of one stage
)

// dvcLock is the schema "2.0" of dvc.lock (https://dvc.org/doc/user-guide/project-structure).
type dvcLock struct {
	Schema string `yaml:"schema"`
	Stages map[string]struct {
		Cmd    words                     `yaml:"cmd"`
		Deps   []map[string]any          `yaml:"deps"`
		Outs   []map[string]any          `yaml:"outs"`
		Params map[string]map[string]any `yaml:"params"`
	} `yaml:"stages"`
}

// words is one text or several.
type words []string

// UnmarshalYAML reads a text or a list of them.
func (w *words) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*w = words{node.Value}
		return nil
	}
	return node.Decode((*[]string)(w))
}

// readStages returns none if there is no dvc.lock.
func readStages(path string) ([]Stage, error) {
	data, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return ParseDVCLock(data)
}

// ParseDVCLock reads a dvc.lock of schema 2.0 and returns its stages by name, or an Invalid error.
func ParseDVCLock(data []byte) ([]Stage, error) {
	invalid := func(format string, args ...any) error {
		return tallystick.Errorf(tallystick.Invalid, "dvc.lock: %w", fmt.Errorf(format, args...))
	}
	if len(data) > maxSmall {
		return nil, invalid("longer than %d bytes", maxSmall)
	}
	var lock dvcLock
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&lock); err != nil && !errors.Is(err, io.EOF) {
		return nil, invalid("%w", err)
	}
	if lock.Schema != "2.0" {
		return nil, invalid("schema %.20q is not read, only 2.0", lock.Schema)
	}
	if len(lock.Stages) > maxStages {
		return nil, invalid("%d stages, the limit is %d", len(lock.Stages), maxStages)
	}
	var stages []Stage
	total := 0
	for _, name := range slices.Sorted(maps.Keys(lock.Stages)) {
		from := lock.Stages[name]
		if total += len(from.Deps) + len(from.Outs); total > maxDeps {
			return nil, invalid("more than %d files", maxDeps)
		}
		s := Stage{Name: name, Command: strings.Join(from.Cmd, "\n"), Deps: deps(from.Deps), Outs: deps(from.Outs)}
		for _, file := range slices.Sorted(maps.Keys(from.Params)) {
			for key, value := range from.Params[file] {
				if s.Params == nil {
					s.Params = map[string]string{}
				}
				s.Params[file+":"+key] = scalar(value)
			}
		}
		if len(s.Params) > maxParams {
			return nil, invalid("stage %.80q has more than %d parameters", name, maxParams)
		}
		stages = append(stages, s)
	}
	return stages, nil
}

func deps(from []map[string]any) []Dep {
	var list []Dep
	for _, entry := range from {
		path, _ := entry["path"].(string)
		if path == "" {
			continue
		}
		d := Dep{Path: withoutCredentials(path)}
		kind, _ := entry["hash"].(string)
		for _, k := range []string{kind, "sha256", "md5", "etag", "checksum"} {
			if value, ok := entry[k].(string); ok && k != "" {
				d.Hash = k + ":" + value
				break
			}
		}
		if size, ok := entry["size"].(int); ok && size > 0 {
			d.Size = int64(size)
		}
		list = append(list, d)
	}
	return list
}

// scalar returns a parameter as text.
func scalar(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case map[string]any, []any:
		text, err := yaml.Marshal(v)
		if err == nil {
			return strings.TrimSpace(string(text))
		}
	}
	return fmt.Sprint(value)
}
