package catalog

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// DatasetRegistered adds a data set.
type DatasetRegistered struct {
	Dataset string `json:"dataset"`
	DatasetTerms
}

// Subject implements trail.Change.
func (d *DatasetRegistered) Subject() (trail.Type, trail.Resource) {
	return trail.DatasetRegistered, trail.Resource{Type: "dataset", ID: d.Dataset}
}

// Apply implements trail.Change.
func (d *DatasetRegistered) Apply(tx *state.Tx, at trail.Mark) error {
	privacy, allowed, forbidden, err := d.columns()
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO datasets (name, owner, summary, source, consent_basis, retention_days, guidelines_digest, privacy, allowed_purposes, forbidden_purposes, created_ms, event)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		d.Dataset, d.Owner, d.Summary, d.Source, string(d.ConsentBasis), d.RetentionDays, string(d.Guidelines), privacy, allowed, forbidden, at.Time.UnixMilli(), at.Sequence)
	return err
}

// DatasetUpdated replaces the terms of a data set.
type DatasetUpdated struct {
	Dataset string `json:"dataset"`
	DatasetTerms
}

// Subject implements trail.Change.
func (d *DatasetUpdated) Subject() (trail.Type, trail.Resource) {
	return trail.DatasetUpdated, trail.Resource{Type: "dataset", ID: d.Dataset}
}

// Apply implements trail.Change.
func (d *DatasetUpdated) Apply(tx *state.Tx, at trail.Mark) error {
	privacy, allowed, forbidden, err := d.columns()
	if err != nil {
		return err
	}
	return state.ExecOne(tx, `UPDATE datasets SET owner = ?, summary = ?, source = ?, consent_basis = ?, retention_days = ?, guidelines_digest = ?,
		privacy = ?, allowed_purposes = ?, forbidden_purposes = ?, event = ? WHERE name = ?`,
		d.Owner, d.Summary, d.Source, string(d.ConsentBasis), d.RetentionDays, string(d.Guidelines), privacy, allowed, forbidden, at.Sequence, d.Dataset)
}

func (t DatasetTerms) columns() (privacy, allowed, forbidden string, err error) {
	privacy, err1 := pack(t.Privacy)
	allowed, err2 := pack(t.AllowedPurposes)
	forbidden, err3 := pack(t.ForbiddenPurposes)
	return privacy, allowed, forbidden, errors.Join(err1, err2, err3)
}

// The bounds of what people write. A sealed value has to fit into 64 KiB.
const (
	maxPurposes  = 64    // of one list
	maxPrivacy   = 1000  // columns with a privacy label
	maxList      = 48000 // bytes of a list in JSON
	maxRetention = 36500 // days
)

func (d DatasetChange) validate() error {
	if err := tallystick.ValidateName("data set", d.Name); err != nil {
		return err
	}
	switch d.ConsentBasis {
	case "", BasisNone, BasisConsent, BasisContract, BasisLegalObligation, BasisVitalInterests, BasisPublicTask, BasisLegitimateInterests:
	default:
		return tallystick.Errorf(tallystick.Invalid, "consent basis %q is not known", d.ConsentBasis).
			WithHint("use not_personal, consent, contract, legal_obligation, vital_interests, public_task or legitimate_interests")
	}
	if d.RetentionDays < 0 || d.RetentionDays > maxRetention {
		return tallystick.Errorf(tallystick.Invalid, "retention of %d days is not between 0 and %d", d.RetentionDays, maxRetention)
	}
	if d.Guidelines != "" {
		if err := d.Guidelines.Validate(); err != nil {
			return fmt.Errorf("labelling guidelines: %w", err)
		}
	}
	if err := cmp.Or(
		tallystick.ValidateText("owner", d.Owner, maxPerson),
		tallystick.ValidateText("summary", d.Summary, maxWords),
		tallystick.ValidateText("source", d.Source, maxWords),
		boundedList("allowed purposes", d.AllowedPurposes, maxPurposes),
		boundedList("forbidden purposes", d.ForbiddenPurposes, maxPurposes),
	); err != nil {
		return err
	}
	for _, purpose := range d.AllowedPurposes {
		for _, other := range d.ForbiddenPurposes {
			if purpose == other {
				return tallystick.Errorf(tallystick.Invalid, "purpose %q is both allowed and forbidden", purpose)
			}
		}
	}
	return validateLabels(d.Privacy)
}

func validateLabels(labels []ColumnLabel) error {
	seen := make(map[string]bool, min(len(labels), maxPrivacy))
	for _, l := range labels {
		if err := tallystick.ValidateText("column name", l.Column, maxPerson); err != nil {
			return err
		}
		switch l.Label {
		case LabelNone, LabelPersonal, LabelSensitive, LabelMasked, LabelSecret:
		default:
			return tallystick.Errorf(tallystick.Invalid, "column %q: privacy label %q is not none, personal, sensitive or secret", l.Column, l.Label)
		}
		if l.Column == "" || seen[l.Column] {
			return tallystick.Errorf(tallystick.Invalid, "column %q has no name or two privacy labels", l.Column)
		}
		seen[l.Column] = true
	}
	return boundedJSON("privacy labels", labels, maxPrivacy)
}

func boundedList(what string, list []string, count int) error {
	for i, s := range list {
		if err := tallystick.ValidateText(fmt.Sprintf("%s, number %d", what, i+1), s, maxPerson); err != nil {
			return err
		}
	}
	return boundedJSON(what, list, count)
}

func boundedJSON[T any](what string, list []T, count int) error {
	if len(list) > count {
		return tallystick.Errorf(tallystick.Invalid, "%d %s, the limit is %d", len(list), what, count)
	}
	text, err := pack(list)
	if err == nil && len(text) > maxList {
		err = tallystick.Errorf(tallystick.Invalid, "%s take %d bytes, the limit is %d", what, len(text), maxList)
	}
	return err
}
