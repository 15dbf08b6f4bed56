package provenance

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

// Hardware is the machine, as far as it can be seen.
type Hardware struct {
	OS     string   `json:"os"`
	Arch   string   `json:"arch"`
	CPU    string   `json:"cpu,omitempty" doc:"model name"`
	Cores  int      `json:"cores" doc:"that this process may use"`
	Memory int64    `json:"memory,omitempty" doc:"bytes"`
	GPUs   []string `json:"gpus,omitempty" doc:"name, memory, driver, as nvidia-smi says them"`
}

// Python is the Python that a command finds first.
type Python struct {
	Version  string            `json:"version,omitempty"`
	Packages []string          `json:"packages,omitempty" doc:"name==version, from the metadata of what is installed"`
	Digest   tallystick.Digest `json:"digest,omitempty" doc:"of the list of packages, a line each"`
}

const (
	gpuTime     = 5 * time.Second
	maxGPUs     = 64
	maxPackages = 5000
)

func readHardware(ctx context.Context, p Place) Hardware {
	h := Hardware{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU()}
	h.CPU = field(filepath.Join(p.Root, "proc/cpuinfo"), "model name")
	kilobytes, _, _ := strings.Cut(field(filepath.Join(p.Root, "proc/meminfo"), "MemTotal"), " ")
	if n, err := strconv.ParseInt(kilobytes, 10, 52); err == nil {
		h.Memory = n << 10
	}
	path, err := exec.LookPath("nvidia-smi")
	if err != nil {
		return h
	}
	ctx, cancel := context.WithTimeout(ctx, gpuTime)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, path, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader") //nolint:gosec // G204: the nvidia-smi of the PATH
	cmd.Stdout, cmd.WaitDelay = limited(&out, 64<<10), time.Second
	if cmd.Run() != nil {
		return h
	}
	for line := range strings.Lines(out.String()) {
		if line = strings.TrimSpace(line); line != "" && len(h.GPUs) < maxGPUs {
			h.GPUs = append(h.GPUs, line)
		}
	}
	return h
}

// field returns the value of the first line "name : value" of a file of the kernel.
func field(path, name string) string {
	data, err := readVirtual(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// readVirtual reads a file whose size is not known before.
func readVirtual(path string) ([]byte, error) {
	f, err := openRegular(path, maxSmall)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	n := 0
	for n < len(buf) {
		m, err := f.Read(buf[n:])
		n += m
		if err != nil {
			break // the end, or all that there is
		}
	}
	return buf[:n], nil
}

var containerenv = regexp.MustCompile(`(?m)^(image|imageid)="([^"\n]*)"$`)

// readImage returns the container image. The engine tells it to Podman's containers only; others have
// it from whoever started them, in TALLYSTICK_IMAGE.
func readImage(p Place) string {
	if image := p.variable("TALLYSTICK_IMAGE"); image != "" && len(image) <= 512 {
		return image
	}
	data, err := readSmall(filepath.Join(p.Root, "run/.containerenv"))
	if err != nil {
		return ""
	}
	var image, id string
	for _, m := range containerenv.FindAllStringSubmatch(string(data), -1) {
		if m[1] == "image" {
			image = m[2]
		} else {
			id = m[2]
		}
	}
	if id != "" && !strings.Contains(image, "@") {
		image += "@sha256:" + strings.TrimPrefix(id, "sha256:")
	}
	return image
}

var pythonDir = regexp.MustCompile(`^python3\.[0-9]+$`)

// readPython reads the version and what is installed from the files of the environment that is
// active, or of the python3 that a command would find. It runs nothing. It returns nil if there is
// no Python.
func readPython(p Place) *Python {
	prefix := p.variable("VIRTUAL_ENV")
	if prefix == "" {
		prefix = p.variable("CONDA_PREFIX")
	}
	if prefix == "" {
		for _, dir := range filepath.SplitList(p.variable("PATH")) {
			path, err := filepath.EvalSymlinks(filepath.Join(dir, "python3"))
			if err == nil && filepath.IsAbs(path) {
				prefix = filepath.Dir(filepath.Dir(path))
				break
			}
		}
	}
	if prefix == "" {
		return nil
	}
	var found Python
	for _, dir := range names(filepath.Join(prefix, "lib")) {
		if !pythonDir.MatchString(dir) {
			continue
		}
		found.Version = strings.TrimPrefix(dir, "python")
		for _, site := range []string{"site-packages", "dist-packages"} {
			for _, name := range names(filepath.Join(prefix, "lib", dir, site)) {
				base, ok := strings.CutSuffix(name, ".dist-info")
				if pkg, version, two := strings.Cut(base, "-"); ok && two && len(found.Packages) < maxPackages {
					found.Packages = append(found.Packages, strings.ToLower(strings.ReplaceAll(pkg, "_", "-"))+"=="+version)
				}
			}
		}
	}
	if full := venvVersion(filepath.Join(prefix, "pyvenv.cfg")); full != "" {
		found.Version = full
	}
	if found.Version == "" {
		return nil
	}
	slices.Sort(found.Packages)
	found.Packages = slices.Compact(found.Packages)
	if len(found.Packages) > 0 {
		found.Digest = tallystick.DigestOf([]byte(strings.Join(found.Packages, "\n") + "\n"))
	}
	return &found
}

func names(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// venvVersion returns the version that a virtual environment was made with (PEP 405).
func venvVersion(path string) string {
	data, err := readSmall(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(line, "=")
		if key = strings.TrimSpace(key); key == "version" || key == "version_info" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
