package catalog

import (
	"slices"

	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// ModelRegistered is the change that makes a model known.
type ModelRegistered struct {
	Model string `json:"model"`
	TierDecision
	ModelDetails
}

// Subject returns the model.
func (c *ModelRegistered) Subject() (trail.Type, trail.Resource) {
	return trail.ModelRegistered, modelResource(c.Model)
}

// Apply adds the model.
func (c *ModelRegistered) Apply(tx *state.Tx, at trail.Mark) error {
	m := c.made(at)
	_, err := tx.Exec("INSERT INTO models ("+modelColumns+") VALUES ("+
		"?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", m.row(at)...)
	return err
}

// Answer returns the model as it is then.
func (c *ModelRegistered) Answer(at trail.Mark) any { return c.made(at) }

func (c *ModelRegistered) made(at trail.Mark) Model {
	return Model{
		Name: c.Model, TierDecision: c.TierDecision, ModelDetails: c.ModelDetails,
		Revision: 1, Created: at.Time, Changed: at.Time, Event: at.Sequence,
	}
}

// ModelReregistered is the change that takes a retired model into use again.
type ModelReregistered struct {
	Model    string `json:"model"`
	Revision int64  `json:"revision"`
	Reason   string `json:"reason,omitempty"`
	TierDecision
	ModelDetails
}

// Subject returns the model.
func (c *ModelReregistered) Subject() (trail.Type, trail.Resource) {
	return trail.ModelReregistered, modelResource(c.Model)
}

// Apply replaces all that was said of the model.
func (c *ModelReregistered) Apply(tx *state.Tx, at trail.Mark) error {
	return alter(tx, at, c.Model, c.Revision, func(m *Model) {
		m.TierDecision, m.ModelDetails, m.Reason, m.Replacement = c.TierDecision, c.ModelDetails, c.Reason, ""
	})
}

// ModelUpdated is the change of what is said of a model. Fields that it does not list as changed are empty.
type ModelUpdated struct {
	Model    string   `json:"model"`
	Revision int64    `json:"revision"`
	Changed  []string `json:"changed"`
	TierDecision
	ModelDetails
}

// Subject returns the model.
func (c *ModelUpdated) Subject() (trail.Type, trail.Resource) {
	return trail.ModelUpdated, modelResource(c.Model)
}

// Apply changes the fields that are listed.
func (c *ModelUpdated) Apply(tx *state.Tx, at trail.Mark) error {
	return alter(tx, at, c.Model, c.Revision, func(m *Model) {
		for _, f := range modelFields() {
			if slices.Contains(c.Changed, f.name) {
				f.copy(&m.ModelDetails, &c.ModelDetails)
			}
		}
		if slices.Contains(c.Changed, tierField) {
			m.TierDecision = c.TierDecision
		}
	})
}

// ModelRetired is the change that ends the use of a model.
type ModelRetired struct {
	Model       string `json:"model"`
	Revision    int64  `json:"revision"`
	Replacement string `json:"replacement,omitempty"`
	Reason      string `json:"reason,omitempty"`
}

// Subject returns the model.
func (c *ModelRetired) Subject() (trail.Type, trail.Resource) {
	return trail.ModelRetired, modelResource(c.Model)
}

// Apply retires the model.
func (c *ModelRetired) Apply(tx *state.Tx, at trail.Mark) error {
	return alter(tx, at, c.Model, c.Revision, func(m *Model) {
		m.State, m.Replacement, m.Reason = Retired, c.Replacement, c.Reason
	})
}

func modelResource(name string) trail.Resource { return trail.Resource{Type: "model", ID: name} }

// tierField names the tier decision among the changed fields.
const tierField = "tier"

// modelField is one of ModelDetails that can change by itself.
type modelField struct {
	name string
	copy func(to, from *ModelDetails)
}

func modelFields() []modelField {
	return []modelField{
		{"state", func(to, from *ModelDetails) { to.State = from.State }},
		{"tier_stated", func(to, from *ModelDetails) { to.TierStated = from.TierStated }},
		{"answers", func(to, from *ModelDetails) { to.Answers = from.Answers }},
		{"third_party", func(to, from *ModelDetails) { to.ThirdParty = from.ThirdParty }},
		{"owner", func(to, from *ModelDetails) { to.Owner = from.Owner }},
		{"sre_owner", func(to, from *ModelDetails) { to.SREOwner = from.SREOwner }},
		{"phase_owners", func(to, from *ModelDetails) { to.PhaseOwners = from.PhaseOwners }},
		{"intended_purpose", func(to, from *ModelDetails) { to.Purpose = from.Purpose }},
		{"acceptable_use", func(to, from *ModelDetails) { to.AcceptableUse = from.AcceptableUse }},
		{"summary", func(to, from *ModelDetails) { to.Summary = from.Summary }},
		{"labels", func(to, from *ModelDetails) { to.Labels = from.Labels }},
		{"supplier", func(to, from *ModelDetails) { to.Supplier = from.Supplier }},
		{"supplier_contract", func(to, from *ModelDetails) { to.SupplierContract = from.SupplierContract }},
	}
}

// alter changes the row of a model and makes it a revision of its own.
func alter(tx *state.Tx, at trail.Mark, name string, revision int64, change func(*Model)) error {
	m, err := model(tx, name)
	if err != nil {
		return err
	}
	was := m.words()
	change(&m)
	m.Revision = revision
	if err := unword(tx, name, was, m.words()); err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE models SET state = ?, tier = ?, tier_stated = ?, tier_reason = ?, tier_answers = ?, answers = ?, third_party = ?,
		owner = ?, sre_owner = ?, phase_owners = ?, intended_purpose = ?, acceptable_use = ?, summary = ?, labels = ?, supplier = ?, supplier_contract = ?,
		replacement = ?, reason = ?, revision = ?, urgency = ?, versions = ?, latest_version = ?, latest_digest = ?, latest_root = ?, latest_says = ?,
		evaluated_ms = ?, created_ms = ?, changed_ms = ?, event = ? WHERE name = ?`, append(m.row(at)[1:], name)...)
	return err
}

// row returns the values of modelColumns, as of the change at.
func (m Model) row(at trail.Mark) []any {
	// Maps of texts always encode.
	deciding, _ := pack(m.Deciding)
	answers, _ := pack(m.Answers)
	phases, _ := pack(m.PhaseOwners)
	labels, _ := pack(m.Labels)
	return []any{
		m.Name, string(m.State), string(m.Tier), string(m.TierStated), m.TierDecision.Reason, deciding, answers, m.ThirdParty, m.Owner, m.SREOwner,
		phases, m.Purpose, m.AcceptableUse, m.Summary, labels, m.Supplier, m.SupplierContract, m.Replacement, m.Reason, m.Revision,
		urgencyOf(m), m.Versions, m.LatestVersion, string(m.latest.digest), string(m.latest.root), m.latest.says, millis(m.Evaluated), millis(m.Created), at.Time.UnixMilli(), int64(at.Sequence),
	}
}
