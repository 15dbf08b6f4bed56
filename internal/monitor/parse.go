package monitor

import (
	"bytes"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // zones are the same wherever a window is judged

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/yamldoc"
	"go.yaml.in/yaml/v3"
)

// MaxBytes bounds a monitor, and a file of expectations.
const MaxBytes = 1 << 20

// Parse reads one monitor; name is what messages call the file. Every error is Invalid, one line, and says which line
// and key are wrong.
func Parse(data []byte, name string) (*Document, error) {
	d := decoder{yamldoc.Decoder{File: name, Noun: "monitor", Start: "docs/monitoring.md has one to begin with"}}
	node, _, err := d.Read(bytes.NewReader(data), MaxBytes)
	if err != nil {
		return nil, err
	}
	doc := &Document{source: data, Delay: defaultDelay, Checks: newChecks()}
	doc.Checks.made = doc.Checks.all()
	if err := d.monitor(node, doc); err != nil {
		return nil, err
	}
	return doc, nil
}

// decoder reads a monitor.
type decoder struct{ yamldoc.Decoder }

func (d decoder) monitor(node *yaml.Node, doc *Document) error {
	var version, kind, reference, zone string
	err := d.Mapping(node, d.Root(),
		yamldoc.Key("apiVersion", d.Choice(func(s string) { version = s }, APIVersion)),
		yamldoc.Key("kind", d.Choice(func(s string) { kind = s }, Kind)),
		yamldoc.Key("name", d.Name("monitor", &doc.Name)),
		yamldoc.Key("description", d.Text(&doc.Description)),
		yamldoc.Key("model", d.Name("model", &doc.Model)),
		yamldoc.Key("version", d.Name("version", &doc.Version)),
		yamldoc.Key("environment", d.Name("environment", &doc.Environment)),
		yamldoc.Key("window", d.width(doc)),
		yamldoc.Key("zone", d.Text(&zone)),
		yamldoc.Key("delay", d.delay(&doc.Delay)),
		yamldoc.Key("from", d.moment(&doc.From)),
		yamldoc.Key("reference", d.Text(&reference)),
		yamldoc.Key("checks", doc.Checks.decode(d)),
	)
	if err != nil {
		return err
	}
	for _, required := range []struct{ key, value, example string }{
		{"apiVersion", version, APIVersion}, {"kind", kind, Kind}, {"name", doc.Name, "credit-hourly"}, {"model", doc.Model, "credit"},
	} {
		if required.value == "" {
			return d.Errorf(node, "the monitor has no %s", required.key).WithHint("write '%s: %s'", required.key, required.example)
		}
	}
	if doc.Width == 0 {
		return d.Errorf(node, "the monitor has no window").WithHint("write 'window: 1h'")
	}
	if zone != "" {
		if doc.Months == nil {
			return d.Errorf(node, "zone is of windows of months, and these are of %s", doc.Width).WithHint("leave zone out, or write 'window: 1mo'")
		}
		if doc.Months, err = Zone(zone); err != nil {
			message, hint := tallystick.Words(err)
			return d.Errorf(node, "%s", message).WithHint("%s", hint)
		}
	}
	if doc.Version == Champion && doc.Environment == "" {
		return d.Errorf(node, "the champion is one of an environment, and none is named").WithHint("write 'environment: production'")
	}
	if reference != "" && reference != "pinned" {
		if doc.Reference, err = tallystick.ParseDigest(reference); err != nil {
			return d.Errorf(node, "reference is neither pinned nor a digest").WithHint("`tallystick reference list` has the digests")
		}
	}
	return nil
}

// OneMonth is how documents say that a time is a month of the calendar.
const OneMonth = "1mo"

// Zone returns a time zone by its name.
func Zone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" { // whose clock that is, nobody can say who judges again
		return nil, tallystick.Errorf(tallystick.Invalid, "there is no time zone %.40q", name).WithHint("write UTC, or a name of the tz database such as Europe/Berlin")
	}
	return zone, nil
}

// width reads how long windows are.
func (d decoder) width(doc *Document) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind == yaml.ScalarNode && node.Value == OneMonth {
			doc.Width, doc.Months = MaxWidth, time.UTC
			return nil
		}
		if err := d.Duration(&doc.Width)(node, path); err != nil {
			return err
		}
		if err := checkWidth(doc.Width); err != nil {
			message, hint := tallystick.Words(err)
			return d.Errorf(node, "%s: %s", path, message).WithHint("%s", hint)
		}
		return nil
	}
}

// delay reads a duration of which nothing is one too.
func (d decoder) delay(dst *time.Duration) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if node.Value == "0" || node.Value == "0s" || node.Value == "0m" {
			*dst = 0
			return nil
		}
		if err := d.Duration(dst)(node, path); err != nil {
			return err
		}
		if *dst > 30*day {
			return d.Errorf(node, "%s is %s: at most 30d are waited for", path, node.Value)
		}
		return nil
	}
}

func (d decoder) moment(dst *time.Time) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if at, err := time.Parse(layout, node.Value); node.Kind == yaml.ScalarNode && err == nil && at.Year() >= 1970 && at.Year() <= 2200 {
				*dst = at.UTC()
				return nil
			}
		}
		return d.Errorf(node, "%s must be a time, not %s", path, yamldoc.KindOf(node)).WithHint("write 2026-01-31 or 2026-01-31T12:00:00Z")
	}
}

func (d decoder) names(dst *[]string) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind != yaml.SequenceNode || len(node.Content) == 0 {
			return d.Errorf(node, "%s must be a list of names, not %s", path, yamldoc.KindOf(node)).WithHint("write [age, income]")
		}
		for i, item := range node.Content {
			if err := d.Scalar(item, fmt.Sprintf("%s[%d]", path, i), "a name"); err != nil {
				return err
			}
			if slices.Contains(*dst, item.Value) {
				return d.Errorf(item, "%s has %q twice", path, item.Value).WithHint("keep one of them")
			}
			*dst = append(*dst, item.Value)
		}
		return nil
	}
}

func (d decoder) limits(dst *Limits) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		var warn, fail *float64
		if err := d.Mapping(node, path, yamldoc.Key("warn", d.Share(&warn)), yamldoc.Key("fail", d.Share(&fail))); err != nil {
			return err
		}
		if warn != nil {
			dst.Warn, dst.Origin = *warn, ofMonitor
		}
		if fail != nil {
			dst.Fail, dst.Origin = *fail, ofMonitor
		}
		if dst.Warn > dst.Fail {
			return d.Errorf(node, "%s: warn %g is above fail %g", path, dst.Warn, dst.Fail).WithHint("state both")
		}
		return nil
	}
}
