package provenance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
)

// Provenance is what a directory and a machine tell of a training.
type Provenance struct {
	Code     *Code             `json:"code,omitempty" doc:"the commit; none if the directory is in no Git repository"`
	Stages   []Stage           `json:"stages,omitempty" doc:"of the pipeline, from dvc.lock"`
	Pins     []Pin             `json:"pins,omitempty" doc:"files that fix versions of libraries"`
	Python   *Python           `json:"python,omitempty"`
	Image    string            `json:"image,omitempty" doc:"container image, with its digest if that is visible"`
	Hardware Hardware          `json:"hardware"`
	Seeds    map[string]string `json:"seeds,omitempty" doc:"variables of the environment whose names end in SEED"`
	Unread   []string          `json:"unread,omitempty" doc:"what could not be read, and why"`
}

// Pin is a file that fixes versions of libraries.
type Pin struct {
	Path   string            `json:"path"`
	Digest tallystick.Digest `json:"digest"`
}

// Place says where to look. The zero value is the working directory of this process.
type Place struct {
	Dir     string   // "." if empty
	Environ []string // NAME=value; os.Environ if nil
	Root    string   // of the file system that tells of the machine; "/" if empty
}

func (p Place) withDefaults() Place {
	p.Dir, p.Root = cmp.Or(p.Dir, "."), cmp.Or(p.Root, "/")
	if p.Environ == nil {
		p.Environ = os.Environ()
	}
	return p
}

// variable returns a variable of the environment.
func (p Place) variable(name string) string {
	for _, entry := range slices.Backward(p.Environ) { // the last one counts, as for os/exec
		if key, value, _ := strings.Cut(entry, "="); key == name {
			return value
		}
	}
	return ""
}

// maxSmall bounds the files that are read whole, maxPin those that are hashed.
const (
	maxSmall = 4 << 20
	maxPin   = 64 << 20
	maxValue = 256 // bytes of a seed
	maxSeeds = 64
)

// Read notes what there is. It fails only if ctx ends or the directory cannot be read.
func Read(ctx context.Context, place Place) (Provenance, error) {
	place = place.withDefaults()
	if info, err := os.Stat(place.Dir); err != nil || !info.IsDir() {
		return Provenance{}, tallystick.Errorf(tallystick.NotFound, "provenance: %q is no directory that can be read", place.Dir)
	}
	p := Provenance{Hardware: readHardware(ctx, place), Image: readImage(place), Python: readPython(place), Seeds: readSeeds(place)}
	var err error
	if p.Code, err = readCode(ctx, place); err != nil {
		p.unread("git", err)
	}
	if p.Stages, err = readStages(filepath.Join(place.Dir, "dvc.lock")); err != nil {
		p.unread("dvc.lock", err)
	}
	for _, name := range pinFiles() {
		digest, err := digestFile(filepath.Join(place.Dir, name), maxPin)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			p.unread(name, err)
		default:
			p.Pins = append(p.Pins, Pin{name, digest})
		}
	}
	if err := ctx.Err(); err != nil {
		return Provenance{}, fmt.Errorf("provenance: %w", err)
	}
	return p, nil
}

func (p *Provenance) unread(what string, err error) {
	p.Unread = append(p.Unread, what+": "+err.Error())
}

// pinFiles are the names of the files that fix versions.
func pinFiles() []string {
	return []string{
		"requirements.txt", "requirements.lock", "constraints.txt", "poetry.lock", "Pipfile.lock", "uv.lock", "pdm.lock", "pylock.toml",
		"environment.yml", "environment.yaml", "conda-lock.yml", "pixi.lock", "go.mod", "go.sum", "package-lock.json", "renv.lock",
		"Cargo.lock", "Manifest.toml", "Dockerfile", "params.yaml",
	}
}

// openRegular opens a file that is regular, whatever a name in the directory may lead to. A pipe or a
// device would hold the reader up.
func openRegular(path string, limit int64) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("it is longer than %d bytes", limit)
	}
	return os.Open(path)
}

func digestFile(path string, limit int64) (tallystick.Digest, error) {
	f, err := openRegular(path, limit)
	if err != nil {
		return "", err
	}
	defer f.Close()
	digest, n, err := tallystick.DigestReader(io.LimitReader(f, limit+1))
	if err == nil && n > limit {
		err = errors.New("it grows")
	}
	return digest, err
}

func readSmall(path string) ([]byte, error) {
	f, err := openRegular(path, maxSmall)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSmall))
}

func readSeeds(p Place) map[string]string {
	var seeds map[string]string
	for _, entry := range p.Environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasSuffix(strings.ToUpper(name), "SEED") || value == "" || len(value) > maxValue || len(seeds) == maxSeeds {
			continue
		}
		if seeds == nil {
			seeds = map[string]string{}
		}
		seeds[name] = value
	}
	return seeds
}
