package monitor

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/revision"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Monitor is a monitor on record.
type Monitor struct {
	Name     string            `json:"name"`
	Model    string            `json:"model"`
	Document tallystick.Digest `json:"document_digest" doc:"of the monitor as it was written"`
	Removed  bool              `json:"removed,omitempty" doc:"it judges no more windows"`
	Applied  time.Time         `json:"applied" doc:"when it was written so, or removed"`
	Event    uint64            `json:"event" doc:"sequence of the event"`
}

// maxMonitors bounds the monitors of an installation.
const maxMonitors = 10_000

// PrepareApply reads and keeps a monitor, and returns the change that applies it.
func (o *Office) PrepareApply(ctx context.Context, name string, source []byte) (*Applied, error) {
	doc, err := Parse(source, "monitor")
	if err != nil {
		return nil, err
	}
	if doc.Name != name {
		return nil, tallystick.Errorf(tallystick.Invalid, "the monitor is called %s, not %s", doc.Name, name)
	}
	digest, err := o.config.Evidence.Put(ctx, source)
	return &Applied{doc.Name, doc.Model, digest}, err
}

// ProposeApply returns the change, nil if the monitor is so already.
func (o *Office) ProposeApply(tx *state.Tx, a *Applied) (trail.Change, error) {
	if _, err := o.config.Catalog.ModelIn(tx, a.Model); err != nil {
		return nil, err
	}
	if is, err := kept.Is(tx, a.Monitor, a.Document); err != nil || is {
		return nil, err
	}
	return a, nil
}

// ProposeRemove returns the change by which a monitor judges no more, nil if it does not now.
func (o *Office) ProposeRemove(tx *state.Tx, name string) (trail.Change, error) {
	is, err := kept.At(tx, name, 0)
	if err != nil || is.Removed {
		return nil, err
	}
	return &Removed{is.Name, is.Model}, nil
}

// kept are the monitors on record.
var kept = revision.Kind{Noun: "monitor", Table: "monitor_revisions", About: []string{"model"}}

func monitorOf(r revision.Revision) Monitor {
	return Monitor{r.Name, r.Model, r.Document, r.Removed, r.Applied, r.Event}
}

// Monitors returns the monitors of a model, or of all, by name, those that were removed too.
func (o *Office) Monitors(ctx context.Context, model string) (all []Monitor, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		found, err := kept.List(tx, model, maxMonitors)
		for _, r := range found {
			all = append(all, monitorOf(r))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list monitors: %w", err)
	}
	return all, nil
}

// Monitor returns a monitor with its document, which is nil if it was removed.
func (o *Office) Monitor(ctx context.Context, name string) (Monitor, *Document, error) {
	return o.monitorAt(ctx, name, 0)
}

func (o *Office) monitorAt(ctx context.Context, name string, until uint64) (m Monitor, doc *Document, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		r, err := kept.At(tx, name, until)
		m = monitorOf(r)
		return err
	})
	if err != nil || m.Removed {
		return m, nil, err
	}
	doc, err = o.document(ctx, m)
	return m, doc, err
}

// document returns the document of a monitor that was not removed, which nobody changes.
func (o *Office) document(ctx context.Context, m Monitor) (*Document, error) {
	return o.documents.get(m.Document, func() ([]byte, error) {
		source, err := o.config.Evidence.Get(ctx, m.Document)
		if err != nil {
			return nil, fmt.Errorf("monitor %s: %w", m.Name, err)
		}
		return source, nil
	}, func(source []byte) (*Document, error) { return Parse(source, m.Name) })
}

// versionOf returns the version whose predictions of a window count: the champion when it began, if the monitor says so, and
// a NotFound error if there was none.
func (o *Office) versionOf(ctx context.Context, d *Document, w Window) (string, error) {
	if d.Version != Champion {
		return d.Version, nil
	}
	all, err := o.config.Catalog.Assignments(ctx, catalog.AssignmentFilter{Environment: d.Environment, Model: d.Model, At: w.From, Limit: maxListed})
	if err != nil {
		return "", err
	}
	for _, a := range all {
		if a.Role == catalog.Champion {
			return a.Version, nil
		}
	}
	return "", tallystick.Errorf(tallystick.NotFound, "no version of %s was champion in %s when the window began", d.Model, d.Environment).
		WithHint("`tallystick assignments --model %s` says which served when", d.Model)
}
