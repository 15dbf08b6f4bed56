package audit

import (
	"bytes"
	"context"
	"slices"

	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/report"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

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
	last := o.Workspace.Keys.Active(verify.RoleStatement).FromIndex // so that the exporter's key counts too
	for _, event := range events {
		if event.Index != nil {
			last = max(last, *event.Index)
		}
	}
	prover = prover.Covering(last)
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
	var filters []trail.Filter
	for _, kind := range houseEvents() {
		filters = append(filters, trail.Filter{Type: kind})
	}
	for _, kind := range modelEvents() {
		filters = append(filters, trail.Filter{Type: kind, Resource: trail.Resource{Type: "model", ID: doc.Model.Name}})
	}
	filters = append(filters, trail.Filter{Type: trail.VersionRegistered, Resource: trail.Resource{Type: "version", ID: doc.Model.Name + "@" + doc.Model.Version}})
	for _, f := range filters {
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

// houseEvents are of the workspace itself.
func houseEvents() []trail.Type {
	return []trail.Type{trail.WorkspaceCreated, trail.KeyCreated, trail.KeyRotated, trail.KeyCompromised}
}

// modelEvents say whose a model is and which tier it has.
func modelEvents() []trail.Type {
	return []trail.Type{trail.ModelRegistered, trail.ModelReregistered, trail.ModelUpdated}
}

// bundled are the types of the events that a bundle can hold.
func bundled() []trail.Type {
	return slices.Concat(houseEvents(), modelEvents(), []trail.Type{trail.VersionRegistered, trail.CriteriaCommitted, trail.AuditCompleted})
}
