package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// ModelState is where a model stands in its life.
type ModelState string

// The states of a model. An experimental model owes no evidence and may serve nowhere that is gated;
// a retired one may not be used any longer.
const (
	Experimental ModelState = "experimental"
	Active       ModelState = "active"
	Retired      ModelState = "retired"
)

// ModelDetails are what people say of a model.
type ModelDetails struct {
	State            ModelState        `json:"state,omitempty" enum:"experimental,active,retired" doc:"experimental, active or retired; an experimental model owes no evidence"`
	TierStated       tallystick.Tier   `json:"tier_stated,omitempty" enum:"low,limited,high" doc:"tier that the owner states; it can raise the computed one and not lower it"`
	Answers          Answers           `json:"answers,omitempty" doc:"answers to the questions about risk, by question"`
	ThirdParty       bool              `json:"third_party,omitempty" doc:"somebody else made the model; its files need not be known"`
	Owner            string            `json:"owner,omitempty" doc:"who answers for the model"`
	SREOwner         string            `json:"sre_owner,omitempty" doc:"who answers for its operation"`
	PhaseOwners      map[string]string `json:"phase_owners,omitempty" doc:"who answers for the phases collection, features, training, evaluation, deployment and monitoring, where that is not the owner"`
	Purpose          string            `json:"intended_purpose,omitempty" doc:"what it is for"`
	AcceptableUse    string            `json:"acceptable_use,omitempty" doc:"what it may be used for, and what not"`
	Summary          string            `json:"summary,omitempty" doc:"what it does, in a sentence or two"`
	Labels           map[string]string `json:"labels,omitempty" doc:"labels by name"`
	Supplier         string            `json:"supplier,omitempty" doc:"who supplies a third-party model"`
	SupplierContract string            `json:"supplier_contract,omitempty" doc:"contract under which it is supplied"`
}

// Model is a registered model.
type Model struct {
	Name string `json:"name"`
	TierDecision
	ModelDetails
	Replacement   string    `json:"replacement,omitempty" doc:"model that replaces a retired one"`
	Reason        string    `json:"reason,omitempty" doc:"why it was retired, or registered again"`
	Revision      int64     `json:"revision" doc:"grows by one with each change of what is said of the model"`
	Versions      int64     `json:"versions" doc:"number of versions, drafts included"`
	LatestVersion string    `json:"latest_version,omitempty" doc:"version that was registered last"`
	Evaluated     time.Time `json:"evaluated,omitzero" doc:"last evaluation of the latest version"`
	Created       time.Time `json:"created"`
	Changed       time.Time `json:"changed" doc:"when the revision was made"`
	Event         uint64    `json:"event" doc:"sequence of the event that made the revision"`

	urgency int64
	latest  latestVersion
}

// latestVersion is what an overview needs of the latest version of a model. It stands in the row of the model:
// to look for a hundred versions took longer than all else.
type latestVersion struct {
	digest, root tallystick.Digest
	says         string // see VersionDetails.says
}

// version returns as much of the latest version as is known.
func (m Model) version() Version {
	return Version{Model: m.Name, Version: m.LatestVersion, VersionDetails: VersionDetails{Digest: m.latest.digest, Root: m.latest.root}}
}

// Model returns the model of that name, or a NotFound error with names that are like it.
func (c *Catalog) Model(ctx context.Context, name string) (Model, error) {
	return read(ctx, c, func(tx *state.Tx) (Model, error) { return model(tx, name) })
}

// ModelIn returns the model as the transaction sees it, or a NotFound error.
func (c *Catalog) ModelIn(tx *state.Tx, name string) (Model, error) { return model(tx, name) }

const modelColumns = `name, state, tier, tier_stated, tier_reason, tier_answers, answers, third_party, owner, sre_owner,
	phase_owners, intended_purpose, acceptable_use, summary, labels, supplier, supplier_contract, replacement, reason, revision,
	urgency, versions, latest_version, latest_digest, latest_root, latest_says, evaluated_ms, created_ms, changed_ms, event`

// model returns the model of that name as the transaction sees it.
func model(tx *state.Tx, name string) (Model, error) {
	m, err := scanModel(tx.QueryRow("SELECT "+modelColumns+" FROM models WHERE name = ?", name))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		hint, err := hintNearest(tx, "`tallystick model list` lists them", name, "SELECT name FROM models ORDER BY name")
		if err != nil {
			return Model{}, fmt.Errorf("look for names like %q: %w", name, err)
		}
		return Model{}, tallystick.Errorf(tallystick.NotFound, "model %q is not registered", name).WithHint("%s", hint)
	case err != nil:
		return Model{}, fmt.Errorf("read model %q: %w", name, err)
	}
	return m, nil
}

// HasModel reports whether a model of that name is registered, retired ones too.
func (c *Catalog) HasModel(ctx context.Context, name string) (bool, error) {
	return read(ctx, c, func(tx *state.Tx) (bool, error) { return isModel(tx, name) })
}

// isModel reports whether there is a model of that name, without a look at what it is or what names are
// like it, which takes long.
func isModel(tx *state.Tx, name string) (known bool, err error) {
	if err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM models WHERE name = ?)", name).Scan(&known); err != nil {
		return false, fmt.Errorf("look for model %q: %w", name, err)
	}
	return known, nil
}

func scanModel(row state.Scanner) (Model, error) {
	var m Model
	var deciding, answers, phases, labels string
	var thirdParty, evaluated, created, changed int64
	err := row.Scan(&m.Name, &m.State, &m.Tier, &m.TierStated, &m.TierDecision.Reason, &deciding, &answers, &thirdParty, &m.Owner, &m.SREOwner,
		&phases, &m.Purpose, &m.AcceptableUse, &m.Summary, &labels, &m.Supplier, &m.SupplierContract, &m.Replacement, &m.Reason, &m.Revision,
		&m.urgency, &m.Versions, &m.LatestVersion, &m.latest.digest, &m.latest.root, &m.latest.says, &evaluated, &created, &changed, &m.Event)
	if err != nil {
		return Model{}, err
	}
	if err := errors.Join(unpack(deciding, &m.Deciding), unpack(answers, &m.Answers), unpack(phases, &m.PhaseOwners), unpack(labels, &m.Labels)); err != nil {
		return Model{}, fmt.Errorf("model %q: %w", m.Name, err)
	}
	m.ThirdParty = thirdParty != 0
	m.Evaluated, m.Created, m.Changed = moment(evaluated), moment(created), moment(changed)
	return m, nil
}

// pack returns v as the text of a column: JSON with sorted names, and nothing for what is empty. v is a map, a
// slice or a struct that can be encoded.
func pack(v any) (string, error) {
	if r := reflect.ValueOf(v); (r.Kind() == reflect.Map || r.Kind() == reflect.Slice) && r.Len() == 0 {
		return "", nil
	}
	data, err := json.Marshal(v)
	if s := string(data); s == "null" || s == "{}" || s == "[]" {
		return "", err
	}
	return string(data), err
}

func unpack(s string, into any) error {
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), into)
}

// moment is the time of a column, zero for zero.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// millis is the column of a time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// A model in use is more urgent than unurgent, and one of tier high than urgencyStep.
const (
	urgencyStep = 10 // from one tier to the next
	unurgent    = 100
)

// urgencyOf says how soon a model should be audited, as far as that does not depend on when it was last:
// 0 is first. A higher tier comes before a longer reach. Experiments and retired models come last.
func urgencyOf(m Model) int64 {
	if m.State != Active {
		return unurgent
	}
	reach := m.Answers.weight(reachQuestion)
	if reach == 0 { // nobody has said: as far as can be
		reach = 4
	}
	rank := map[tallystick.Tier]int64{tallystick.TierHigh: 0, tallystick.TierLimited: 1, tallystick.TierLow: 2}
	return urgencyStep*rank[m.Tier] + 4 - int64(reach)
}
