package prediction

import (
	"strings"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
)

// What a record may have at most. Lengths are in bytes.
const (
	MaxEncoded   = 65_535 // of a whole record; an entry of a tlog-tiles log may have as many
	maxFeatures  = 4096   // and as many attributions
	maxName      = 128    // of a feature
	maxText      = 4096   // of a text among the features, and of an output
	maxWord      = 128    // versions, environment
	maxLine      = 256    // route, actor, subject, rule
	maxReference = 1024
	maxProse     = 8192 // rationale, reason of an override
	maxFlags     = 32
	maxFlag      = 64
	maxExtra     = 16_384
)

// Validate returns an Invalid error that names the field, unless r is complete and within its
// bounds. It is what a door asks; an encoding can hold records of other rules.
func (r *Record) Validate() error {
	if !r.ID.valid() {
		return invalid("id", "is not a UUID of version 7")
	}
	if !r.Time.valid() {
		return invalid("time", "is missing or not in the years 1 to 9999")
	}
	if err := checkName("model", r.Model); err != nil {
		return err
	}
	for _, f := range [...]struct {
		field, text string
		limit       int
	}{
		{"version_requested", r.VersionRequested, maxWord}, {"version", r.Version, maxWord},
		{"version_source", r.VersionSource, maxWord}, {"environment", r.Environment, maxWord},
		{"route", r.Route, maxLine}, {"actor", r.Actor, maxLine}, {"subject", r.Subject, maxLine},
		{"features_ref", r.FeaturesRef, maxReference}, {"rule", r.Rule, maxLine}, {"rationale", r.Rationale, maxProse},
	} {
		if err := checkText(f.field, f.text, f.limit); err != nil {
			return err
		}
	}
	if r.InputDigest != "" {
		if _, ok := digestBytes(r.InputDigest); !ok {
			return invalid("input_digest", "is not sha256: and 64 lower-case hexadecimal digits")
		}
	} else if r.InputKeyed {
		return invalid("input_keyed", "is set, but there is no input_digest")
	}
	if err := r.Features.validate("features"); err != nil {
		return err
	}
	if err := checkText("output", r.Output.text, maxText); err != nil {
		return err
	}
	if err := r.validateNumbers(); err != nil {
		return err
	}
	if err := r.validateEnd(); err != nil {
		return err
	}
	if err := r.validateBodies(); err != nil {
		return err
	}
	if r.sizeAtMost() > MaxEncoded {
		_, err := r.Append(nil)
		return err
	}
	return nil
}

// sizeAtMost returns more bytes than the encoding takes, or as many.
func (r *Record) sizeAtMost() int {
	n := 1024 + len(r.Extra) + len(r.Model) + len(r.VersionRequested) + len(r.Version) + len(r.VersionSource) +
		len(r.Environment) + len(r.Route) + len(r.Actor) + len(r.Subject) + len(r.FeaturesRef) + len(r.Output.text) +
		len(r.Rule) + len(r.Rationale) + len(r.BodyRule)
	for _, f := range r.Features {
		n += len(f.Name) + len(f.Value.text) + 16
	}
	for _, f := range r.Attributions {
		n += len(f.Name) + 16
	}
	if o := r.Override; o != nil {
		n += len(o.By) + len(o.From.text) + len(o.Why)
	}
	for _, flag := range r.Flags {
		n += len(flag) + 4
	}
	return n
}

func (r *Record) validateNumbers() error {
	if !r.Score.IsNull() && !r.Score.IsNumber() {
		return invalid("score", "is not a number")
	}
	if !r.Threshold.IsNull() && !r.Threshold.IsNumber() {
		return invalid("threshold", "is not a number")
	}
	if !r.Latency.IsNull() && (r.Latency.kind != Int || r.Latency.Int() < 0) {
		return invalid("latency_us", "is not a whole number of microseconds, zero or more")
	}
	if err := r.Attributions.validate("attributions"); err != nil {
		return err
	}
	for i := range r.Attributions {
		if a := &r.Attributions[i]; !a.Value.IsNumber() {
			return invalid("attributions."+clip(a.Name), "is not a number")
		}
	}
	return nil
}

func (r *Record) validateEnd() error {
	switch r.Status {
	case "", OK, Failed, TimedOut, Fallback:
	default:
		return invalid("status", "is not one of ok, error, timeout, fallback")
	}
	switch r.DecidedBy {
	case "", Automated, Human:
	default:
		return invalid("decided_by", "is not automated or human")
	}
	if o := r.Override; o != nil {
		if o.By == "" {
			return invalid("override.by", "is missing")
		}
		if err := checkText("override.by", o.By, maxLine); err != nil {
			return err
		}
		if err := checkText("override.from", o.From.text, maxText); err != nil {
			return err
		}
		if err := checkText("override.why", o.Why, maxProse); err != nil {
			return err
		}
	}
	if len(r.Flags) > maxFlags {
		return invalid("flags", "has more than 32 words")
	}
	for i, flag := range r.Flags {
		if flag == "" {
			return invalid("flags", "has an empty word")
		}
		if err := checkText("flags", flag, maxFlag); err != nil {
			return err
		}
		if i > 0 && r.Flags[i-1] >= flag {
			return invalid("flags", "is not in order, each word once")
		}
	}
	if len(r.Extra) > 0 {
		if len(r.Extra) > maxExtra {
			return tallystick.Errorf(tallystick.Invalid, "extra takes %d bytes, the limit is %d", len(r.Extra), maxExtra).
				WithHint("send fewer or shorter unknown keys")
		}
		if canonical, err := canonicalObject(r.Extra); err != nil || string(canonical) != string(r.Extra) {
			return invalid("extra", "is not a canonical JSON object with members")
		}
	}
	return nil
}

func (r *Record) validateBodies() error {
	if err := checkText("body_rule", r.BodyRule, maxWord); err != nil {
		return err
	}
	if err := r.RequestBody.validate("request_body"); err != nil {
		return err
	}
	return r.ResponseBody.validate("response_body")
}

func (f Features) validate(field string) error {
	if len(f) > maxFeatures {
		return tallystick.Errorf(tallystick.Invalid, "%s has %d names, the limit is %d", field, len(f), maxFeatures)
	}
	for i := range f {
		name := f[i].Name
		if name == "" {
			return invalid(field, "has an empty name")
		}
		if checkText(field, name, maxName) != nil {
			return checkText(field+" name", name, maxName)
		}
		if i > 0 && f[i-1].Name >= name {
			return invalid(field, "is not in the order of the names, each once")
		}
		if text := f[i].Value.text; checkText(field, text, maxText) != nil {
			return checkText(field+"."+clip(name), text, maxText)
		}
	}
	return nil
}

func invalid(field, what string) error {
	return tallystick.Errorf(tallystick.Invalid, "%s %s", field, what)
}

func checkText(field, text string, limit int) error {
	if len(text) > limit {
		return tallystick.Errorf(tallystick.Invalid, "%s is %d bytes long, the limit is %d", field, len(text), limit)
	}
	if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
		return invalid(field, "is not text in UTF-8 without NUL")
	}
	return nil
}

// checkName has the rule of [tallystick.ValidateName] without a regular expression, which would
// take longer than all the rest.
func checkName(field, name string) error {
	ok := 1 <= len(name) && len(name) <= 128
	for i := 0; ok && i < len(name); i++ {
		switch c := name[i]; {
		case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z':
		case (c == '.' || c == '-' || c == '_') && i > 0:
		default:
			ok = false
		}
	}
	if ok {
		return nil
	}
	return tallystick.ValidateName(field, name)
}

// digestBytes returns the hash that d writes in hexadecimal.
func digestBytes(d tallystick.Digest) (sum [32]byte, ok bool) {
	const prefix = "sha256:"
	if len(d) != len(prefix)+64 || d[:len(prefix)] != prefix {
		return sum, false
	}
	ok = decodeHex(sum[:], string(d[len(prefix):]))
	return sum, ok
}
