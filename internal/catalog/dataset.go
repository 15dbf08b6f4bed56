package catalog

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// ConsentBasis is what the use of personal data rests on: a letter of article 6(1) of the GDPR, or
// that there are none.
type ConsentBasis string

// The bases, and one for data about nobody.
const (
	BasisNone                ConsentBasis = "not_personal"
	BasisConsent             ConsentBasis = "consent"
	BasisContract            ConsentBasis = "contract"
	BasisLegalObligation     ConsentBasis = "legal_obligation"
	BasisVitalInterests      ConsentBasis = "vital_interests"
	BasisPublicTask          ConsentBasis = "public_task"
	BasisLegitimateInterests ConsentBasis = "legitimate_interests"
)

// PrivacyLabel says what a column tells about people.
type PrivacyLabel string

// The labels. Nothing is known of a column without one.
const (
	LabelNone      PrivacyLabel = "none"      // nothing about a person
	LabelPersonal  PrivacyLabel = "personal"  // about a person, or names one
	LabelSensitive PrivacyLabel = "sensitive" // a special category: health, origin, belief, ... (GDPR article 9)
	LabelMasked    PrivacyLabel = "masked"    // about a person, and masked, so that nobody is named
	LabelSecret    PrivacyLabel = "secret"    // not personal, and not to be shown
)

// ColumnLabel labels one column.
type ColumnLabel struct {
	Column string       `json:"column" doc:"Name of the column."`
	Label  PrivacyLabel `json:"label" enum:"none,personal,sensitive,masked,secret" doc:"What the column tells about people."`
}

// DatasetTerms says what a data set is and on what terms it may be used.
type DatasetTerms struct {
	Owner             string            `json:"owner,omitempty" doc:"Who answers for the data set."`
	Summary           string            `json:"summary,omitempty" doc:"What the data are."`
	Source            string            `json:"source,omitempty" doc:"Where the data come from."`
	ConsentBasis      ConsentBasis      `json:"consent_basis,omitempty" enum:"not_personal,consent,contract,legal_obligation,vital_interests,public_task,legitimate_interests" doc:"What the use of personal data rests on (GDPR article 6)."`
	RetentionDays     int64             `json:"retention_days,omitempty" doc:"How long snapshots are kept, in days. 0: nobody has said."`
	Guidelines        tallystick.Digest `json:"guidelines_digest,omitempty" doc:"Digest of the labelling guidelines."`
	Privacy           []ColumnLabel     `json:"privacy,omitempty" doc:"Privacy labels of columns."`
	AllowedPurposes   []string          `json:"allowed_purposes,omitempty" doc:"What the data may be used for. Empty: nobody has said."`
	ForbiddenPurposes []string          `json:"forbidden_purposes,omitempty" doc:"What the data may not be used for."`
}

// Dataset is a data set. Its content at a moment is a [Snapshot].
type Dataset struct {
	Name string `json:"name" doc:"Name of the data set."`
	DatasetTerms
	Created  time.Time `json:"created" doc:"When it was registered."`
	Revision uint64    `json:"revision" doc:"Sequence of the event that last changed it."`
}

// Label returns the label of a column, the empty one if it has none.
func (t DatasetTerms) Label(column string) PrivacyLabel {
	for _, l := range t.Privacy {
		if l.Column == column {
			return l.Label
		}
	}
	return ""
}

// DatasetChange is what somebody wants a data set to be.
type DatasetChange struct {
	Name string `json:"name" doc:"Name of the data set."`
	DatasetTerms
	// IfRevision is the revision that the change is based on; 0 changes whatever there is.
	IfRevision uint64 `json:"if_revision,omitempty" doc:"Revision that the change is based on; 0 asks for none."`
}

// RegisterDataset returns the change that registers a data set, nil if it is there on the same terms.
// On other terms is a Conflict error.
func (c *Catalog) RegisterDataset(tx *state.Tx, d DatasetChange) (trail.Change, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	is, err := dataset(tx, d.Name)
	switch {
	case tallystick.CodeOf(err) == tallystick.NotFound:
		return &DatasetRegistered{d.Name, d.DatasetTerms}, nil
	case err != nil:
		return nil, err
	case !alike(is.DatasetTerms, d.DatasetTerms):
		return nil, tallystick.Errorf(tallystick.Conflict, "data set %q is registered on other terms", d.Name).
			WithHint("change it, saying which revision the change is based on (now %d)", is.Revision)
	}
	return nil, nil
}

// UpdateDataset returns the change that replaces the terms of a data set, nil if they are so already.
// A data set that somebody has changed meanwhile is a Conflict error.
func (c *Catalog) UpdateDataset(tx *state.Tx, d DatasetChange) (trail.Change, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	is, err := dataset(tx, d.Name)
	switch {
	case err != nil:
		return nil, err
	case alike(is.DatasetTerms, d.DatasetTerms):
		return nil, nil
	case d.IfRevision != 0 && d.IfRevision != is.Revision:
		return nil, tallystick.Errorf(tallystick.Conflict, "data set %q has changed: its revision is %d, not %d", d.Name, is.Revision, d.IfRevision).
			WithHint("look at it again and repeat the change on top")
	}
	return &DatasetUpdated{d.Name, d.DatasetTerms}, nil
}

// Dataset returns the data set of that name, or a NotFound error.
func (c *Catalog) Dataset(ctx context.Context, name string) (Dataset, error) {
	return read(ctx, c, func(tx *state.Tx) (Dataset, error) { return dataset(tx, name) })
}

// DatasetIn returns the data set as the transaction sees it, or a NotFound error.
func (c *Catalog) DatasetIn(tx *state.Tx, name string) (Dataset, error) { return dataset(tx, name) }

// DatasetFilter chooses data sets.
type DatasetFilter struct {
	After string // the name of the last one that the caller has
	Limit int    // 0 means 100; at most 1,000
}

// Datasets returns data sets in the order of their names.
func (c *Catalog) Datasets(ctx context.Context, f DatasetFilter) (list []Dataset, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		list, err = state.Collect(tx, scanDataset, "SELECT "+datasetColumns+" FROM datasets WHERE name > ? ORDER BY name "+state.Limit, f.After, limit(f.Limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list data sets: %w", err)
	}
	return list, nil
}

const datasetColumns = "name, owner, summary, source, consent_basis, retention_days, guidelines_digest, privacy, allowed_purposes, forbidden_purposes, created_ms, event"

func dataset(tx *state.Tx, name string) (Dataset, error) {
	d, err := scanDataset(tx.QueryRow("SELECT "+datasetColumns+" FROM datasets WHERE name = ?", name))
	if errors.Is(err, sql.ErrNoRows) {
		return Dataset{}, unknown(tx, "data set", name, "SELECT name FROM datasets ORDER BY name")
	}
	if err != nil {
		return Dataset{}, fmt.Errorf("read data set %q: %w", name, err)
	}
	return d, nil
}

func scanDataset(row state.Scanner) (d Dataset, err error) {
	var created int64
	var privacy, allowed, forbidden string
	err = row.Scan(&d.Name, &d.Owner, &d.Summary, &d.Source, &d.ConsentBasis, &d.RetentionDays, &d.Guidelines, &privacy, &allowed, &forbidden, &created, &d.Revision)
	if err != nil {
		return Dataset{}, err
	}
	d.Created = moment(created)
	return d, errors.Join(unpack(privacy, &d.Privacy), unpack(allowed, &d.AllowedPurposes), unpack(forbidden, &d.ForbiddenPurposes))
}

// alike reports whether two values are the same on the trail.
func alike[T any](a, b T) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
