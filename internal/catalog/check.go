package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Check compares the catalog with the events that made it, both ways: a tier that was lowered, or an
// audit that was taken out, behind the trail's back would change what the gate asks for. It returns
// the number of rows, and an Invalid error for the first that differs. It holds one line for each row
// in memory.
func (c *Catalog) Check(ctx context.Context, events *trail.Reader) (rows int, err error) {
	stored, last, err := c.stored(ctx)
	if err != nil {
		return 0, fmt.Errorf("check catalog: %w", err)
	}
	recorded, err := c.recorded(ctx, events, last)
	if err != nil {
		return 0, fmt.Errorf("check catalog: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(recorded)) {
		is, ok := stored[name]
		switch want := recorded[name]; {
		case !ok:
			return 0, tallystick.Errorf(tallystick.Invalid, "%s stands on the trail (%s) and not in the catalog", name, want)
		case is != want:
			return 0, tallystick.Errorf(tallystick.Invalid, "%s reads %s in the catalog and %s on the trail", name, is, want)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(stored)) {
		if _, ok := recorded[name]; !ok && !strings.HasPrefix(name, ownerOf) {
			return 0, tallystick.Errorf(tallystick.Invalid, "%s stands in the catalog and not on the trail", name)
		}
	}
	return len(stored), nil
}

// lines describe what the catalog holds, by name, in a form that both sides can make.
type lines map[string]string

func (l lines) model(name, tier string, event uint64) {
	l["model "+name] = fmt.Sprintf("tier %s, event %d", tier, event)
}

// ownerOf begins the name of a line of its own: the trail has none once the disclosure of an owner
// has been erased.
const ownerOf = "owner of model "

func (l lines) owner(model, owner string) { l[ownerOf+model] = owner }

func (l lines) version(model, version string, event uint64) {
	l["version "+model+"@"+version] = fmt.Sprintf("event %d", event)
}

func (l lines) evaluation(model, version, data, report, policy, verdict string, event uint64) {
	l[fmt.Sprintf("audit of event %d", event)] = fmt.Sprintf("%s of %s@%s, data %s, report %s, policy %s", verdict, model, version, data, report, policy)
}

func (l lines) criteria(digest, id string, event uint64) {
	l["criteria "+digest] = fmt.Sprintf("event %d, %s", event, id)
}

// stored reads the catalog as of one moment, and the last event then.
func (c *Catalog) stored(ctx context.Context) (l lines, last uint64, err error) {
	l = lines{}
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		var a, b, data, report, policy, verdict string
		var event uint64
		for _, table := range []struct {
			query string
			into  []any
			add   func()
		}{
			{"SELECT name, tier, event FROM models", []any{&a, &b, &event}, func() { l.model(a, b, event) }},
			{"SELECT name, owner FROM models", []any{&a, &b}, func() { l.owner(a, b) }},
			{"SELECT model, version, event FROM versions", []any{&a, &b, &event}, func() { l.version(a, b, event) }},
			{
				"SELECT model, version, data_digest, report_digest, policy_digest, verdict, event FROM evaluations",
				[]any{&a, &b, &data, &report, &policy, &verdict, &event},
				func() { l.evaluation(a, b, data, report, policy, verdict, event) },
			},
			{"SELECT digest, event_id, event FROM criteria", []any{&a, &b, &event}, func() { l.criteria(a, b, event) }},
		} {
			rows, err := tx.Query(table.query)
			if err != nil {
				return err
			}
			for rows.Next() {
				if err := rows.Scan(table.into...); err != nil {
					return err
				}
				table.add()
			}
			if err := rows.Err(); err != nil {
				return err
			}
		}
		return tx.QueryRow("SELECT coalesce(max(sequence), 0) FROM events").Scan(&last)
	})
	return l, last, err
}

// recorded reads what the trail says up to the event last.
func (c *Catalog) recorded(ctx context.Context, events *trail.Reader, last uint64) (lines, error) {
	l := lines{}
	for _, kind := range []trail.Type{trail.ModelRegistered, trail.VersionRegistered, trail.AuditCompleted, trail.CriteriaCommitted} {
		for e, err := range events.All(ctx, trail.Filter{Type: kind, Outcome: tallystick.Success, Before: last + 1}) {
			if err != nil {
				return nil, err
			}
			data, err := e.Data()
			if err != nil {
				return nil, err
			}
			text := func(field string) string {
				s, _ := data[field].(string)
				return s
			}
			switch kind {
			case trail.ModelRegistered: // the last one counts
				l.model(text("model"), text("tier"), e.Sequence)
				delete(l, ownerOf+text("model"))
				if owner := text("owner"); owner != "" {
					l.owner(text("model"), owner)
				}
			case trail.VersionRegistered:
				l.version(text("model"), text("version"), e.Sequence)
			case trail.AuditCompleted:
				l.evaluation(text("model"), text("version"), text("data_digest"), text("report_digest"), text("policy_digest"), text("verdict"), e.Sequence)
			case trail.CriteriaCommitted:
				l.criteria(text("criteria_digest"), e.ID, e.Sequence)
			}
		}
	}
	return l, nil
}
