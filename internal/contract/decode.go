package contract

import (
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/yamldoc"
	"go.yaml.in/yaml/v3"
)

// decoder reads a contract.
type decoder struct{ yamldoc.Decoder }

type decode = yamldoc.Decode

// bounds reads {min: a, max: b} or [a, b]; one reads a single bound.
func (d decoder) bounds(dst *Range, one func(**float64) decode) decode {
	return func(node *yaml.Node, path string) error {
		switch node.Kind {
		case yaml.SequenceNode:
			if len(node.Content) != 2 {
				return d.Errorf(node, "%s must have two bounds, not %d", path, len(node.Content)).WithHint("write [least, greatest]")
			}
			for i, bound := range []**float64{&dst.Min, &dst.Max} {
				if err := one(bound)(node.Content[i], fmt.Sprintf("%s[%d]", path, i)); err != nil {
					return err
				}
			}
		case yaml.MappingNode:
			if err := d.Mapping(node, path, yamldoc.Key("min", one(&dst.Min)), yamldoc.Key("max", one(&dst.Max))); err != nil {
				return err
			}
		default:
			return d.Errorf(node, "%s must be a range, not %s", path, yamldoc.KindOf(node)).WithHint("write {min: A, max: B} or [A, B]")
		}
		if dst.empty() {
			return d.Errorf(node, "%s has neither min nor max", path)
		}
		return d.ordered(node, path, *dst)
	}
}

func (d decoder) ordered(node *yaml.Node, path string, r Range) error {
	if r.Min != nil && r.Max != nil && *r.Min > *r.Max {
		return d.Errorf(node, "%s: min %s is above max %s", path, formatNumber(*r.Min), formatNumber(*r.Max))
	}
	return nil
}

// moment reads now, a date, or an RFC 3339 time; a date is its first moment in UTC.
func (d decoder) moment(dst **Moment) decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind == yaml.ScalarNode {
			if node.Value == "now" {
				*dst = &Moment{Now: true}
				return nil
			}
			for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
				if at, err := time.Parse(layout, node.Value); err == nil && at.Year() >= 1700 && at.Year() <= 2200 {
					*dst = &Moment{At: at}
					return nil
				}
			}
		}
		return d.Errorf(node, "%s must be a time, not %s", path, yamldoc.KindOf(node)).
			WithHint("write now, 2026-01-31 or 2026-01-31T12:00:00Z")
	}
}
