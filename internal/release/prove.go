package release

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/vulnerability"
	"github.com/tallystick/tallystick/verify"
)

// unread is evidence that has to be read before it can be judged.
type unread struct {
	evidence catalog.Evidence
	version  catalog.Version
}

// prover judges evidence by what has been read of it, and notes in f what has not.
func (o *Office) prover(f *facts, read map[string]proof) catalog.Proof {
	return func(e catalog.Evidence, v catalog.Version) (catalog.Evidence, catalog.ItemState) {
		if e.OfAudit() {
			switch f.keys.standing(e.Signer, verify.PredicateGate) {
			case known:
				return e, catalog.Present
			case revoked:
				return e, catalog.Revoked
			default:
				return e, catalog.Claimed
			}
		}
		p, there := read[e.ID]
		if !there {
			p, there = o.kept(e, v, f.keys)
		}
		if !there {
			f.unread = append(f.unread, unread{e, v})
			return e, catalog.Claimed
		}
		if p.vouched != "" {
			f.vouched[e.Digest] = p.vouched
		}
		return p.judge(e, f.keys)
	}
}

// predicateOf returns the type of statement that signed the evidence.
func predicateOf(e catalog.Evidence) string {
	if e.OfAudit() {
		return verify.PredicateGate
	}
	return e.PredicateType
}

// maxRounds bounds how often evidence that comes while other evidence is read is read too.
const maxRounds = 4

// proven gathers facts in a transaction and, outside of it, reads what is needed to judge the evidence among them: files are
// not read while the database waits. As a rule everything has been read before.
func (o *Office) proven(ctx context.Context, gather func(tx *state.Tx, read map[string]proof) (facts, error)) (f facts, err error) {
	read := map[string]proof{}
	for range maxRounds {
		err := o.config.DB.Read(ctx, func(tx *state.Tx) error {
			f, err = gather(tx, read)
			return err
		})
		if err != nil || len(f.unread) == 0 {
			return f, err
		}
		for _, u := range f.unread {
			if read[u.evidence.ID], err = o.examine(ctx, u.evidence, u.version, f.keys); err != nil {
				return f, fmt.Errorf("evidence %s of %s: %w", u.evidence.Digest.Short(), nameOf(u.evidence), err)
			}
		}
	}
	return f, nil
}

// Status is what a model owes, with the exceptions that its version has or had of late.
type Status struct {
	catalog.Status
	Waivers []Waiver `json:"waivers,omitempty" doc:"approved waivers of the version that count, or have ended in the last 30 days"`
}

// Status says what a model owes and what of it is there and proven.
func (o *Office) Status(ctx context.Context, model, version string) (Status, error) {
	var waivers []Waiver
	f, err := o.proven(ctx, func(tx *state.Tx, read map[string]proof) (f facts, err error) {
		f.vouched = map[tallystick.Digest]tallystick.Digest{}
		if f.keys, err = o.keys(tx); err != nil {
			return f, err
		}
		if f.status, err = o.config.Catalog.StatusIn(tx, model, version, o.prover(&f, read)); err != nil {
			return f, err
		}
		waivers, err = state.Collect(tx, scanWaiver, "SELECT "+waiverColumns+` FROM waivers WHERE model = ? AND version = ? AND state = 'approved' AND expires_ms > ?
			ORDER BY event `+state.Limit, model, f.status.Version, tx.Now().Add(-recentEnd).UnixMilli(), maxPage)
		return f, err
	})
	return Status{f.status, waivers}, err
}

// Overviews says what an inventory says of models; 200 is the most. What nobody is said to have signed is a claim, and not looked into.
func (o *Office) Overviews(ctx context.Context, models []catalog.Model) (all []catalog.Overview, err error) {
	_, err = o.proven(ctx, func(tx *state.Tx, read map[string]proof) (f facts, err error) {
		f.vouched = map[tallystick.Digest]tallystick.Digest{}
		if f.keys, err = o.keys(tx); err != nil {
			return f, err
		}
		prove := o.prover(&f, read)
		all, err = o.config.Catalog.OverviewsIn(tx, models, func(e catalog.Evidence, v catalog.Version) (catalog.Evidence, catalog.ItemState) {
			if e.Signer == "" {
				return e, catalog.Claimed
			}
			return prove(e, v)
		})
		return f, err
	})
	return all, err
}

// StandingEvidence is evidence on record with how it stands.
type StandingEvidence struct {
	catalog.Evidence
	Standing catalog.ItemState `json:"standing" enum:"present,other_digest,claimed,revoked" doc:"present: the signature of somebody registered for it holds; what is only claimed satisfies no rule"`
}

// Standings says how evidence stands. What nothing rests on, a ticket or a note, is a claim.
func (o *Office) Standings(ctx context.Context, all []catalog.Evidence) (standings []StandingEvidence, err error) {
	_, err = o.proven(ctx, func(tx *state.Tx, read map[string]proof) (f facts, err error) {
		standings = standings[:0]
		f.vouched = map[tallystick.Digest]tallystick.Digest{}
		if f.keys, err = o.keys(tx); err != nil {
			return f, err
		}
		versions := map[string]catalog.Version{"": {}}
		prove := o.prover(&f, read)
		for _, e := range all {
			v, there := versions[e.Version]
			if !there {
				if v, err = o.config.Catalog.VersionIn(tx, e.Model, e.Version); err != nil {
					return f, err
				}
				versions[e.Version] = v
			}
			_, standing := prove(e, v)
			standings = append(standings, StandingEvidence{e, standing})
		}
		return f, nil
	})
	return standings, err
}

// Attached is evidence as it goes on record, with how it stands.
type Attached struct {
	catalog.EvidenceDetails
	Standing string `json:"standing" enum:"verified,claimed,revoked" doc:"whether the signature of somebody registered for it holds; what is only claimed satisfies no rule"`
	Words    string `json:"words" doc:"how it stands, and what to do about it"`
}

// Attest verifies evidence that is to be attached: what the statement says takes the place of what the client says of it. Evidence
// that nobody has signed, or somebody unknown, stays a claim. It is an error if a signature of a known key does not hold, or is
// about something else.
func (o *Office) Attest(ctx context.Context, a catalog.EvidenceAttachment) (Attached, error) {
	e := catalog.Evidence{Model: a.Model, Version: a.Version, EvidenceDetails: a.Details}
	claim := Attached{EvidenceDetails: a.Details, Standing: string(catalog.Claimed)}
	var v catalog.Version
	var keys keyring
	err := o.config.DB.Read(ctx, func(tx *state.Tx) (err error) {
		if a.Version != "" {
			v, err = o.config.Catalog.VersionIn(tx, a.Model, a.Version)
		}
		if err == nil {
			keys, err = o.keys(tx)
		}
		return err
	})
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return claim, nil // which is for the proposal to say
	}
	if err != nil {
		return claim, err
	}
	p, err := o.examine(ctx, e, v, keys)
	if err == nil {
		err = o.readable(ctx, e, p)
	}
	if err != nil {
		return claim, err
	}
	if p.key == "" {
		if e.Signer != "" {
			return claim, tallystick.Errorf(tallystick.Invalid, "the evidence names the signer %.70q, and is no statement that anybody signed", e.Signer).
				WithHint("attach the signed statement itself, a DSSE envelope or a Sigstore bundle, or leave the signer out")
		}
		own, err := o.scan(ctx, e, v)
		if own != nil {
			return Attached{*own, "verified", "verified: the installation has looked into the files itself"}, nil
		}
		claim.Words = "claimed, not verified: nobody has signed it; `--sign` signs it with the key of your workspace"
		return claim, err
	}
	if p.id == "" {
		claim.Signer, claim.PredicateType = p.key, p.predicate
		claim.Words = fmt.Sprintf("claimed, not verified: the key %.12s is not registered; an admin lets it count with `tallystick signer add NAME FILE`", p.key)
		return claim, nil
	}
	if p.wrong != nil {
		return claim, p.wrong
	}
	claim.EvidenceDetails = p.details
	switch keys.standing(p.id, p.predicate) {
	case known:
		claim.Standing, claim.Words = "verified", fmt.Sprintf("verified: signed by the key %.12s", p.id)
	case revoked:
		claim.Standing, claim.Words = string(catalog.Revoked), fmt.Sprintf("the key %.12s was revoked: sign it with one that counts", p.id)
	case stranger:
		claim.Words = fmt.Sprintf("claimed, not verified: the key %.12s may not sign %s; `tallystick signer add` says what it may", p.id, p.predicate)
	}
	return claim, nil
}

// readable refuses a report of vulnerabilities of which the gate could make nothing, as far as its bytes are known.
func (o *Office) readable(ctx context.Context, e catalog.Evidence, p proof) error {
	report := e.Digest
	if p.key != "" {
		report = p.vouched
	}
	if e.Kind != catalog.VulnerabilityEvidence || report == "" {
		return nil
	}
	body, err := o.stored(ctx, report)
	if body == nil || err != nil {
		return err
	}
	_, err = vulnerability.Parse(body)
	return err
}

// scanned is a look into the files of a version, as `tallystick model scan` writes it too.
type scanned struct {
	Verdict tallystick.Verdict `json:"verdict"`
	Digest  tallystick.Digest  `json:"version_digest"`
	Own     artifact.Report    `json:"inspection"`
}

// scan looks itself into the files of which somebody claims a scan, if all were uploaded, and answers for what it finds. It is
// nil if it cannot look. A claim that says worse is kept: a claim may shut the gate.
func (o *Office) scan(ctx context.Context, e catalog.Evidence, v catalog.Version) (*catalog.EvidenceDetails, error) {
	if e.Kind != catalog.ScanEvidence || v.Digest == "" || o.config.Files == nil || o.config.Signer == nil {
		return nil, nil
	}
	files, err := o.config.Catalog.Manifest(ctx, v.Digest)
	if err != nil {
		return nil, err
	}
	found := scanned{Verdict: tallystick.Pass, Digest: v.Digest, Own: artifact.Report{Verdict: tallystick.Pass}}
	for _, file := range files.Files() {
		is, err := o.inspect(ctx, file)
		if tallystick.CodeOf(err) == tallystick.NotFound {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		found.Own.Files = append(found.Own.Files, is)
		found.Own.Verdict = found.Own.Verdict.Worse(is.Verdict)
	}
	found.Verdict = found.Own.Verdict
	if e.Verdict != "" {
		found.Verdict = found.Verdict.Worse(e.Verdict)
	}
	body, err := json.MarshalIndent(found, "", "  ")
	if err != nil {
		return nil, err
	}
	piece, err := o.config.Evidence.Put(ctx, body)
	if err != nil {
		return nil, err
	}
	now := o.config.Now()
	says := evidence.Vouched{
		Model: e.Model, Version: e.Version, Kind: string(e.Kind), Name: e.Name, Evidence: piece, Verdict: found.Verdict, Produced: now.UTC().Format(time.RFC3339Nano),
	}
	statement, err := says.Statement(v.Digest)
	if err != nil {
		return nil, err
	}
	signer, err := o.config.Signer(ctx)
	if err != nil {
		return nil, err
	}
	envelope, digest, err := signer.Sign(statement)
	if err != nil {
		return nil, err
	}
	if _, err := o.config.Evidence.Put(ctx, envelope); err != nil {
		return nil, err
	}
	return &catalog.EvidenceDetails{
		Kind: e.Kind, Name: e.Name, Digest: digest, PredicateType: verify.PredicateEvidence, Signer: signer.KeyID(), Subject: v.Digest,
		Verdict: found.Verdict, ProducedMS: now.UnixMilli(),
	}, nil
}

func (o *Office) inspect(ctx context.Context, file artifact.File) (artifact.Inspection, error) {
	f, err := o.config.Files(file.Digest)
	if err != nil {
		return artifact.Inspection{}, err
	}
	defer f.Close()
	return artifact.Inspect(ctx, file.Name, f, file.Size)
}
