package release

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/verify"
)

// Judgement is what the gate decided, with what it takes to carry it out on the same facts.
type Judgement struct {
	Target
	Request  string          `json:"request,omitempty" doc:"id of the request; absent if it was a question"`
	Decision policy.Decision `json:"decision"`

	revision revision
	passing  passing
	document []byte // that was judged; nil if it is stored
	champion string
	at       time.Time
	until    time.Time // when the first evidence that counts ceases to; zero: never
}

// Judge asks the gate about a request.
func (o *Office) Judge(ctx context.Context, id string) (Judgement, error) {
	return o.judge(ctx, func(tx *state.Tx) (Request, error) {
		r, err := request(tx, id)
		if err != nil {
			return r, err
		}
		return r, r.live(tx.Now())
	})
}

// Ponder asks the gate what it would decide, without a request. Reviews count as missing.
func (o *Office) Ponder(ctx context.Context, a Asking) (Judgement, error) {
	return o.judge(ctx, func(tx *state.Tx) (Request, error) {
		return o.aimed(tx, a)
	})
}

// judge weighs what find finds, and keeps the input document and the policy so that the decision can be taken again, also when
// the policy is another. The document is enclosed by the event of the decision, unless it is large.
func (o *Office) judge(ctx context.Context, find func(tx *state.Tx) (Request, error)) (Judgement, error) {
	var document []byte
	var stored error
	j, err := o.weigh(ctx, find, func(pack *policy.Pack, canonical []byte) {
		if document = canonical; len(document) > evidence.MaxEnclosed {
			document = nil
			_, stored = o.config.Evidence.Put(ctx, canonical)
		}
		stored = cmp.Or(stored, o.keep(ctx, pack))
	})
	if err = cmp.Or(err, stored); err != nil {
		return Judgement{}, err
	}
	j.document = document
	return j, nil
}

// keep stores a policy once.
func (o *Office) keep(ctx context.Context, pack *policy.Pack) error {
	if _, there := o.policies.get(pack.Digest()); there {
		return nil
	}
	if err := pack.Keep(ctx, o.config.Evidence); err != nil {
		return err
	}
	o.policies.put(pack.Digest(), struct{}{})
	return nil
}

// weigh asks the gate, having told by which policy and the bytes of the input document.
func (o *Office) weigh(ctx context.Context, find func(tx *state.Tx) (Request, error), tell func(pack *policy.Pack, canonical []byte)) (j Judgement, err error) {
	f, err := o.proven(ctx, func(tx *state.Tx, read map[string]proof) (facts, error) {
		r, err := find(tx)
		if err != nil {
			return facts{}, err
		}
		j.Target, j.Request = r.Target, r.ID
		return o.factsOf(tx, r, read)
	})
	if err != nil {
		return Judgement{}, err
	}
	input, err := o.input(ctx, j.Target, &f)
	if err != nil {
		return Judgement{}, fmt.Errorf("facts about %s: %w", j.Target.Name(), err)
	}
	pack, err := o.config.Pack(f.model.Tier)
	if err != nil {
		return Judgement{}, err
	}
	document, err := policy.Prepare(input, f.at)
	if err != nil {
		return Judgement{}, err
	}
	tell(pack, document.Canonical())
	if j.Decision, err = pack.Judge(ctx, document); err != nil {
		return Judgement{}, fmt.Errorf("gate: %w", err)
	}
	j.revision, j.passing, j.at = f.revision, f.passing, f.at
	if f.release.Champion != nil {
		j.champion = f.release.Champion.Version
	}
	for _, finding := range f.release.Findings { // one that becomes overdue meanwhile keeps the gate shut
		if finding.Due.After(j.at) && (j.until.IsZero() || finding.Due.Before(j.until)) {
			j.until = *finding.Due
		}
	}
	for _, item := range f.status.Items {
		if item.State == catalog.Present && !item.Until.IsZero() && (j.until.IsZero() || item.Until.Before(j.until)) {
			j.until = item.Until
		}
	}
	return j, nil
}

// input makes the document that the gate judges.
func (o *Office) input(ctx context.Context, t Target, f *facts) (policy.Input, error) {
	audited, err := o.audited(ctx, f)
	if err != nil {
		return policy.Input{}, err
	}
	if err := o.inspected(ctx, f); err != nil {
		return policy.Input{}, err
	}
	if err := o.vulnerable(ctx, f); err != nil {
		return policy.Input{}, err
	}
	for _, item := range f.status.Items {
		f.release.Owed = append(f.release.Owed, o.owed(item, f))
	}
	in := policy.Input{
		Model: policy.Model{Name: t.Model, Version: t.Version, Owner: f.model.Owner, Tier: f.model.Tier}, Environment: &t.Environment,
		Release: &f.release, Waivers: f.passing.Waivers, Freeze: f.passing.Freezes,
	}
	if audited != nil {
		in.Report, in.Limits, in.Criteria, in.Champion = audited.Report, audited.Limits, audited.Criteria, audited.Champion
	}
	return in, nil
}

func (o *Office) owed(item catalog.Item, f *facts) policy.OwedEvidence {
	owed := policy.OwedEvidence{
		ID: item.ID, Title: item.Title, Kind: string(item.Kind), State: string(item.State), Until: whenSet(item.Until), Command: item.Command, Controls: item.Controls,
	}
	if e := item.Evidence; e != nil {
		produced := moment(e.ProducedMS)
		owed.Verdict, owed.Signer, owed.Subject, owed.Digest, owed.Produced = string(e.Verdict), e.Signer, e.Subject, e.Digest, &produced
		owed.SignerKnown = e.Signer != "" && f.keys.standing(e.Signer, predicateOf(*e)) == known
	}
	return owed
}

// audited is the part of an audit's own input document that the gate judges again.
type audited struct {
	Report, Limits, Criteria, Champion *policy.Part
}

// documentOf returns that part of the document, nil if it is not in the store.
func (o *Office) documentOf(ctx context.Context, digest tallystick.Digest) (*audited, error) {
	if kept, there := o.documents.get(digest); there {
		return kept, nil
	}
	body, err := o.stored(ctx, digest)
	if body == nil || err != nil {
		return nil, err
	}
	var raw struct{ Report, Limits, Criteria, Champion json.RawMessage }
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, fmt.Errorf("input document %s of the audit: %w", digest.Short(), err)
	}
	a := new(audited)
	for _, part := range []struct {
		raw  json.RawMessage
		into **policy.Part
	}{{raw.Report, &a.Report}, {raw.Limits, &a.Limits}, {raw.Criteria, &a.Criteria}, {raw.Champion, &a.Champion}} {
		if part.raw == nil {
			part.raw = json.RawMessage("null")
		}
		if *part.into, err = policy.NewPart(part.raw); err != nil {
			return nil, fmt.Errorf("input document %s of the audit: %w", digest.Short(), err)
		}
	}
	if len(body) <= maxKept {
		o.documents.put(digest, a)
	}
	return a, nil
}

// maxKept is the largest input document of an audit, in bytes, that is kept in memory.
const maxKept = 1 << 20

// audited returns what the newest evaluation measured: the document that its signed decision names, never
// the verdict. It is nil if there is none whose signature counts.
func (o *Office) audited(ctx context.Context, f *facts) (*audited, error) {
	if f.audit == nil {
		return nil, nil
	}
	for _, digest := range f.attested {
		gate, err := o.attestation(ctx, digest, f.keys)
		if err != nil {
			return nil, err
		}
		if gate == nil {
			continue
		}
		a, err := o.documentOf(ctx, gate.Input)
		if a == nil || err != nil {
			return nil, err
		}
		v := f.release.Version
		f.release.Audit = &policy.AuditFact{
			Digest: digest, Verdict: string(gate.Verdict), Produced: moment(f.audit.ProducedMS), PolicyDigest: gate.Policy, Rows: number(a.Report, "rows"),
			DataDigest:   tallystick.Digest(text(a.Report, "data", "digest")),
			OfThisDigest: slices.Contains([]tallystick.Digest{v.Digest, v.Root}, f.audit.Subject) || f.audit.Subject == "" && f.release.Version.State != string(catalog.Draft),
		}
		return a, nil
	}
	return nil, nil
}

// attested is by what a decision that an audit signed is kept.
type attested struct {
	statement tallystick.Digest
	key       string
}

// attestation returns the gate predicate of a signed statement, nil if it is another kind of statement or
// nobody whose signature counts has signed it.
func (o *Office) attestation(ctx context.Context, digest tallystick.Digest, keys keyring) (*evidence.Gate, error) {
	seen, there := o.seen.get(digest)
	var body []byte
	var err error
	if !there {
		if body, err = o.stored(ctx, digest); body == nil || err != nil {
			return nil, err
		}
		seen = peek(body)
		o.seen.put(digest, seen)
	}
	id, key := keys.find(seen.key)
	if key == nil || seen.predicate != verify.PredicateGate || keys.standing(id, seen.predicate) != known {
		return nil, nil
	}
	if gate, there := o.gates.get(attested{digest, id}); there {
		return gate, nil
	}
	if body == nil {
		if body, err = o.stored(ctx, digest); body == nil || err != nil {
			return nil, err
		}
	}
	gate := new(evidence.Gate)
	if s, err := statement(body, key, seen.bundle); err != nil || json.Unmarshal(s.Predicate, gate) != nil {
		gate = nil
	} else {
		gate.Rules = nil // which nothing here reads
	}
	o.gates.put(attested{digest, id}, gate)
	return gate, nil
}

// stored returns a piece of evidence, nil if it is not in the store.
func (o *Office) stored(ctx context.Context, digest tallystick.Digest) ([]byte, error) {
	body, err := o.config.Evidence.Get(ctx, digest)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return nil, nil
	}
	return body, err
}
