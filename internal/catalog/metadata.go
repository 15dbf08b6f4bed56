package catalog

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

// Metadata are the facts of how a version was made and how well it did.
type Metadata struct {
	Metrics     map[string]Metric    `json:"metrics,omitempty" doc:"evaluation metrics by name, each with its n"`
	SampleSizes map[string]int64     `json:"sample_sizes,omitempty" doc:"rows of each part of the data, such as train, validation and test"`
	Thresholds  map[string]Threshold `json:"thresholds,omitempty" doc:"monitoring thresholds by metric"`
	Parameters  map[string]string    `json:"parameters,omitempty" doc:"hyper-parameters"`
	Seeds       map[string]string    `json:"seeds,omitempty" doc:"seeds of the random numbers, by what they seed"`
	Libraries   map[string]string    `json:"libraries,omitempty" doc:"versions of the libraries, by name"`
	Hardware    string               `json:"hardware,omitempty" doc:"what it was trained on"`
	Snapshots   []tallystick.Digest  `json:"snapshots,omitempty" doc:"digests of the data that it was trained on"`
}

// Metric is a measured number.
type Metric struct {
	Value float64           `json:"value"`
	Low   *float64          `json:"low,omitempty" doc:"lower end of the 95 % interval"`
	High  *float64          `json:"high,omitempty" doc:"upper end of the 95 % interval"`
	N     int64             `json:"n" doc:"rows that it was measured on"`
	Data  tallystick.Digest `json:"data,omitempty" doc:"digest of the data that it was measured on"`
}

// Threshold says from when on a monitored metric is a matter of concern.
type Threshold struct {
	Warn      *float64 `json:"warn,omitempty"`
	Fail      *float64 `json:"fail,omitempty"`
	Direction string   `json:"direction" enum:"above,below" doc:"on which side of the threshold it is a matter of concern: above or below"`
	Window    string   `json:"window,omitempty" doc:"over which time, such as 24h"`
}

// The bounds of metadata.
const (
	maxEntries     = 2000 // of one map: libraries are many
	maxMetadata    = 256 << 10
	maxSnapshots   = 100
	cutoffLayout   = time.DateOnly
	maxCommit      = 64
	maxTriggerName = 256
)

func (m Metadata) validate() error {
	for _, part := range []struct {
		name string
		keys []string
	}{
		{"metric", slices.Sorted(maps.Keys(m.Metrics))}, {"sample size", slices.Sorted(maps.Keys(m.SampleSizes))},
		{"threshold", slices.Sorted(maps.Keys(m.Thresholds))}, {"parameter", slices.Sorted(maps.Keys(m.Parameters))},
		{"seed", slices.Sorted(maps.Keys(m.Seeds))}, {"library", slices.Sorted(maps.Keys(m.Libraries))},
	} {
		if len(part.keys) > maxEntries {
			return tallystick.Errorf(tallystick.Invalid, "more than %d entries of kind %s", maxEntries, part.name)
		}
		for _, key := range part.keys {
			if key == "" {
				return tallystick.Errorf(tallystick.Invalid, "a %s has no name", part.name)
			}
			if err := tallystick.ValidateText(part.name+" name", key, maxPerson); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Metrics)) {
		if err := m.Metrics[name].validate(name); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.SampleSizes)) {
		if n := m.SampleSizes[name]; n < 0 || n > maxNumber {
			return tallystick.Errorf(tallystick.Invalid, "sample size %s is %d", name, n)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Thresholds)) {
		t := m.Thresholds[name]
		if t.Direction != "above" && t.Direction != "below" || t.Warn == nil && t.Fail == nil {
			return tallystick.Errorf(tallystick.Invalid, "threshold %s says not where it is", name).
				WithHint("give warn or fail, and the direction above or below")
		}
		if !finite(t.Warn) || !finite(t.Fail) {
			return tallystick.Errorf(tallystick.Invalid, "threshold %s is no finite number", name)
		}
	}
	if len(m.Snapshots) > maxSnapshots {
		return tallystick.Errorf(tallystick.Invalid, "more than %d snapshots", maxSnapshots)
	}
	for _, d := range m.Snapshots {
		if err := d.Validate(); err != nil {
			return tallystick.Errorf(tallystick.Invalid, "snapshot: %w", err)
		}
	}
	for _, texts := range []map[string]string{m.Parameters, m.Seeds, m.Libraries} {
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			if err := tallystick.ValidateText(name, texts[name], maxWords); err != nil {
				return err
			}
		}
	}
	if err := tallystick.ValidateText("hardware", m.Hardware, maxWords); err != nil {
		return err
	}
	if text, err := pack(m); err != nil || len(text) > maxMetadata {
		return tallystick.Errorf(tallystick.Invalid, "the metadata are more than %d bytes long", maxMetadata)
	}
	return nil
}

// maxNumber is the largest integer that a JSON number holds exactly (RFC 8785).
const maxNumber = 1<<53 - 1

func (m Metric) validate(name string) error {
	if !finite(&m.Value) || !finite(m.Low) || !finite(m.High) {
		return tallystick.Errorf(tallystick.Invalid, "metric %s is no finite number", name)
	}
	if m.N < 1 || m.N > maxNumber {
		return tallystick.Errorf(tallystick.Invalid, "metric %s says not on how many rows it was measured", name).WithHint("give its n, at least 1")
	}
	if m.Low != nil && *m.Low > m.Value || m.High != nil && *m.High < m.Value {
		return tallystick.Errorf(tallystick.Invalid, "metric %s lies outside of its own interval", name)
	}
	if m.Data != "" {
		if err := m.Data.Validate(); err != nil {
			return tallystick.Errorf(tallystick.Invalid, "metric %s: %w", name, err)
		}
	}
	return nil
}

func finite(v *float64) bool { return v == nil || !math.IsNaN(*v) && !math.IsInf(*v, 0) }

// Requirement is something that a version must say of itself before it is registered.
type Requirement struct {
	Field      string          `json:"field" doc:"name of the field, as in the API"`
	Flag       string          `json:"flag" doc:"how the command line gives it"`
	Text       string          `json:"text" doc:"what it is and why it is asked for"`
	From       tallystick.Tier `json:"from" doc:"the lowest tier that asks for it"`
	ThirdParty bool            `json:"third_party" doc:"whether a third-party model owes it too"`

	given func(VersionDetails) bool
}

// Requirements returns what versions must say of themselves, by tier.
func Requirements() []Requirement {
	const low, limited, high = tallystick.TierLow, tallystick.TierLimited, tallystick.TierHigh
	return []Requirement{
		{"manifest", "PATH", "the files, which are its identity", low, false, func(d VersionDetails) bool { return d.Digest != "" }},
		{"changelog", "--changelog TEXT", "what changed since the version before", low, true, func(d VersionDetails) bool { return d.Changelog != "" }},
		{"justification", "--justification TEXT", "why this version is made", limited, true, func(d VersionDetails) bool { return d.Justification != "" }},
		{"training_cutoff", "--training-cutoff DATE", "the last day of the training data", limited, false, func(d VersionDetails) bool { return d.TrainingCutoff != "" }},
		{"metadata.metrics", "--metric NAME=VALUE,n=ROWS", "how well it did, on how many rows", limited, true, func(d VersionDetails) bool { return len(d.Metadata.Metrics) > 0 }},
		{"metadata.sample_sizes", "--sample PART=ROWS", "how much data each part had", limited, false, func(d VersionDetails) bool { return len(d.Metadata.SampleSizes) > 0 }},
		{"code_commit", "--commit HASH", "the training code", limited, false, func(d VersionDetails) bool { return d.CodeCommit != "" }},
		{"metadata.libraries", "--libraries FILE", "the versions of its libraries", limited, false, func(d VersionDetails) bool { return len(d.Metadata.Libraries) > 0 }},
		{"metadata.thresholds", "--threshold METRIC=above|below:VALUE", "from when on monitoring is to speak up", high, true, func(d VersionDetails) bool { return len(d.Metadata.Thresholds) > 0 }},
		{"metadata.seeds", "--seed NAME=VALUE", "the seeds, to make it again", high, false, func(d VersionDetails) bool { return len(d.Metadata.Seeds) > 0 }},
		{"image_digest", "--image DIGEST", "the container image of the training, to make it again", high, false, func(d VersionDetails) bool { return d.Image != "" }},
		{"metadata.hardware", "--hardware TEXT", "what it was trained on, to make it again", high, false, func(d VersionDetails) bool { return d.Metadata.Hardware != "" }},
	}
}

// MissingMetadata returns what a version with these details still owes before it may be registered
// for the model: nothing for an experiment.
func MissingMetadata(m Model, d VersionDetails) []Requirement { return missing(m, d.says()) }

// says names what of the requirements is given, separated by blanks. It does not depend on the tier, which can
// change later.
func (d VersionDetails) says() string {
	var given []string
	for _, r := range Requirements() {
		if r.given(d) {
			given = append(given, r.Field)
		}
	}
	return strings.Join(given, " ")
}

// missing is MissingMetadata for a version that says this.
func missing(m Model, says string) (lacks []Requirement) {
	if m.State == Experimental {
		return nil
	}
	given := strings.Fields(says)
	for _, r := range Requirements() {
		if !m.Tier.Below(r.From) && (!m.ThirdParty || r.ThirdParty) && !slices.Contains(given, r.Field) {
			lacks = append(lacks, r)
		}
	}
	return lacks
}

// errMissing names all of it at once: nobody should find out one by one.
func errMissing(m Model, version string, missing []Requirement) error {
	fields := list(missing, func(r Requirement) string { return r.Field })
	var flags []string
	for _, r := range missing {
		flags = append(flags, r.Flag)
	}
	thing := fmt.Sprintf("%d things that tier %s asks for", len(missing), m.Tier)
	if len(missing) == 1 {
		thing = fmt.Sprintf("one thing that tier %s asks for", m.Tier)
	}
	return tallystick.Errorf(tallystick.Invalid, "version %s@%s lacks %s: %s", m.Name, version, thing, fields).
		WithHint("add %s", strings.Join(flags, " "))
}
