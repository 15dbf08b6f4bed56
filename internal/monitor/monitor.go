package monitor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
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
	is, err := monitorIn(tx, a.Monitor, 0)
	if err == nil && !is.Removed && is.Document == a.Document {
		return nil, nil
	}
	if err != nil && tallystick.CodeOf(err) != tallystick.NotFound {
		return nil, err
	}
	return a, nil
}

// ProposeRemove returns the change by which a monitor judges no more, nil if it does not now.
func (o *Office) ProposeRemove(tx *state.Tx, name string) (trail.Change, error) {
	is, err := monitorIn(tx, name, 0)
	if err != nil || is.Removed {
		return nil, err
	}
	return &Removed{is.Name, is.Model}, nil
}

const monitorColumns = "event, name, model, digest, removed = 1, applied_ms"

func scanMonitor(row state.Scanner) (m Monitor, err error) {
	var applied int64
	err = row.Scan(&m.Event, &m.Name, &m.Model, &m.Document, &m.Removed, &applied)
	m.Applied = time.UnixMilli(applied).UTC()
	return m, err
}

// monitorIn returns a monitor as events up to until left it; 0 is no bound.
func monitorIn(tx *state.Tx, name string, until uint64) (Monitor, error) {
	m, err := scanMonitor(tx.QueryRow("SELECT "+monitorColumns+" FROM monitor_revisions WHERE name = ? AND event <= ? ORDER BY event DESC LIMIT 1", name, bound(until)))
	if errors.Is(err, sql.ErrNoRows) {
		no := tallystick.Errorf(tallystick.NotFound, "there is no monitor %.80q", name)
		if until > 0 {
			return m, no.WithHint("not as of then; leave out the moment for what is in force")
		}
		return m, no.WithHint("`tallystick monitor list` has those that there are")
	}
	if err != nil {
		return m, fmt.Errorf("monitor %s: %w", name, err)
	}
	return m, nil
}

// Monitors returns the monitors of a model, or of all, by name, those that were removed too.
func (o *Office) Monitors(ctx context.Context, model string) (all []Monitor, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, scanMonitor, "SELECT "+monitorColumns+` FROM monitor_revisions m WHERE (model = ? OR ? = '')
			AND event = (SELECT max(event) FROM monitor_revisions WHERE name = m.name) ORDER BY name `+state.Limit, model, model, maxMonitors)
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
		m, err = monitorIn(tx, name, until)
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

// eventAt returns the sequence of the newest event at a moment, 0 if there was none.
func (o *Office) eventAt(ctx context.Context, at time.Time) (uint64, error) {
	found, err := o.config.Trail.Events(ctx, trail.Filter{Until: at.Truncate(time.Millisecond).Add(time.Millisecond), Newest: true, Limit: 1})
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0].Sequence, nil
}
