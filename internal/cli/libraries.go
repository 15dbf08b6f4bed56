package cli

import (
	"encoding/json"
	"strings"

	"github.com/tallystick/tallystick"
)

const maxLibraries = 1 << 20 // bytes of the file

// readLibraries reads versions by name: the lines of pip freeze, or a JSON object.
func readLibraries(path string) (map[string]string, error) {
	raw, err := readFile(path, maxLibraries)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(strings.TrimSpace(string(raw)), "{") {
		var versions map[string]string
		if err := json.Unmarshal(raw, &versions); err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "%s is no JSON object of versions by name: %w", path, err)
		}
		return versions, nil
	}
	return parseFreeze(path, string(raw))
}

// parseFreeze reads NAME==VERSION, NAME @ ADDRESS and -e ADDRESS#egg=NAME. Comments and hashes are passed over.
func parseFreeze(path, text string) (map[string]string, error) {
	versions := map[string]string{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		line = strings.TrimSuffix(strings.TrimSpace(line), "\\")
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "--hash") {
			continue
		}
		name, version, ok := strings.Cut(line, "==")
		if !ok {
			name, version, ok = strings.Cut(line, " @ ")
		}
		if address, found := strings.CutPrefix(line, "-e "); found {
			version, name, ok = strings.Cut(address, "#egg=")
		}
		version, _, _ = strings.Cut(version, ";") // what follows says where it is needed
		version, _, _ = strings.Cut(version, " --hash")
		if name, version = strings.TrimSpace(name), strings.TrimSpace(version); !ok || name == "" || version == "" {
			return nil, tallystick.Errorf(tallystick.Invalid, "%s, line %d: %.60q names no version", path, number, line).
				WithHint("write NAME==VERSION, as pip freeze does, or a JSON object of versions by name")
		}
		versions[name] = version
	}
	if len(versions) == 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s names no library", path).WithHint("pip freeze > %s", path)
	}
	return versions, nil
}
