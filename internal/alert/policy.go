package alert

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/revision"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// Document is a policy as it was written: what alerts of a model, or of all, are like.
type Document struct {
	Name  string
	Model string // empty: all; the policies of a model come first
	Most  int    // alerts of a model that are pending or firing at once; 0: it says nothing
	Rules []Rule

	source []byte
}

// Source returns the bytes that the document was read from.
func (d *Document) Source() []byte { return d.source }

// Rule says what alerts are like that it matches. Of all rules the first that matches counts.
type Rule struct {
	Match    Match
	Severity Severity // empty: as the judgement has it
	On       tallystick.Verdict
	Bad, Of  int // 0: as the judgement has it
	Good     int
	Labels   []string // name=value, by name
	Runbook  string
}

// Match chooses alerts. Empty fields choose all; in Rule and Subject a star stands for any part between slashes.
type Match struct {
	Rule        string
	Subject     []string
	Segment     string
	Environment string
	Version     string
}

// Fields are the keys of a match in a document.
func (m *Match) Fields(d yamldoc.Decoder) []yamldoc.Field {
	return []yamldoc.Field{
		yamldoc.Key("rule", d.Pattern(&m.Rule)),
		yamldoc.Key("subject", d.Patterns(&m.Subject)),
		yamldoc.Key("segment", d.Pattern(&m.Segment)),
		yamldoc.Key("environment", d.Pattern(&m.Environment)),
		yamldoc.Key("version", d.Pattern(&m.Version)),
	}
}

// Chooses reports whether an alert is chosen.
func (m *Match) Chooses(a *Alert) bool {
	return m.matches(&Observation{Rule: a.Rule, Environment: a.Environment, Version: a.Version, Segment: a.Segment, Subject: a.Subject})
}

func (m *Match) matches(o *Observation) bool {
	return yamldoc.Matches(m.Rule, o.Rule) && yamldoc.Matches(m.Environment, o.Environment) && yamldoc.Matches(m.Version, o.Version) && yamldoc.Matches(m.Segment, o.Segment) &&
		(len(m.Subject) == 0 || slices.ContainsFunc(m.Subject, func(s string) bool { return yamldoc.Matches(s, o.Subject) }))
}

// What a policy may say.
const (
	defaultMost = 100 // alerts of a model at once
	maxMost     = 999 // with the alert that there are too many, what a list has
	maxRules    = 200
	maxPolicies = 1000
)

// treatment is what an alert about an observation is like.
type treatment struct {
	Terms
	severity Severity
	labels   []string
	runbook  string
}

// policies are all that are in force: those of single models by name, then those of all by name.
type policies []*Document

// treat says what an alert about an observation is like.
func (all policies) treat(o *Observation) treatment {
	t := treatment{Terms: o.Terms, severity: o.Severity}
	if t.Terms == (Terms{}) {
		t.Terms = Defaults()
	}
	for _, d := range all {
		if d.Model != "" && d.Model != o.Model {
			continue
		}
		for i := range d.Rules {
			r := &d.Rules[i]
			if !r.Match.matches(o) {
				continue
			}
			if r.Severity != "" {
				t.severity = r.Severity
			}
			if r.On != "" {
				t.On = r.On
			}
			if r.Of > 0 {
				t.Bad, t.Of = r.Bad, r.Of
			}
			if r.Good > 0 {
				t.Good = r.Good
			}
			t.labels, t.runbook = r.Labels, r.Runbook
			return t
		}
	}
	return t
}

// most says how many alerts of a model can be pending or firing at once.
func (all policies) most(model string) int {
	for _, d := range all {
		if d.Most > 0 && (d.Model == "" || d.Model == model) {
			return d.Most
		}
	}
	return defaultMost
}

// Policy is a policy on record.
type Policy struct {
	Name     string            `json:"name"`
	Model    string            `json:"model,omitempty" doc:"absent: all"`
	Document tallystick.Digest `json:"document_digest,omitempty" doc:"of the policy as it was written"`
	Removed  bool              `json:"removed,omitempty" doc:"it counts no more"`
	Applied  time.Time         `json:"applied" doc:"when it was written so, or removed"`
	Event    uint64            `json:"event" doc:"sequence of the event"`
}

// PreparePolicy reads and keeps a policy, and returns the change that applies it.
func (o *Office) PreparePolicy(ctx context.Context, name string, source []byte) (*PolicyApplied, error) {
	doc, err := ParsePolicy(source, "alert policy")
	if err != nil {
		return nil, err
	}
	if doc.Name != name {
		return nil, tallystick.Errorf(tallystick.Invalid, "the policy is called %s, not %s", doc.Name, name)
	}
	digest, err := o.config.Evidence.Put(ctx, source)
	return &PolicyApplied{doc.Name, doc.Model, digest}, err
}

// ProposePolicy returns the change, nil if the policy is so already.
func (o *Office) ProposePolicy(tx *state.Tx, p *PolicyApplied) (trail.Change, error) {
	if p.Model != "" {
		if _, err := o.config.Models.ModelIn(tx, p.Model); err != nil {
			return nil, err
		}
	}
	all, err := known(tx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(k Policy) bool { return k.Name == p.Policy })
	if i >= 0 && !all[i].Removed && all[i].Document == p.Document {
		return nil, nil
	}
	if i < 0 && len(all) >= maxPolicies {
		return nil, tallystick.Errorf(tallystick.Conflict, "there are %d alert policies, which is the most", maxPolicies)
	}
	return p, nil
}

// RemovePolicy returns the change by which a policy counts no more, nil if it does not now.
func (o *Office) RemovePolicy(tx *state.Tx, name string) (trail.Change, error) {
	p, err := kept.At(tx, name, 0)
	if err != nil || p.Removed {
		return nil, err
	}
	return &PolicyRemoved{p.Name, p.Model}, nil
}

// kept are the policies on record.
var kept = revision.Kind{Noun: "alert policy", Table: "alert_policy_revisions", About: []string{"model"}}

func policyOf(r revision.Revision) Policy {
	return Policy{r.Name, r.Model, r.Document, r.Removed, r.Applied, r.Event}
}

// known returns the newest revision of every policy, by name.
func known(tx *state.Tx) (all []Policy, err error) {
	found, err := kept.List(tx, "", maxPolicies+1)
	for _, r := range found {
		all = append(all, policyOf(r))
	}
	return all, err
}

// Policies returns the policies by name, those that were removed too.
func (o *Office) Policies(ctx context.Context) (all []Policy, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = known(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list alert policies: %w", err)
	}
	return all, nil
}

// Policy returns a policy with its document, which is nil if it was removed.
func (o *Office) Policy(ctx context.Context, name string) (p Policy, doc *Document, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		r, err := kept.At(tx, name, 0)
		p = policyOf(r)
		return err
	})
	if err != nil || p.Removed {
		return p, nil, err
	}
	doc, err = o.document(ctx, p)
	return p, doc, err
}

func (o *Office) document(ctx context.Context, p Policy) (*Document, error) {
	source, err := o.config.Evidence.Get(ctx, p.Document)
	if err != nil {
		return nil, fmt.Errorf("alert policy %s: %w", p.Name, err)
	}
	return ParsePolicy(source, p.Name)
}

// inForce returns the policies in the order in which they count.
func (o *Office) inForce(ctx context.Context) (all policies, err error) {
	listed, err := o.Policies(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range listed {
		if p.Removed {
			continue
		}
		doc, err := o.document(ctx, p)
		if err != nil {
			return nil, err
		}
		all = append(all, doc)
	}
	slices.SortStableFunc(all, func(a, b *Document) int {
		if (a.Model == "") != (b.Model == "") {
			if a.Model != "" {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all, nil
}

// PolicyApplied says what alerts are like from now on.
type PolicyApplied struct {
	Policy   string            `json:"policy"`
	Model    string            `json:"model,omitempty"`
	Document tallystick.Digest `json:"document_digest"`
}

// Subject implements trail.Change.
func (p *PolicyApplied) Subject() (trail.Type, trail.Resource) {
	return trail.AlertPolicyApplied, trail.Resource{Type: "alert_policy", ID: p.Policy}
}

// Apply implements trail.Change.
func (p *PolicyApplied) Apply(tx *state.Tx, at trail.Mark) error {
	return kept.Add(tx, at, revision.Revision{Name: p.Policy, Model: p.Model, Document: p.Document})
}

// PolicyRemoved says that a policy counts no more.
type PolicyRemoved struct {
	Policy string `json:"policy"`
	Model  string `json:"model,omitempty"`
}

// Subject implements trail.Change.
func (p *PolicyRemoved) Subject() (trail.Type, trail.Resource) {
	return trail.AlertPolicyRemoved, trail.Resource{Type: "alert_policy", ID: p.Policy}
}

// Apply implements trail.Change.
func (p *PolicyRemoved) Apply(tx *state.Tx, at trail.Mark) error {
	return kept.Add(tx, at, revision.Revision{Name: p.Policy, Model: p.Model, Removed: true})
}
