package audit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/report"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
	"github.com/tallystick/tallystick/verify"
)

// Office is where an audit is recorded, judged and delivered.
type Office struct {
	Workspace *workspace.Workspace
	Catalog   *catalog.Catalog
	Policy    string   // directory of a custom pack; empty for the built-in one of the tier
	Out       string   // directory that gets the files
	Disclose  []string // JSON pointers of sealed event fields that the bundle opens, such as /actor/id
}

// Result is what an audit comes to.
type Result struct {
	Document *report.Document
	Event    trail.Receipt
	Bundle   tallystick.Digest
}

// Run audits, asks the gate, records, seals, and delivers the files into o.Out: all of them or
// none. An audit that fails is recorded too.
func (o Office) Run(ctx context.Context, cfg Config) (Result, error) {
	cfg = cfg.withDefaults()
	result, err := o.run(ctx, cfg)
	if err != nil {
		if unrecorded := o.recordFailure(context.WithoutCancel(ctx), cfg, err); unrecorded != nil {
			err = fmt.Errorf("%w (nor could this failure be recorded: %w)", err, unrecorded)
		}
		return Result{}, err
	}
	return result, nil
}

func (o Office) run(ctx context.Context, cfg Config) (Result, error) {
	if err := checkOut(o.Out); err != nil {
		return Result{}, err
	}
	if err := o.check(cfg); err != nil {
		return Result{}, err
	}
	doc, err := Measure(ctx, cfg)
	if err != nil {
		return Result{}, err
	}
	if err := o.name(ctx, cfg, doc); err != nil {
		return Result{}, err
	}
	pack, err := policy.Load(o.Policy, doc.Model.Tier)
	if err != nil {
		return Result{}, err
	}
	if doc.Criteria, err = criteria(ctx, o.Catalog, cfg.Contract, doc.Data.Digest); err != nil {
		return Result{}, err
	}
	cfg.Progress("asking the gate", 0, 1)
	input, err := judge(ctx, cfg, doc, pack)
	if err != nil {
		return Result{}, err
	}
	reports, err := rendered(doc)
	if err != nil {
		return Result{}, err
	}
	signer, err := o.Workspace.Signer(ctx)
	if err != nil {
		return Result{}, err
	}
	version, err := o.versionFiles(ctx, cfg, doc)
	if err != nil {
		return Result{}, err
	}
	envelopes, digests, err := statements(doc, reports, version, signer)
	if err != nil {
		return Result{}, err
	}
	cfg.Progress("recording", 0, 1)
	for _, data := range append(slices.Collect(maps.Values(envelopes)), reports[0].Data, input) {
		if _, err := o.Workspace.Evidence.Put(ctx, data); err != nil {
			return Result{}, err
		}
	}
	receipt, err := o.record(ctx, cfg, doc, attested{reportDigest: tallystick.DigestOf(reports[0].Data), statements: digests, signer: signer})
	if err != nil {
		return Result{}, err
	}
	if _, err := o.Workspace.Seal(ctx); err != nil {
		return Result{}, fmt.Errorf("seal: %w", err)
	}
	o.Workspace.TryCosign(ctx) // the bundle carries whatever witnesses sign in time
	// The manifest counts at the checkpoint, so it takes the key that is in use by now.
	if signer, err = o.Workspace.Signer(ctx); err != nil {
		return Result{}, err
	}
	contents := evidence.Contents{
		Created: cfg.Now(), Statements: envelopes, Trust: o.Workspace.Trust(), Signer: signer,
		Files: append(append(reports, policyFiles(pack)...), verify.File{Name: "evidence/gate-input.json", Data: input}),
		Subject: verify.BundleSubject{
			Name:    doc.Model.Name + "@" + doc.Model.Version,
			Digests: map[string]tallystick.Digest{"data": doc.Data.Digest, "policy": doc.Gate.Policy},
		},
	}
	bundle, err := o.bundle(ctx, contents, receipt, doc)
	if err != nil {
		return Result{}, err
	}
	// What cannot be recorded does not leave the workspace, so the record comes first.
	if err := o.exported(ctx, tallystick.DigestOf(bundle)); err != nil {
		return Result{}, err
	}
	if err := deliver(o.Out, reports, bundle, func() {}); err != nil {
		return Result{}, err
	}
	return Result{Document: doc, Event: receipt, Bundle: tallystick.DigestOf(bundle)}, nil
}

// check refuses, before hours of work, a policy that cannot be used and fields that no event has.
func (o Office) check(cfg Config) error {
	if _, err := policy.Load(o.Policy, cmp.Or(cfg.Tier, tallystick.TierLimited)); err != nil {
		return err
	}
	var known []string
	for _, d := range trail.Definitions() {
		if slices.Contains(bundled(), d.Type) {
			known = append(known, d.SealedPointers()...)
		}
	}
	for _, pointer := range o.Disclose {
		if !contains(known, pointer) {
			slices.Sort(known)
			return tallystick.Errorf(tallystick.Invalid, "--disclose %q is no sealed field of an event of the bundle", pointer).
				WithHint("use %s", quoted(slices.Compact(known), 20))
		}
	}
	return nil
}
