package dossier

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
	"github.com/tallystick/tallystick/verify"
)

// Config says where an office works. All fields are required.
type Config struct {
	Workspace *workspace.Workspace
	Catalog   *catalog.Catalog
	People    catalog.People
	// Cases keep closed what somebody is not to know yet; see casework.Desk.
	Cases interface {
		Close(ctx context.Context, reader string, events []trail.Event) error
	}
	// Pack returns the policy of a tier.
	Pack    func(tallystick.Tier) (*policy.Pack, error)
	Program string // name and version
	Now     func() time.Time
}

// Office makes packages. Its methods may be called by many goroutines.
type Office struct {
	config    Config
	exporting chan struct{} // as many as packages are held
}

// New returns the office of an installation.
func New(config Config) *Office { return &Office{config, make(chan struct{}, maxExports)} }

// Request says what goes into a package, and for whom it is.
type Request struct {
	Model, Version string    // no version: all of them
	From           time.Time // inclusive; zero: from the beginning
	Until          time.Time // exclusive; zero: now
	Recipient      string
	Disclose       bool // show sealed fields; whether the caller may is for the caller to know
	Complete       bool // every event of the period, those of other models too
	// Record puts the export on the trail before anything leaves, as an act of whoever asks for it.
	Record func(ctx context.Context, e trail.Entry) error
}

const maxRecipient = 200

func (r Request) validate() error {
	if r.Recipient == "" {
		return tallystick.Errorf(tallystick.Invalid, "the package names nobody whom it is for").WithHint("name them with --for")
	}
	if !r.From.IsZero() && !r.From.Before(r.Until) {
		return tallystick.Errorf(tallystick.Invalid, "the period from %s to %s is empty", r.From.Format(time.RFC3339), r.Until.Format(time.RFC3339))
	}
	return tallystick.ValidateText("recipient", r.Recipient, maxRecipient)
}

// Export records that the package is asked for, seals that, and makes the package. Until it returns
// nothing has left. The caller closes the package.
func (o *Office) Export(ctx context.Context, r Request) (_ *Package, err error) {
	now := o.config.Now().UTC()
	if r.Until.IsZero() || r.Until.After(now) {
		r.Until = now.Add(time.Millisecond).Truncate(time.Millisecond)
	}
	if err := r.validate(); err != nil {
		return nil, err
	}
	if _, err := o.config.Catalog.Model(ctx, r.Model); err != nil {
		return nil, err
	}
	if r.Version != "" {
		if _, err := o.config.Catalog.Version(ctx, r.Model, r.Version); err != nil {
			return nil, err
		}
	}
	w := o.config.Workspace
	export, err := o.record(ctx, r)
	if err != nil {
		return nil, err
	}
	b := &builder{office: o, request: r, export: export, tell: newTeller(r.Disclose, o.config.People)}
	b.index = verify.PackageIndex{
		Schema: verify.PackageSchema, Created: evidence.Timestamp(now), Program: o.config.Program, Model: r.Model, Version: r.Version,
		Until: evidence.Timestamp(r.Until), Recipient: r.Recipient, Export: export.Sequence, Offset: int64(*export.Index) - int64(export.Sequence),
		Events: verify.Count{Months: []verify.MonthCount{}}, Disclosed: r.Disclose,
	}
	if !r.From.IsZero() {
		b.index.From = evidence.Timestamp(r.From)
	}
	signer, err := w.Signer(ctx)
	if err != nil {
		return nil, err
	}
	prover, err := w.Prover()
	if err != nil {
		return nil, err
	}
	// The exporter's key counts from an index on, which the checkpoint must reach.
	b.prover = prover.Covering(max(*export.Index, w.Keys.Active(verify.RoleStatement).FromIndex))
	if b.spool, err = newSpool(); err != nil {
		return nil, err
	}
	p, err := b.build(ctx, signer)
	if err != nil {
		_ = b.spool.Close() // nobody has the package
		return nil, fmt.Errorf("package about %s: %w", b.index.Name(), err)
	}
	return p, nil
}

// record puts the export on the trail and returns the event once it is sealed, and witnessed if there
// are witnesses that sign in time.
func (o *Office) record(ctx context.Context, r Request) (trail.Event, error) {
	w := o.config.Workspace
	before, err := w.Trail.Newest(ctx)
	if err != nil {
		return trail.Event{}, err
	}
	id := tallystick.NewID(o.config.Now())
	data := map[string]any{"model": r.Model, "until_ms": r.Until.UnixMilli(), "disclosed": r.Disclose, "complete": r.Complete, "recipient": r.Recipient}
	if r.Version != "" {
		data["version"] = r.Version
	}
	if !r.From.IsZero() {
		data["from_ms"] = r.From.UnixMilli()
	}
	err = r.Record(ctx, trail.Entry{Type: trail.PackageExported, Resource: trail.Resource{Type: "package", ID: id}, Data: data})
	if err != nil {
		return trail.Event{}, err
	}
	if _, err := w.Seal(ctx); err != nil {
		return trail.Event{}, fmt.Errorf("seal the export: %w", err)
	}
	w.TryCosign(ctx)
	found, err := w.Trail.Events(ctx, trail.Filter{Type: trail.PackageExported, Resource: trail.Resource{Type: "package", ID: id}, After: before, Limit: 1})
	if err != nil {
		return trail.Event{}, err
	}
	if len(found) == 0 || found[0].Index == nil {
		return trail.Event{}, fmt.Errorf("the export %s was recorded, but is not sealed", id)
	}
	return found[0], nil
}
