package catalog

import (
	"cmp"
	"strings"

	"github.com/tallystick/tallystick"
)

// ParseVersionName splits "credit@3" into model and version. A name without "@" is a model's, and the
// version is empty.
func ParseVersionName(name string) (model, version string, err error) {
	model, version, named := strings.Cut(name, "@")
	if err := tallystick.ValidateName("model", model); err != nil {
		return "", "", err
	}
	if named {
		if err := tallystick.ValidateName("version", version); err != nil {
			return "", "", err
		}
	}
	return model, version, nil
}

func validateVersionName(model, version string) error {
	return cmp.Or(tallystick.ValidateName("model", model), tallystick.ValidateName("version", version))
}
