package audit

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/report"
	"github.com/tallystick/tallystick/internal/state"
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
	envelopes, digests, err := statements(doc, reports, o.Workspace.Keys.Signer())
	if err != nil {
		return Result{}, err
	}
	cfg.Progress("recording", 0, 1)
	for _, data := range append(slices.Collect(maps.Values(envelopes)), reports[0].Data, input) {
		if _, err := o.Workspace.Evidence.Put(ctx, data); err != nil {
			return Result{}, err
		}
	}
	receipt, err := o.record(ctx, cfg, doc, tallystick.DigestOf(reports[0].Data), digests)
	if err != nil {
		return Result{}, err
	}
	if _, err := o.Workspace.Seal(ctx); err != nil {
		return Result{}, fmt.Errorf("seal: %w", err)
	}
	contents := evidence.Contents{
		Created: cfg.Now(), Statements: envelopes, Trust: o.Workspace.Trust(), Signer: o.Workspace.Keys.Signer(),
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
	if err := deliver(o.Out, reports, bundle); err != nil {
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
		known = append(known, d.SealedPointers()...)
	}
	for _, pointer := range o.Disclose {
		if !contains(known, pointer) {
			slices.Sort(known)
			return tallystick.Errorf(tallystick.Invalid, "--disclose %q is no sealed field of an event", pointer).
				WithHint("use %s", quoted(slices.Compact(known), 20))
		}
	}
	return nil
}

// name settles model, version, owner and tier. A registered model keeps its tier if the user names
// none, and the gate applies the higher one.
func (o Office) name(ctx context.Context, cfg Config, doc *report.Document) error {
	m := &doc.Model
	if m.Name == "" {
		m.Name, m.Version = guessedName(doc.Data.Files[0].Name), doc.Data.Digest.Short()
		doc.Guesses = append(doc.Guesses, fmt.Sprintf("the audited version is named %s@%s after the file and its digest (say so with --model and --version)", m.Name, m.Version))
	}
	if m.Owner == "" {
		m.Owner = o.Workspace.Actor().ID
	}
	if cfg.Tier == "" {
		m.Tier = tallystick.TierLimited
	}
	registered, err := o.Catalog.Model(ctx, m.Name)
	switch {
	case tallystick.CodeOf(err) == tallystick.NotFound:
		if cfg.Tier == "" {
			doc.Guesses = append(doc.Guesses, "the risk tier is taken for limited (say so with --tier)")
		}
		return nil
	case err != nil:
		return err
	case cfg.Tier == "":
		m.Tier = registered.Tier
	case cfg.Tier.Below(registered.Tier):
		return catalog.LowerTier(registered, cfg.Tier)
	}
	if cfg.Owner == "" {
		m.Owner = registered.Owner
	}
	return nil
}

// guessedName makes a model name of a file name.
func guessedName(file string) string {
	base, _, _ := strings.Cut(file, ".")
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_", r) || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, base)
	name = strings.Trim(name[:min(100, len(name))], "-_")
	if name == "" {
		return "model"
	}
	return name
}

// record registers model and version and records the audit, in one transaction.
func (o Office) record(ctx context.Context, cfg Config, doc *report.Document, reportDigest tallystick.Digest, digests []tallystick.Digest) (receipt trail.Receipt, err error) {
	actor := o.Workspace.Actor()
	err = o.Workspace.DB.Write(ctx, func(tx *state.Tx) error {
		_, err := o.Catalog.Register(tx, catalog.Registration{
			Model: doc.Model.Name, Version: doc.Model.Version, Owner: cfg.Owner, Tier: cfg.Tier, Actor: actor,
		})
		if err != nil {
			return err
		}
		receipt, err = o.Workspace.Recorder.RecordIn(tx, completed(cfg, doc, reportDigest, digests, actor))
		if err != nil {
			return err
		}
		return o.Catalog.AddEvaluation(tx, catalog.Evaluation{
			ID: doc.ID, Model: doc.Model.Name, Version: doc.Model.Version, Data: doc.Data.Digest, Report: reportDigest,
			Policy: doc.Gate.Policy, Verdict: doc.Gate.Verdict, Sequence: receipt.Sequence,
		})
	})
	return receipt, err
}

func completed(cfg Config, doc *report.Document, reportDigest tallystick.Digest, digests []tallystick.Digest, actor trail.Actor) trail.Entry {
	data := map[string]any{
		"model": doc.Model.Name, "version": doc.Model.Version, "tier": string(doc.Model.Tier),
		"data_digest": doc.Data.Digest, "policy_digest": doc.Gate.Policy, "report_digest": reportDigest,
		"verdict": string(doc.Gate.Verdict), "statements": digests, "rows": doc.Rows, "files": cfg.Files,
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

// recordFailure records and seals that an audit failed. Flags that make no sense are no audit.
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

// bundle gathers the events that belong to the audit, proves them under one checkpoint, and returns
// the bundle's bytes.
func (o Office) bundle(ctx context.Context, contents evidence.Contents, receipt trail.Receipt, doc *report.Document) ([]byte, error) {
	prover, err := o.Workspace.Prover()
	if err != nil {
		return nil, err
	}
	events, err := o.events(ctx, receipt, doc)
	if err != nil {
		return nil, err
	}
	for _, event := range events {
		proof, err := prover.Prove(ctx, event)
		if err != nil {
			return nil, err
		}
		b := evidence.BundleEvent{Leaf: event.Leaf, Proof: proof}
		for _, d := range event.Disclosures {
			if slices.Contains(o.Disclose, d.Pointer) {
				b.Disclosures = append(b.Disclosures, d)
			}
		}
		contents.Events = append(contents.Events, b)
	}
	contents.Checkpoint = prover.Checkpoint()
	var out bytes.Buffer
	_, err = evidence.WriteBundle(&out, contents)
	return out.Bytes(), err
}

// events are the workspace's beginning and keys, the registration of model and version, the
// commitment of the criteria, and the audit itself.
func (o Office) events(ctx context.Context, receipt trail.Receipt, doc *report.Document) ([]trail.Event, error) {
	var events []trail.Event
	for _, f := range []trail.Filter{
		{Type: trail.WorkspaceCreated}, {Type: trail.KeyCreated}, {Type: trail.KeyRotated}, {Type: trail.KeyCompromised},
		{Type: trail.ModelRegistered, Resource: trail.Resource{Type: "model", ID: doc.Model.Name}},
		{Type: trail.VersionRegistered, Resource: trail.Resource{Type: "version", ID: doc.Model.Name + "@" + doc.Model.Version}},
	} {
		found, err := o.Workspace.Trail.Events(ctx, f)
		if err != nil {
			return nil, err
		}
		events = append(events, found...)
	}
	ids := []string{receipt.ID}
	if doc.Criteria.Committed {
		ids = append(ids, doc.Criteria.EventID)
	}
	for _, id := range ids {
		event, err := o.Workspace.Trail.Event(ctx, id)
		if err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	return events, nil
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
