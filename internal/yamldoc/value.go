package yamldoc

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"go.yaml.in/yaml/v3"
)

// Scalar refuses everything but one plain value.
func (d Decoder) Scalar(node *yaml.Node, path, want string) error {
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" || node.Tag == "!!binary" {
		return d.Errorf(node, "%s must be %s, not %s", path, want, KindOf(node))
	}
	return nil
}

// Text reads one plain value as text.
func (d Decoder) Text(dst *string) Decode {
	return func(node *yaml.Node, path string) error {
		if err := d.Scalar(node, path, "text"); err != nil {
			return err
		}
		*dst = node.Value
		return nil
	}
}

// Name reads the name of a thing, of which what is the noun.
func (d Decoder) Name(what string, dst *string) Decode {
	return func(node *yaml.Node, path string) error {
		if err := d.Text(dst)(node, path); err != nil || *dst == "" {
			return err
		}
		if err := tallystick.ValidateName(what, *dst); err != nil {
			return d.Wrap(node, err)
		}
		return nil
	}
}

// Boolean reads true or false.
func (d Decoder) Boolean(set func(bool)) Decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind != yaml.ScalarNode || node.Tag != "!!bool" {
			return d.Errorf(node, "%s must be true or false, not %s", path, KindOf(node))
		}
		set(strings.EqualFold(node.Value, "true"))
		return nil
	}
}

// Choice reads one of words.
func (d Decoder) Choice(set func(string), words ...string) Decode {
	return func(node *yaml.Node, path string) error {
		if err := d.Scalar(node, path, "one of "+List(words)); err != nil {
			return err
		}
		for _, w := range words {
			if w == node.Value {
				set(w)
				return nil
			}
		}
		return d.Unknown(node, path+" cannot be", words)
	}
}

// Float returns the finite number that node holds.
func (d Decoder) Float(node *yaml.Node, path string) (float64, error) {
	var v float64
	if node.Kind != yaml.ScalarNode || node.Tag != "!!int" && node.Tag != "!!float" || node.Decode(&v) != nil {
		return 0, d.Errorf(node, "%s must be a number, not %s", path, KindOf(node))
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, d.Errorf(node, "%s must be a finite number, not %s", path, node.Value)
	}
	return v, nil
}

// Number reads a number between low and high.
func (d Decoder) Number(dst **float64, low, high float64) Decode {
	return func(node *yaml.Node, path string) error {
		v, err := d.Float(node, path)
		if err != nil {
			return err
		}
		if v < low || v > high {
			return d.Errorf(node, "%s is %s, which is not between %s and %s", path, node.Value, figureOf(low), figureOf(high))
		}
		*dst = &v
		return nil
	}
}

// Share reads a share of rows, 0.02 or 2%.
func (d Decoder) Share(dst **float64) Decode {
	return func(node *yaml.Node, path string) error {
		v, err := d.Fraction(node, path)
		if err != nil {
			return err
		}
		*dst = &v
		return nil
	}
}

// Fraction returns the share of rows that node holds, 0.02 or 2%.
func (d Decoder) Fraction(node *yaml.Node, path string) (float64, error) {
	var v float64
	if digits, ok := strings.CutSuffix(node.Value, "%"); ok && node.Kind == yaml.ScalarNode {
		// By exponent, so that 0.7% is the very number that 0.007 is.
		var err error
		if v, err = strconv.ParseFloat(strings.TrimSpace(digits)+"e-2", 64); err != nil {
			return 0, d.Errorf(node, "%s must be a share such as 0.02 or 2%%, not %q", path, node.Value)
		}
	} else {
		var err error
		if v, err = d.Float(node, path); err != nil {
			return 0, err
		}
	}
	if !(v >= 0 && v <= 1) {
		return 0, d.Errorf(node, "%s is %s, which is no share of rows", path, node.Value).
			WithHint("a share lies between 0 and 1; write two per cent as 0.02 or 2%%")
	}
	return v, nil
}

// Count reads a whole number from low upwards.
func (d Decoder) Count(dst **int64, low int64) Decode {
	return func(node *yaml.Node, path string) error {
		var v int64
		if node.Kind != yaml.ScalarNode || node.Tag != "!!int" || node.Decode(&v) != nil || v < low {
			return d.Errorf(node, "%s must be a whole number from %d upwards, not %s", path, low, KindOf(node))
		}
		*dst = &v
		return nil
	}
}

// Duration reads 90m, 36h, 30d or 2w.
func (d Decoder) Duration(dst *time.Duration) Decode {
	return func(node *yaml.Node, path string) error {
		v, ok := ParseDuration(node.Value)
		if node.Kind != yaml.ScalarNode || !ok {
			return d.Errorf(node, "%s must be a duration, not %s", path, KindOf(node)).WithHint("write 90m, 36h, 30d or 2w")
		}
		*dst = v
		return nil
	}
}

// maxDuration keeps arithmetic on nanoseconds far from overflow.
const maxDuration = 100 * 365 * 24 * time.Hour

// ParseDuration reads 90m, 36h, 30d or 2w.
func ParseDuration(s string) (time.Duration, bool) {
	units := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	if s == "" {
		return 0, false
	}
	unit, ok := units[s[len(s)-1:]]
	n, err := strconv.ParseFloat(s[:len(s)-1], 64)
	if !ok || err != nil || !(n > 0) || n > float64(maxDuration/unit) {
		return 0, false
	}
	return time.Duration(n * float64(unit)), true
}

func figureOf(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
