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

// revisionOf returns the revision of all that the gate judges.
func revisionOf(tx *state.Tx, request string, t Target) (revision, error) {
	r := revision{}
	for _, part := range []struct {
		name, query string
		args        []any
	}{
		{"model", "SELECT event FROM models WHERE name = ?", []any{t.Model}},
		{"version", "SELECT event FROM versions WHERE model = ? AND version = ?", []any{t.Model, t.Version}},
		{"environment", "SELECT event FROM environments WHERE name = ?", []any{t.Environment}},
		{"evidence", "SELECT coalesce(max(event), 0) FROM evidence WHERE model = ? AND version IN (?, '')", []any{t.Model, t.Version}},
		{"data", "SELECT coalesce(max(event), 0) FROM version_snapshots WHERE model = ? AND version = ?", []any{t.Model, t.Version}},
		{"terms of the data", `SELECT coalesce(max(d.event), 0) FROM datasets d JOIN version_snapshots s ON s.dataset = d.name WHERE s.model = ? AND s.version = ?`, []any{t.Model, t.Version}},
		{"findings", "SELECT coalesce(max(last_event), 0) FROM findings WHERE model = ? AND kind <> 'rule_failed'", []any{t.Model}},
		{"champion", "SELECT coalesce(max(event), 0) FROM assignments WHERE environment = ? AND model = ?", []any{t.Environment, t.Model}},
		{"request", "SELECT coalesce(max(last_event), 0) FROM release_requests WHERE id = ?", []any{request}},
		{"reviews", "SELECT coalesce(max(event), 0) FROM release_reviews WHERE request = ?", []any{request}},
		{"waivers", "SELECT coalesce(max(last_event), 0) FROM waivers WHERE model = ? AND version = ?", []any{t.Model, t.Version}},
		{"freezes", "SELECT coalesce(max(last_event), 0) FROM freezes WHERE model IN (?, '') AND environment IN (?, '')", []any{t.Model, t.Environment}},
		{"signers", "SELECT coalesce(max(event), 0) FROM signers", nil},
	} {
		var event uint64
		if err := tx.QueryRow(part.query, part.args...).Scan(&event); err != nil {
			return nil, fmt.Errorf("revision of the %s of %s: %w", part.name, t.Name(), err)
		}
		r[part.name] = event
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
