package audit

import (
	"context"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
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
func (o Office) record(ctx context.Context, cfg Config, doc *report.Document, a attested) (receipt trail.Receipt, err error) {
	actor := o.Workspace.Actor()
	err = o.Workspace.DB.Write(ctx, func(tx *state.Tx) error {
		if err := o.Workspace.CheckSigner(tx, a.signer); err != nil {
			return err
		}
		_, err := o.Catalog.Register(tx, catalog.Registration{
			Model: doc.Model.Name, Version: doc.Model.Version, Owner: cfg.Owner, Tier: cfg.Tier, Actor: actor,
		})
		if err != nil {
			return err
		}
		receipt, err = o.Workspace.Recorder.RecordIn(tx, completed(cfg, doc, a, actor))
		if err != nil {
			return err
		}
		return o.Catalog.AddEvaluation(tx, catalog.Evaluation{
			ID: doc.ID, Model: doc.Model.Name, Version: doc.Model.Version, Data: doc.Data.Digest, Report: a.reportDigest,
			Policy: doc.Gate.Policy, Verdict: doc.Gate.Verdict, Sequence: receipt.Sequence,
		})
	})
	return receipt, err
}

func completed(cfg Config, doc *report.Document, a attested, actor trail.Actor) trail.Entry {
	data := map[string]any{
		"model": doc.Model.Name, "version": doc.Model.Version, "tier": string(doc.Model.Tier),
		"data_digest": doc.Data.Digest, "policy_digest": doc.Gate.Policy, "report_digest": a.reportDigest,
		"verdict": string(doc.Gate.Verdict), "statements": a.statements, "rows": doc.Rows, "files": cfg.Files,
	}
	if doc.Labels != nil {
		data["labels_digest"] = doc.Labels.Digest
	}
	if doc.Reference != nil {
		data["reference_digest"] = doc.Reference.Digest
	}
	if doc.Contract != nil {
		data["contract_digest"] = doc.Contract.Contract
	}
	if doc.Criteria.Committed {
		data["criteria_digest"] = doc.Criteria.Digest
	}
	return trail.Entry{
		Type: trail.AuditCompleted, Actor: actor, Outcome: tallystick.Success,
		Resource:    trail.Resource{Type: "version", ID: doc.Model.Name + "@" + doc.Model.Version},
		Description: doc.Summary.Headline, Data: data,
	}
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
