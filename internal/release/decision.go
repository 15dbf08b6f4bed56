package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// GateDecision is what the gate decided, as it is listed. Its input document lies with it or in the store of evidence,
// and with it the same policy and engine decide the same again, bit for bit.
type GateDecision struct {
	ID      string `json:"id" doc:"id of the decision"`
	Request string `json:"request,omitempty" doc:"id of the request; absent if it was a question"`
	Target
	Verdict tallystick.Verdict `json:"verdict" enum:"pass,fail" doc:"what was decided"`
	Input   tallystick.Digest  `json:"input_digest" doc:"digest of the input document"`
	Policy  tallystick.Digest  `json:"policy_digest" doc:"digest of the policy"`
	Engine  string             `json:"engine" doc:"name and version of the engine"`
	Tier    tallystick.Tier    `json:"tier" doc:"risk tier of the model"`
	Denied  []string           `json:"denied" doc:"ids of the rules that kept the gate shut"`
	Waived  []string           `json:"waived" doc:"ids of the rules that were waived"`
	At      time.Time          `json:"at" doc:"when it was decided"`
	Event   uint64             `json:"event" doc:"sequence of its event"`
}

// Decided is the change that puts a decision on record.
type Decided struct {
	Target
	Request  string             `json:"request,omitempty"`
	Verdict  tallystick.Verdict `json:"verdict"`
	Input    tallystick.Digest  `json:"input_digest"`
	Policy   tallystick.Digest  `json:"policy_digest"`
	Engine   string             `json:"engine"`
	Tier     tallystick.Tier    `json:"tier"`
	Denied   []string           `json:"denied,omitempty"`
	Waived   []string           `json:"waived,omitempty"`
	Revision []string           `json:"revision,omitempty"`
	Enclosed []byte             `json:"-"` // the input document; nil if it is in the store of evidence
}

// decided returns the change that puts a judgement on record.
func (j Judgement) decided() *Decided {
	d := &Decided{
		Target: j.Target, Request: j.Request, Verdict: j.Decision.Verdict, Input: j.Decision.Input, Policy: j.Decision.Policy,
		Engine: j.Decision.Engine, Tier: j.Decision.Tier, Revision: j.revision.list(), Enclosed: j.document,
	}
	for _, rule := range j.Decision.Rules {
		switch {
		case rule.Denies():
			d.Denied = append(d.Denied, rule.ID)
		case rule.Status == policy.Waived:
			d.Waived = append(d.Waived, rule.ID)
		}
	}
	return d
}

// Subject implements trail.Change.
func (d *Decided) Subject() (trail.Type, trail.Resource) {
	return trail.GateDecided, trail.Resource{Type: "version", ID: d.Model + "@" + d.Version}
}

// Apply implements trail.Change.
func (d *Decided) Apply(tx *state.Tx, at trail.Mark) error {
	denied, err := json.Marshal(append([]string{}, d.Denied...))
	waived, errWaived := json.Marshal(append([]string{}, d.Waived...))
	if err := errors.Join(err, errWaived); err != nil {
		return err
	}
	if d.Enclosed != nil {
		if err := evidence.Enclose(tx, d.Enclosed); err != nil {
			return err
		}
	}
	_, err = tx.Exec(`INSERT INTO gate_decisions (event, id, request, kind, model, version, digest, environment, role, verdict, input, policy, engine, tier,
		denied, waived, time_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		at.Sequence, at.ID, d.Request, string(d.Kind), d.Model, d.Version, string(d.Digest), d.Environment, string(d.Role), string(d.Verdict),
		string(d.Input), string(d.Policy), d.Engine, string(d.Tier), string(denied), string(waived), at.Time.UnixMilli())
	return err
}

// Replayed is a decision that was taken again.
type Replayed struct {
	Recorded GateDecision    `json:"recorded" doc:"what was decided then"`
	Decision policy.Decision `json:"decision" doc:"what the same input and policy decide now"`
	Same     bool            `json:"same" doc:"the two agree: in verdict, input, policy and engine, and in the rules that denied or were waived"`
}

// Again takes a decision again and says whether it comes out the same.
func (o *Office) Again(ctx context.Context, id string) (r Replayed, err error) {
	if r.Recorded, err = o.Decision(ctx, id); err != nil {
		return r, err
	}
	if r.Decision, err = o.Replay(ctx, id); err != nil {
		return r, err
	}
	is, was := (Judgement{Decision: r.Decision}).decided(), r.Recorded
	r.Same = is.Verdict == was.Verdict && is.Input == was.Input && is.Policy == was.Policy && is.Engine == was.Engine &&
		slices.Equal(is.Denied, was.Denied) && slices.Equal(is.Waived, was.Waived)
	return r, nil
}

// Replay takes a decision again from its stored input, by the policy of then. It is a Conflict error if that is neither
// in force nor stored.
func (o *Office) Replay(ctx context.Context, id string) (policy.Decision, error) {
	d, err := o.Decision(ctx, id)
	if err != nil {
		return policy.Decision{}, err
	}
	pack, err := o.config.Pack(d.Tier)
	if err != nil {
		return policy.Decision{}, err
	}
	if now := pack.Digest(); now != d.Policy {
		files, err := policy.Kept(ctx, o.config.Evidence, d.Policy)
		if tallystick.CodeOf(err) == tallystick.NotFound {
			return policy.Decision{}, tallystick.Errorf(tallystick.Conflict, "decision %s was taken by the policy %s, which is not stored, and that of tier %s is %s now", id, d.Policy.Short(), d.Tier, now.Short()).
				WithHint("run the release that took it, with the policy of then")
		}
		if err == nil {
			pack, err = policy.Restore(files, "policy "+d.Policy.Short())
		}
		if err != nil {
			return policy.Decision{}, err
		}
	}
	input, err := o.config.Evidence.Enclosed(ctx, o.config.DB, d.Input)
	if err != nil {
		return policy.Decision{}, err
	}
	var at struct {
		Now time.Time `json:"now"`
	}
	if err := json.Unmarshal(input, &at); err != nil {
		return policy.Decision{}, fmt.Errorf("input document %s: %w", d.Input.Short(), err)
	}
	return pack.Evaluate(ctx, json.RawMessage(input), at.Now)
}
