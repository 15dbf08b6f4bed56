package trail

import (
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// TestFiltersHaveIndexes asks SQLite how it would find events: by an index that fits each filter, and
// never by looking at all of them.
func TestFiltersHaveIndexes(t *testing.T) {
	t.Parallel()
	db, recorder := connect(t, state.Config{Path: t.TempDir() + "/state.db"})
	often := registration()
	often.Actor.ID = "often"
	err := db.Write(t.Context(), func(tx *state.Tx) error {
		for range maxRare {
			if _, err := recorder.RecordIn(tx, often); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := NewReader(db, origin).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for name, test := range map[string]struct {
		filter Filter
		want   string
	}{
		"type":             {Filter{Type: ModelRegistered}, "event_columns_by_type (type=?"},
		"actor":            {Filter{Actor: "ada"}, "event_columns_by_actor (actor=?"},
		"model":            {Filter{Model: "compas"}, "event_columns_by_model (model=?"},
		"model and type":   {Filter{Model: "compas", Type: ModelRegistered}, "event_columns_by_touch (model=? AND type=?"},
		"model, without":   {Filter{Model: "compas", Without: []Type{WindowJudged, TrailRead}}, "event_columns_by_model (model=?"},
		"actor, without":   {Filter{Actor: "ada", Without: []Type{WindowJudged}}, "event_columns_by_actor (actor=?"},
		"without":          {Filter{Without: []Type{WindowJudged}}, "PRIMARY KEY (rowid>?"},
		"actor and model":  {Filter{Actor: "ada", Model: "compas"}, "event_columns_by_hand (actor=? AND model=?"},
		"actor and type":   {Filter{Actor: "ada", Type: ModelRegistered}, "event_columns_by_habit (actor=? AND type=?"},
		"model, refused":   {Filter{Model: "compas", Outcome: tallystick.Denied}, "event_columns_refused (model=? AND outcome=?"},
		"type, refused":    {Filter{Type: ModelRegistered, Outcome: tallystick.Failed}, "event_columns_by_ending (type=? AND outcome=?"},
		"actor, refused":   {Filter{Actor: "ada", Outcome: tallystick.Denied}, "event_columns_refused_to (actor=? AND outcome=?"},
		"type, done":       {Filter{Type: ModelRegistered, Outcome: tallystick.Success}, "COVERING INDEX event_columns_by_ending (type=? AND outcome=?"},
		"refused":          {Filter{Outcome: tallystick.Denied}, "event_columns_by_outcome (outcome=?"},
		"kind of resource": {Filter{Resource: Resource{Type: "model"}}, "event_columns_by_kind (resource_type=?"},
		"resource":         {Filter{Resource: Resource{Type: "model", ID: "compas"}}, "event_columns_by_resource (resource_id=? AND resource_type=?"},
		"actor, model, rare type": {
			Filter{Actor: "ada", Model: "compas", Type: ModelRegistered, Outcome: tallystick.Success, Before: 9}, "event_columns_by_habit (actor=? AND type=? AND sequence>? AND sequence<?",
		},
		"actor, model, type": {
			Filter{Actor: "often", Model: "compas", Type: ModelRegistered, Outcome: tallystick.Success, Before: 9}, "event_columns_by_hand (actor=? AND model=? AND sequence>? AND sequence<?",
		},
		"actor and model, refused": {Filter{Actor: "ada", Model: "compas", Outcome: tallystick.Denied}, "event_columns_by_hand (actor=? AND model=?"},
		"model, type, done":        {Filter{Model: "compas", Type: ModelRegistered, Outcome: tallystick.Success}, "event_columns_by_touch (model=? AND type=?"},
		"model, type, refused":     {Filter{Model: "compas", Type: ModelRegistered, Outcome: tallystick.Denied}, "event_columns_refused (model=? AND outcome=?"},
		"actor, type, done":        {Filter{Actor: "ada", Type: ModelRegistered, Outcome: tallystick.Success}, "event_columns_by_habit (actor=? AND type=?"},
		"actor, type, refused":     {Filter{Actor: "ada", Type: ModelRegistered, Outcome: tallystick.Denied}, "event_columns_refused_to (actor=? AND outcome=?"},
		"resource, type, done":     {Filter{Resource: Resource{Type: "model", ID: "compas"}, Type: ModelRegistered, Outcome: tallystick.Success}, "event_columns_by_resource (resource_id=? AND resource_type=?"},
		"time":                     {Filter{Since: now.Add(-2 * time.Hour), Until: now.Add(-time.Hour)}, "PRIMARY KEY (rowid>? AND rowid<?"},
		"type since a time":        {Filter{Type: ModelRegistered, Since: now}, "event_columns_by_type (type=? AND sequence>?"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var plan strings.Builder
			err := db.Read(t.Context(), func(tx *state.Tx) error {
				where, args, err := test.filter.where(tx)
				if err != nil {
					return err
				}
				rows, err := tx.Query("EXPLAIN QUERY PLAN SELECT e.sequence FROM event_columns e WHERE "+where+" ORDER BY e.sequence LIMIT 100", args...)
				if err != nil {
					return err
				}
				defer rows.Close()
				for rows.Next() {
					var id, parent, unused int
					var detail string
					if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
						return err
					}
					plan.WriteString(detail + "\n")
				}
				return rows.Err()
			})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(plan.String(), test.want) || strings.Contains(plan.String(), "TEMP B-TREE") {
				t.Errorf("%s; want %s", plan.String(), test.want)
			}
		})
	}
}
