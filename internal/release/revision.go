package release

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/state"
)

// revision says of each kind of fact which event was the last to change it. Two that are equal were taken
// of the same facts; what time alone changes is compared beside it.
type revision map[string]uint64

// revisionOf returns the revision of all that the gate judges, by one question to the database.
func revisionOf(tx *state.Tx, request string, t Target) (revision, error) {
	parts := []struct {
		name, query string
		args        []any
	}{
		{"model", "SELECT event FROM models WHERE name = ?", []any{t.Model}},
		{"version", "SELECT event FROM versions WHERE model = ? AND version = ?", []any{t.Model, t.Version}},
		{"environment", "SELECT event FROM environments WHERE name = ?", []any{t.Environment}},
		{"evidence", "SELECT max(event) FROM evidence WHERE model = ? AND version IN (?, '')", []any{t.Model, t.Version}},
		{"data", "SELECT max(event) FROM version_snapshots WHERE model = ? AND version = ?", []any{t.Model, t.Version}},
		{"terms of the data", "SELECT max(d.event) FROM datasets d JOIN version_snapshots s ON s.dataset = d.name WHERE s.model = ? AND s.version = ?", []any{t.Model, t.Version}},
		{"findings", "SELECT max(last_event) FROM findings WHERE model = ?", []any{t.Model}},
		{"champion", "SELECT max(coalesce(end_event, event)) FROM assignments WHERE environment = ? AND model = ?", []any{t.Environment, t.Model}},
		{"files of champions", `SELECT max(v.event) FROM versions v JOIN assignments a ON a.model = v.model AND a.version = v.version
			WHERE a.environment = ? AND a.model = ?`, []any{t.Environment, t.Model}},
		{"request", "SELECT last_event FROM release_requests WHERE id = ?", []any{request}},
		{"reviews", "SELECT max(event) FROM release_reviews WHERE request = ?", []any{request}},
		{"waivers", "SELECT max(last_event) FROM waivers WHERE model = ? AND version = ?", []any{t.Model, t.Version}},
		{"freezes", "SELECT max(last_event) FROM freezes WHERE model IN (?, '') AND environment IN (?, '')", []any{t.Model, t.Environment}},
		{"signers", "SELECT max(event) FROM signers", nil},
	}
	var query strings.Builder
	var args []any
	events := make([]uint64, len(parts))
	into := make([]any, len(parts))
	for i, part := range parts {
		fmt.Fprintf(&query, ", coalesce((%s), 0)", part.query)
		args, into[i] = append(args, part.args...), &events[i]
	}
	if err := tx.QueryRow("SELECT "+query.String()[2:], args...).Scan(into...); err != nil {
		return nil, fmt.Errorf("revision of %s: %w", t.Name(), err)
	}
	r := make(revision, len(parts))
	for i, part := range parts {
		r[part.name] = events[i]
	}
	return r, nil
}

// list returns the revision as the trail has it.
func (r revision) list() (list []string) {
	for _, name := range slices.Sorted(maps.Keys(r)) {
		list = append(list, fmt.Sprintf("%s=%d", name, r[name]))
	}
	return list
}

// changed names what differs between two revisions, empty if nothing does.
func (r revision) changed(now revision) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if r[name] != now[name] {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
