package dossier

import (
	"context"
	"errors"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/trail"
)

// maxExports bounds the packages that are held at a time: each has a spool on disk.
const maxExports = 2

// HandOut makes a package for somebody who may have it, and returns it once it is on the trail that it
// leaves: before it is made, for the package to hold that, and again with the digest of what leaves. It
// is Unavailable while as many packages are held as may be.
func (o *Office) HandOut(ctx context.Context, by *registry.Registry, who access.Principal, purpose string, r Request) (p *Package, err error) {
	c := registry.Command{Principal: who, Action: access.BundleExport, Resource: trail.Resource{Type: "model", ID: r.Model}, Model: r.Model, Purpose: purpose}
	if err := by.May(ctx, c); err != nil {
		return nil, err
	}
	if r.Disclose {
		opening := c
		opening.Action = access.TrailDisclose
		if err := by.May(ctx, opening); err != nil {
			return nil, err
		}
	}
	select {
	case o.exporting <- struct{}{}:
	default:
		return nil, tallystick.Errorf(tallystick.Unavailable, "%d packages are being made", maxExports).WithHint("ask again in a minute")
	}
	defer func() {
		if err != nil {
			<-o.exporting
		}
	}()
	r.Record = func(ctx context.Context, e trail.Entry) error {
		c.Resource = e.Resource
		return by.Note(ctx, c, e)
	}
	if p, err = o.Export(ctx, r); err != nil {
		return nil, err
	}
	c.Resource = trail.Resource{Type: "bundle", ID: string(p.Digest)}
	left := map[string]any{"bundle_digest": string(p.Digest), "events": p.Index.Events.About + p.Index.Events.Context, "disclosed": p.Disclosed, "recipient": r.Recipient}
	if err := by.Note(ctx, c, trail.Entry{Type: trail.BundleExported, Data: left}); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	p.release = func() { <-o.exporting }
	return p, nil
}
