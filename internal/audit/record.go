package audit

import (
	"context"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/report"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// attested is what an audit has signed.
type attested struct {
	reportDigest tallystick.Digest // of report.json
	statements   []tallystick.Digest
	signer       *evidence.Signer
}

// record registers model and version and records the audit, in one transaction. A Conflict says that
// the signer's key was rotated since it signed.
func (o Office) record(ctx context.Context, cfg Config, doc *report.Document, a attested) (trail.Receipt, error) {
	actor := o.Workspace.Actor()
	var receipt trail.Receipt // the write may go on after an error: nothing of it is looked at then
	err := o.Workspace.DB.Write(ctx, func(tx *state.Tx) (err error) {
		if err := o.Workspace.CheckSigner(tx, a.signer); err != nil {
			return err
		}
		for _, propose := range []func(*state.Tx) (trail.Change, error){
			func(tx *state.Tx) (trail.Change, error) {
				return o.Catalog.RegisterAudited(tx, catalog.AuditedModel{Model: doc.Model.Name, Owner: cfg.Owner, Tier: cfg.Tier, Actor: actor.ID})
			},
			func(tx *state.Tx) (trail.Change, error) {
				return o.Catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: doc.Model.Name, Version: doc.Model.Version, Draft: true})
			},
		} {
			change, err := propose(tx)
			if err != nil {
				return err
			}
			if change == nil {
				continue
			}
			if _, err := o.Workspace.Recorder.Commit(tx, trail.Act{Actor: actor}, change); err != nil {
				return err
			}
		}
		receipt, err = o.Workspace.Recorder.Commit(tx, trail.Act{Actor: actor, Description: doc.Summary.Headline}, completed(cfg, doc, a))
		if err != nil {
			return err
		}
		return o.follow(tx, doc, a)
	})
	if err != nil {
		return trail.Receipt{}, err
	}
	return receipt, nil
}

// follow records what the audit makes of findings about the rules. One of a draft raises none: nobody could
// tell what is to be put right.
func (o Office) follow(tx *state.Tx, doc *report.Document, a attested) error {
	v, err := o.Catalog.VersionIn(tx, doc.Model.Name, doc.Model.Version)
	if err != nil {
		return err
	}
	g := catalog.GateRun{Model: v.Model, Version: v.Version, Run: a.reportDigest, Asked: v.State == catalog.Draft}
	for _, r := range doc.Gate.Rules {
		g.Rules = append(g.Rules, catalog.RuleRun{
			ID: r.ID, Severity: r.Severity, Status: string(r.Status), Message: r.Message, Denies: r.Denies(),
			Passes: r.Status == policy.Pass || r.Status == policy.Warn || r.Status == policy.Skip && doc.Gate.Verdict == tallystick.Pass,
		})
	}
	found, err := o.Catalog.FollowGate(tx, g)
	for _, change := range found {
		if _, err := o.Workspace.Recorder.Commit(tx, trail.Act{Actor: o.Workspace.Actor()}, change); err != nil {
			return err
		}
	}
	return err
}

func completed(cfg Config, doc *report.Document, a attested) *catalog.AuditCompleted {
	c := &catalog.AuditCompleted{
		Model: doc.Model.Name, Version: doc.Model.Version, Tier: doc.Model.Tier,
		Data: doc.Data.Digest, Policy: doc.Gate.Policy, Report: a.reportDigest,
		Verdict: doc.Gate.Verdict, Statements: a.statements, Signer: a.signer.KeyID(), Rows: doc.Rows, Files: cfg.Files,
	}
	if doc.Labels != nil {
		c.Labels = doc.Labels.Digest
	}
	if doc.Reference != nil {
		c.Reference = doc.Reference.Digest
	}
	if doc.Contract != nil {
		c.Contract = doc.Contract.Contract
	}
	if doc.Criteria.Committed {
		c.Criteria = doc.Criteria.Digest
	}
	return c
}

// recordFailure records and seals that an audit failed, be it for its flags, its input or a fault.
func (o Office) recordFailure(ctx context.Context, cfg Config, cause error) error {
	id := cfg.Model + "@" + cfg.Version
	if cfg.Model == "" {
		id = "unnamed"
	}
	message := cause.Error()
	_, err := o.Workspace.Recorder.Record(ctx, trail.Entry{
		Type: trail.AuditFailed, Actor: o.Workspace.Actor(), Outcome: tallystick.Failed,
		Resource: trail.Resource{Type: "version", ID: id},
		Data: map[string]any{
			"model": cfg.Model, "version": cfg.Version, "code": string(tallystick.CodeOf(cause)),
			"error": message[:min(2000, len(message))], "files": cfg.Files,
		},
	})
	if err != nil {
		return err
	}
	_, err = o.Workspace.Seal(ctx)
	return err
}

// exported records that evidence left the workspace.
func (o Office) exported(ctx context.Context, digest tallystick.Digest) error {
	_, err := o.Workspace.Recorder.Record(ctx, trail.Entry{
		Type: trail.BundleExported, Actor: o.Workspace.Actor(), Outcome: tallystick.Success,
		Resource: trail.Resource{Type: "bundle", ID: string(digest)},
		Data:     map[string]any{"bundle_digest": digest, "path": o.Out, "disclosed": len(o.Disclose)},
	})
	if err != nil {
		return err
	}
	_, err = o.Workspace.Seal(ctx)
	return err
}
