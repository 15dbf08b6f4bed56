package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/tallystick/tallystick"
)

// namespace is the part of the data document and of the packages that belongs to Tallystick.
const namespace = "tallystick"

// override adds the custom data document to the built-in one. What it holds below
// data.tallystick replaces built-in settings; it returns those that changed, in words. A setting
// that does not exist is an error, because a misspelt one would change nothing.
func override(builtin, custom map[string]any, origin string) ([]string, error) {
	var changed []string
	for key, value := range custom {
		if key != namespace {
			builtin[key] = value
			continue
		}
		words, err := overlay(builtin[key], value, "data."+key)
		if err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "policy %q: %w", origin, err).
				WithHint("`tallystick policy explain` lists the settings")
		}
		changed = words
	}
	return changed, nil
}

// overlay replaces leaves of settings by those of custom.
func overlay(settings, custom any, at string) ([]string, error) {
	from, ok := custom.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s must be an object", at)
	}
	to := settings.(map[string]any) // our own file has objects down to the leaves
	var changed []string
	for _, key := range slices.Sorted(maps.Keys(from)) {
		old, value, below := to[key], from[key], at+"."+key
		switch old := old.(type) {
		case nil:
			return nil, fmt.Errorf("there is no setting %s", below)
		case map[string]any:
			words, err := overlay(old, value, below)
			if err != nil {
				return nil, err
			}
			changed = append(changed, words...)
		default:
			if err := checkSetting(old, value); err != nil {
				return nil, fmt.Errorf("%s %w", below, err)
			}
			changed = append(changed, fmt.Sprintf("%s is %v instead of %v", below, value, old))
			to[key] = value
		}
	}
	return changed, nil
}

// checkSetting says whether value can stand where old does: a word of the table, a number or a list
// of names.
func checkSetting(old, value any) error {
	switch old.(type) {
	case string:
		if !slices.Contains([]any{"fail", "warn", "skip"}, value) {
			return fmt.Errorf("must be fail, warn or skip")
		}
		return nil
	case json.Number:
		number, ok := value.(json.Number)
		n, err := number.Float64()
		if !ok || err != nil || n < 0 {
			return fmt.Errorf("must be a number that is not negative")
		}
		return nil
	}
	list, ok := value.([]any)
	for _, element := range list {
		_, name := element.(string)
		ok = ok && name
	}
	if !ok || len(list) == 0 {
		return fmt.Errorf("must be a list of names that is not empty")
	}
	return nil
}
