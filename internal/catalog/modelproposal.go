package catalog

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// The bounds of what people say, in bytes. What is indexed is shorter.
const (
	maxPerson = 256
	maxWords  = 4096
	maxLabels = 64
	maxLabel  = 256
)

// ModelRegistration asks to register a model.
type ModelRegistration struct {
	Name string `json:"name" doc:"name of the model: letters, digits, dots, dashes and underscores"`
	ModelDetails
	Reason string `json:"reason,omitempty" doc:"why a retired model comes back; required then"`
}

// NewModel returns the change that registers a model which nobody has registered, in state active and owned
// by actor unless it says otherwise. Its tier follows from its answers (Answers.Decide).
func NewModel(r ModelRegistration, actor string) (*ModelRegistered, error) {
	if err := tallystick.ValidateName("model", r.Name); err != nil {
		return nil, err
	}
	r.State, r.Owner = cmp.Or(r.State, Active), cmp.Or(r.Owner, actor)
	if err := r.ModelDetails.validate(); err != nil {
		return nil, err
	}
	if r.State == Retired {
		return nil, tallystick.Errorf(tallystick.Invalid, "model %q cannot begin as retired", r.Name).WithHint("register it as active or experimental")
	}
	return &ModelRegistered{Model: r.Name, TierDecision: r.Answers.Decide(r.TierStated), ModelDetails: r.ModelDetails}, nil
}

// RegisterModel proposes what RegisterNew does, of the model that NewModel returns.
func (c *Catalog) RegisterModel(tx *state.Tx, r ModelRegistration, actor string) (trail.Change, error) {
	fresh, err := NewModel(r, actor)
	if err != nil {
		return nil, err
	}
	return c.RegisterNew(tx, fresh, r.Reason)
}

// RegisterNew proposes to register a model, which NewModel has made. Registering a model again as it is
// changes nothing; otherwise it is a Conflict. A retired model is registered again with a reason, and its
// tier does not sink by that.
func (c *Catalog) RegisterNew(tx *state.Tx, fresh *ModelRegistered, reason string) (trail.Change, error) {
	known, err := isModel(tx, fresh.Model)
	if err != nil {
		return nil, err
	}
	if !known {
		return fresh, nil
	}
	m, err := model(tx, fresh.Model)
	switch {
	case err != nil:
		return nil, err
	case m.State == Retired:
		if reason == "" {
			return nil, tallystick.Errorf(tallystick.Conflict, "model %q is retired: %s", fresh.Model, cmp.Or(m.Reason, "no reason is on record")).
				WithHint("to take it into use again, give a reason with --reason; or register another name")
		}
		if err := checkTier(m, fresh.TierDecision); err != nil {
			return nil, err
		}
		return &ModelReregistered{Model: fresh.Model, Revision: m.Revision + 1, Reason: reason, TierDecision: fresh.TierDecision, ModelDetails: fresh.ModelDetails}, nil
	}
	if changed := changedFields(m.ModelDetails, fresh.ModelDetails); len(changed) > 0 {
		return nil, tallystick.Errorf(tallystick.Conflict, "model %q is registered with another %s", fresh.Model, strings.Join(changed, ", ")).
			WithHint("change it with `tallystick model update %s`, or register another name", fresh.Model)
	}
	return nil, nil
}

// ModelUpdate asks to change what is said of a model.
type ModelUpdate struct {
	Model      string
	Fields     []string // JSON names of the ModelDetails that change; the others are not looked at
	Details    ModelDetails
	IfRevision int64 // a Conflict unless the model has this revision; 0: whatever it has
}

// UpdateModel proposes to change what is said of a model. The tier follows from answers and stated
// tier. A tier that would sink, and a model that would become an experiment, are refused, because both
// ask for less evidence than before. A retired model does not change.
func (c *Catalog) UpdateModel(tx *state.Tx, u ModelUpdate) (trail.Change, error) {
	m, err := model(tx, u.Model)
	if err != nil {
		return nil, err
	}
	if u.IfRevision != 0 && u.IfRevision != m.Revision {
		return nil, tallystick.Errorf(tallystick.Conflict, "model %q has revision %d, not %d: somebody has changed it since", u.Model, m.Revision, u.IfRevision).
			WithHint("read it again and repeat the change if it is still right")
	}
	if m.State == Retired {
		return nil, tallystick.Errorf(tallystick.Conflict, "model %q is retired", u.Model).WithHint("register it again first, with a reason")
	}
	details := m.ModelDetails
	known := modelFields()
	for _, name := range u.Fields {
		i := slices.IndexFunc(known, func(f modelField) bool { return f.name == name })
		if i < 0 {
			return nil, tallystick.Errorf(tallystick.Invalid, "a model has no field %q that can be changed", name).
				WithHint("the fields are %s", list(known, func(f modelField) string { return f.name }))
		}
		known[i].copy(&details, &u.Details)
	}
	if err := details.validate(); err != nil {
		return nil, err
	}
	switch {
	case details.State == Retired:
		return nil, tallystick.Errorf(tallystick.Invalid, "a model is retired with a reason, not by a change of its state").
			WithHint("`tallystick model retire %s --reason TEXT`", u.Model)
	case details.State == Experimental && m.State == Active:
		return nil, tallystick.Errorf(tallystick.Conflict, "model %q is active; as an experiment it would owe no evidence", u.Model).
			WithHint("retire it, and register the experiment under a name of its own")
	}
	changed := changedFields(m.ModelDetails, details)
	if len(changed) == 0 {
		return nil, nil
	}
	change := &ModelUpdated{Model: u.Model, Revision: m.Revision + 1, Changed: changed}
	for _, f := range known {
		if slices.Contains(changed, f.name) {
			f.copy(&change.ModelDetails, &details)
		}
	}
	if slices.Contains(changed, "answers") || slices.Contains(changed, "tier_stated") {
		decision := details.Answers.Decide(details.TierStated)
		if err := checkTier(m, decision); err != nil {
			return nil, err
		}
		if !reflect.DeepEqual(decision, m.TierDecision) {
			change.TierDecision, change.Changed = decision, append(change.Changed, tierField)
		}
	}
	return change, nil
}

// RetireModel proposes to retire a model, for a reason. replacement names the registered model that
// takes its place, and may be empty.
func (c *Catalog) RetireModel(tx *state.Tx, name, reason, replacement string) (trail.Change, error) {
	m, err := model(tx, name)
	switch {
	case err != nil:
		return nil, err
	case m.State == Retired:
		if replacement == m.Replacement && reason == m.Reason {
			return nil, nil
		}
		return nil, tallystick.Errorf(tallystick.Conflict, "model %q is retired already", name)
	case reason == "":
		return nil, tallystick.Errorf(tallystick.Invalid, "no reason is given for the retirement of model %q", name).WithHint("say why with --reason")
	case replacement == name:
		return nil, tallystick.Errorf(tallystick.Invalid, "model %q cannot replace itself", name)
	}
	if err := tallystick.ValidateText("reason", reason, maxWords); err != nil {
		return nil, err
	}
	if replacement != "" {
		r, err := model(tx, replacement)
		if err != nil {
			return nil, err
		}
		if r.State == Retired {
			return nil, tallystick.Errorf(tallystick.Conflict, "model %q is itself retired", replacement).WithHint("name a model that is in use")
		}
	}
	return &ModelRetired{Model: name, Revision: m.Revision + 1, Replacement: replacement, Reason: reason}, nil
}

// AuditedModel names the model of an audit and says whose it is.
type AuditedModel struct {
	Model, Owner string
	Tier         tallystick.Tier
	Actor        string // owns a new model for which nobody is named
}

// RegisterAudited proposes to register the model of an audit if it is new, with
// tier limited if none is named. A tier above the registered one raises it; one below is a Conflict,
// because a lower tier asks for less evidence. An owner that differs from the registered one is a
// Conflict too. No tier and no owner mean the registered ones.
func (c *Catalog) RegisterAudited(tx *state.Tx, a AuditedModel) (trail.Change, error) {
	if err := tallystick.ValidateName("model", a.Model); err != nil {
		return nil, err
	}
	stated := func(tier tallystick.Tier) TierDecision {
		if tier == "" {
			return Answers{}.Decide("")
		}
		return TierDecision{Tier: tier, Reason: string(tier) + ", because an audit was told so; the questions about risk are not answered"}
	}
	known, err := isModel(tx, a.Model)
	if err != nil {
		return nil, err
	}
	if !known {
		details := ModelDetails{State: Active, Owner: cmp.Or(a.Owner, a.Actor), TierStated: a.Tier}
		if err := details.validate(); err != nil {
			return nil, err
		}
		return &ModelRegistered{Model: a.Model, TierDecision: stated(a.Tier), ModelDetails: details}, nil
	}
	m, err := model(tx, a.Model)
	switch {
	case err != nil:
		return nil, err
	case m.State == Retired:
		return nil, tallystick.Errorf(tallystick.Conflict, "model %q is retired", a.Model).WithHint("register it again first, with a reason; or name another model")
	case a.Owner != "" && a.Owner != m.Owner:
		return nil, tallystick.Errorf(tallystick.Conflict, "model %q belongs to %s, not to %s", a.Model, m.Owner, a.Owner).
			WithHint("leave out --owner, or name another model")
	case a.Tier == "" || a.Tier == m.Tier:
		return nil, nil
	case a.Tier.Below(m.Tier):
		return nil, LowerTier(m, a.Tier)
	}
	decision := stated(a.Tier)
	if len(m.Answers) > 0 {
		decision = m.Answers.Decide(a.Tier)
	}
	return &ModelUpdated{
		Model: a.Model, Revision: m.Revision + 1, Changed: []string{"tier_stated", tierField},
		TierDecision: decision, ModelDetails: ModelDetails{TierStated: a.Tier},
	}, nil
}

// LowerTier is the Conflict of asking for less evidence than the model's tier does.
func LowerTier(m Model, tier tallystick.Tier) error {
	return tallystick.Errorf(tallystick.Conflict, "model %q is registered with tier %s; an audit cannot lower it to %s", m.Name, m.Tier, tier).
		WithHint("leave out --tier, or use --tier %s", m.Tier)
}

func checkTier(m Model, d TierDecision) error {
	if !d.Tier.Below(m.Tier) {
		return nil
	}
	return tallystick.Errorf(tallystick.Conflict, "this would lower the tier of model %q from %s to %s", m.Name, m.Tier, d.Tier).
		WithHint("a lower tier asks for less evidence and has to be approved; state tier %s to keep it", m.Tier)
}

// changedFields returns the names of the fields in which the details differ.
func changedFields(was, is ModelDetails) (names []string) {
	for _, f := range modelFields() {
		var a, b ModelDetails
		f.copy(&a, &was)
		f.copy(&b, &is)
		if !sameDetails(a, b) {
			names = append(names, f.name)
		}
	}
	return names
}

// sameDetails compares, and takes an empty map for none.
func sameDetails(a, b ModelDetails) bool {
	if !maps.Equal(a.Answers, b.Answers) || !maps.Equal(a.Labels, b.Labels) || !maps.Equal(a.PhaseOwners, b.PhaseOwners) {
		return false
	}
	a.Answers, a.Labels, a.PhaseOwners = nil, nil, nil
	b.Answers, b.Labels, b.PhaseOwners = nil, nil, nil
	return reflect.DeepEqual(a, b)
}

func (s ModelState) validate() error {
	switch s {
	case Experimental, Active, Retired:
		return nil
	}
	return tallystick.Errorf(tallystick.Invalid, "state %q is not experimental, active or retired", string(s))
}

func (d ModelDetails) validate() error {
	if d.TierStated != "" {
		if _, err := tallystick.ParseTier(string(d.TierStated)); err != nil {
			return err
		}
	}
	if len(d.Labels) > maxLabels {
		return tallystick.Errorf(tallystick.Invalid, "%d labels are given, the limit is %d", len(d.Labels), maxLabels)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Labels)) {
		if err := cmp.Or(tallystick.ValidateName("label", name), tallystick.ValidateText("label "+name, d.Labels[name], maxLabel)); err != nil {
			return err
		}
	}
	for _, phase := range slices.Sorted(maps.Keys(d.PhaseOwners)) {
		if !slices.Contains(phases(), phase) {
			return tallystick.Errorf(tallystick.Invalid, "the life of a model has no phase %q", phase).WithHint("the phases are %s", strings.Join(phases(), ", "))
		}
		if err := tallystick.ValidateText("owner of the phase "+phase, d.PhaseOwners[phase], maxPerson); err != nil {
			return err
		}
	}
	if d.ThirdParty && d.Supplier == "" {
		return tallystick.Errorf(tallystick.Invalid, "a third-party model has no supplier").WithHint("name who supplies it with --supplier")
	}
	if !d.ThirdParty && (d.Supplier != "" || d.SupplierContract != "") {
		return tallystick.Errorf(tallystick.Invalid, "a supplier is named for a model that is our own").WithHint("say --third-party, or leave out the supplier")
	}
	return cmp.Or(
		d.State.validate(), d.Answers.Validate(),
		tallystick.ValidateText("owner", d.Owner, maxPerson), tallystick.ValidateText("SRE owner", d.SREOwner, maxPerson),
		tallystick.ValidateText("intended purpose", d.Purpose, maxWords), tallystick.ValidateText("acceptable use", d.AcceptableUse, maxWords),
		tallystick.ValidateText("summary", d.Summary, maxWords), tallystick.ValidateText("supplier", d.Supplier, maxPerson), tallystick.ValidateText("supplier contract", d.SupplierContract, maxWords),
	)
}

// phases are those of a model's life that can have an owner of their own.
func phases() []string {
	return []string{"collection", "features", "training", "evaluation", "deployment", "monitoring"}
}
