package release

import (
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// WaiverState is where a waiver stands. One that has expired stays as it is, and counts no more.
type WaiverState string

// The states of a waiver.
const (
	WaiverOpen     WaiverState = "requested"
	WaiverApproved WaiverState = "approved"
	WaiverRejected WaiverState = "rejected"
	WaiverEnded    WaiverState = "revoked"
)

// Waiver is a dated exception to one rule, for one version in one environment.
type Waiver struct {
	ID          string            `json:"id" doc:"id of the waiver"`
	Model       string            `json:"model" doc:"name of the model"`
	Version     string            `json:"version" doc:"name of the version"`
	Digest      tallystick.Digest `json:"version_digest" doc:"digest of the version"`
	Environment string            `json:"environment" doc:"name of the environment"`
	Rule        string            `json:"rule" doc:"id of the rule"`
	Owner       string            `json:"owner" doc:"who answers for the risk"`
	Requester   string            `json:"requester" doc:"id of who asked for it"`
	Reason      string            `json:"reason" doc:"why the rule cannot be met"`
	Control     string            `json:"control" doc:"what is done instead"`
	Created     time.Time         `json:"created" doc:"when it was asked for"`
	Expires     time.Time         `json:"expires" doc:"until when it counts"`
	State       WaiverState       `json:"state" enum:"requested,approved,rejected,revoked" doc:"where it stands"`
	Reviewer    string            `json:"reviewer,omitempty" doc:"id of who approved or rejected it"`
	Comment     string            `json:"comment,omitempty" doc:"what the reviewer said"`
	Event       uint64            `json:"event" doc:"sequence of its event"`
	LastEvent   uint64            `json:"last_event" doc:"sequence of the last event that changed it"`
}

// Waiving asks for a waiver.
type Waiving struct {
	Model       string    `json:"model" doc:"name of the model"`
	Version     string    `json:"version" doc:"name of the version"`
	Environment string    `json:"environment" doc:"name of the environment"`
	Rule        string    `json:"rule" doc:"id of the rule"`
	Owner       string    `json:"owner" doc:"id of who answers for the risk"`
	Reason      string    `json:"reason" doc:"why the rule cannot be met"`
	Control     string    `json:"control" doc:"what is done instead"`
	Expires     time.Time `json:"expires" doc:"until when"`
}

const maxWaiver = 366 * 24 * time.Hour

// RequestWaiver returns the change by which somebody asks for a waiver.
func (o *Office) RequestWaiver(tx *state.Tx, w Waiving) (trail.Change, error) {
	_, id, err := o.identified(tx, w.Model, w.Version)
	if err != nil {
		return nil, err
	}
	if _, err := o.config.Catalog.EnvironmentIn(tx, w.Environment); err != nil {
		return nil, err
	}
	m, err := o.config.Catalog.ModelIn(tx, w.Model)
	if err != nil {
		return nil, err
	}
	pack, err := o.config.Pack(m.Tier)
	if err != nil {
		return nil, err
	}
	if err := waivable(pack, w.Rule); err != nil {
		return nil, err
	}
	for _, part := range []struct{ what, text, flag string }{
		{"owner", w.Owner, "--owner NAME"}, {"reason", w.Reason, "--reason TEXT"}, {"compensating control", w.Control, "--control TEXT"},
	} {
		if part.text == "" {
			return nil, tallystick.Errorf(tallystick.Invalid, "a waiver without %s is none", part.what).WithHint("add %s", part.flag)
		}
		if err := checkWords(part.what, part.text); err != nil {
			return nil, err
		}
	}
	if now := tx.Now(); !w.Expires.After(now) || w.Expires.After(now.Add(maxWaiver)) {
		return nil, tallystick.Errorf(tallystick.Invalid, "a waiver until %s does not end within a year from now", w.Expires.Format(time.DateOnly)).
			WithHint("say until when: --expires 2006-01-02")
	}
	return &WaiverRequested{
		Model: w.Model, Version: w.Version, Digest: id, Environment: w.Environment, Rule: w.Rule,
		Expires: w.Expires.UnixMilli(), Owner: w.Owner, Reason: w.Reason, Control: w.Control,
	}, nil
}

// waivable returns an Invalid error unless the policy has the rule and lets it be waived.
func waivable(pack *policy.Pack, rule string) error {
	rules := pack.Rules()
	i := slices.IndexFunc(rules, func(d policy.Definition) bool { return d.ID == rule })
	if i < 0 {
		var ids []string
		for _, d := range rules {
			ids = append(ids, d.ID)
		}
		no := tallystick.Errorf(tallystick.Invalid, "the policy has no rule %.80q", rule)
		if near := tallystick.Nearby(rule, ids, 3); len(near) > 0 {
			return no.WithHint("did you mean %s?", strings.Join(near, ", "))
		}
		return no.WithHint("`tallystick policy explain` lists the rules")
	}
	if !rules[i].Waivable {
		return tallystick.Errorf(tallystick.Invalid, "rule %s cannot be waived", rule)
	}
	return nil
}

// WaiverRequested is the change by which somebody asks for a waiver.
type WaiverRequested struct {
	Model       string            `json:"model"`
	Version     string            `json:"version"`
	Digest      tallystick.Digest `json:"version_digest"`
	Environment string            `json:"environment"`
	Rule        string            `json:"rule"`
	Expires     int64             `json:"expires_ms"`
	Owner       string            `json:"owner,omitempty"`
	Reason      string            `json:"reason,omitempty"`
	Control     string            `json:"control,omitempty"`
}

// Subject implements trail.Change.
func (w *WaiverRequested) Subject() (trail.Type, trail.Resource) {
	return trail.WaiverRequested, trail.Resource{Type: "version", ID: w.Model + "@" + w.Version}
}

// Apply implements trail.Change.
func (w *WaiverRequested) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec(`INSERT INTO waivers (event, id, model, version, digest, environment, rule, owner, requester, reason, control,
		created_ms, expires_ms, state, reviewer, comment, last_event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', ?)`,
		at.Sequence, at.ID, w.Model, w.Version, string(w.Digest), w.Environment, w.Rule, w.Owner, at.Actor, w.Reason, w.Control,
		at.Time.UnixMilli(), w.Expires, string(WaiverOpen), at.Sequence)
	return err
}

// ReviewWaiver returns the change by which a waiver is approved or rejected, by a person who neither owns
// it nor asked for it.
func (o *Office) ReviewWaiver(tx *state.Tx, id string, verdict Opinion, comment string, who access.Principal) (trail.Change, error) {
	w, err := waiver(tx, id)
	if err != nil {
		return nil, err
	}
	switch {
	case verdict != Approve && verdict != Reject:
		return nil, tallystick.Errorf(tallystick.Invalid, "verdict %q is not approve or reject", verdict)
	case w.State != WaiverOpen:
		return nil, tallystick.Errorf(tallystick.Conflict, "waiver %s is %s", w.ID, w.State).WithHint("ask for another")
	case !tx.Now().Before(w.Expires):
		return nil, tallystick.Errorf(tallystick.Conflict, "waiver %s expired on %s", w.ID, w.Expires.Format(time.DateOnly)).WithHint("ask for another")
	case who.Kind != access.KindPerson:
		return nil, tallystick.Errorf(tallystick.Forbidden, "a %s cannot review a waiver: that is a person's", who.Kind)
	case w.ownedBy(who):
		return nil, tallystick.Errorf(tallystick.Forbidden, "you own this waiver or asked for it: somebody else has to review it").
			WithHint("ask an approver or validator to review waiver %s", w.ID)
	}
	if err := checkWords("comment", comment); err != nil {
		return nil, err
	}
	return &WaiverReviewed{Waiver: w.ID, Model: w.Model, Version: w.Version, Verdict: verdict, Comment: comment}, nil
}

// WaiverReviewed is the change by which a waiver is approved or rejected.
type WaiverReviewed struct {
	Waiver  string  `json:"waiver"`
	Model   string  `json:"model"`
	Version string  `json:"version"`
	Verdict Opinion `json:"verdict"`
	Comment string  `json:"comment,omitempty"`
}

// Subject implements trail.Change.
func (w *WaiverReviewed) Subject() (trail.Type, trail.Resource) {
	return trail.WaiverReviewed, trail.Resource{Type: "waiver", ID: w.Waiver}
}

// Apply implements trail.Change.
func (w *WaiverReviewed) Apply(tx *state.Tx, at trail.Mark) error {
	as := WaiverApproved
	if w.Verdict == Reject {
		as = WaiverRejected
	}
	return state.ExecOne(tx, "UPDATE waivers SET state = ?, reviewer = ?, comment = ?, last_event = ? WHERE id = ? AND state = 'requested'",
		string(as), at.Actor, w.Comment, at.Sequence, w.Waiver)
}

// RevokeWaiver returns the change by which a waiver ceases to count, nil if it does not count.
func (o *Office) RevokeWaiver(tx *state.Tx, id, reason string) (trail.Change, error) {
	if err := checkWords("reason", reason); err != nil {
		return nil, err
	}
	w, err := waiver(tx, id)
	if err != nil || w.State == WaiverRejected || w.State == WaiverEnded {
		return nil, err
	}
	return &WaiverRevoked{Waiver: w.ID, Model: w.Model, Version: w.Version, Reason: reason}, nil
}

// WaiverRevoked is the change by which a waiver ceases to count.
type WaiverRevoked struct {
	Waiver  string `json:"waiver"`
	Model   string `json:"model"`
	Version string `json:"version"`
	Reason  string `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (w *WaiverRevoked) Subject() (trail.Type, trail.Resource) {
	return trail.WaiverRevoked, trail.Resource{Type: "waiver", ID: w.Waiver}
}

// Apply implements trail.Change.
func (w *WaiverRevoked) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE waivers SET state = 'revoked', last_event = ? WHERE id = ? AND state IN ('requested', 'approved')", at.Sequence, w.Waiver)
}
