package revision_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/revision"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// TestKind: a document is found as any event left it, with and without the columns that only some tables have.
func TestKind(t *testing.T) {
	t.Parallel()
	for _, about := range [][]string{nil, {"model"}, {"model", "environment"}} {
		kind := revision.Kind{Noun: "rule", Table: "rule_revisions", About: about}
		db, err := state.Open(t.Context(), state.Config{URL: postgrestest.IfChosen(t), Path: filepath.Join(t.TempDir(), "state.db")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		first := revision.Revision{Name: "a", Document: tallystick.DigestOf([]byte("first"))}
		for _, column := range about {
			if column == "model" {
				first.Model = "credit"
			} else {
				first.Environment = "production"
			}
		}
		second, gone, other := first, first, first
		second.Document = tallystick.DigestOf([]byte("second"))
		gone.Document, gone.Removed = "", true
		other.Name = "b"
		for event, r := range map[uint64]*revision.Revision{3: &first, 5: &second, 7: &gone, 9: &other} {
			r.Event, r.Applied = event, noon.Add(time.Duration(event)*time.Hour)
		}
		err = db.Write(t.Context(), func(tx *state.Tx) error {
			table := "CREATE TABLE rule_revisions (event BIGINT PRIMARY KEY, name TEXT NOT NULL, "
			for _, column := range about {
				table += column + " TEXT NOT NULL, "
			}
			if _, err := tx.Exec(table + "digest TEXT NOT NULL, removed INTEGER NOT NULL, applied_ms BIGINT NOT NULL)"); err != nil {
				return err
			}
			for _, r := range []revision.Revision{first, second, gone, other} {
				if err := kind.Add(tx, trail.Mark{Sequence: r.Event, Time: r.Applied}, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Read(t.Context(), func(tx *state.Tx) error {
			for until, want := range map[uint64]revision.Revision{3: first, 4: first, 5: second, 6: second, 7: gone, 100: gone, 0: gone} {
				if got, err := kind.At(tx, "a", until); err != nil || !cmp.Equal(got, want) {
					t.Errorf("About %v: At(a, %d) = %+v, %v, want %+v", about, until, got, err, want)
				}
			}
			for name, until := range map[string]uint64{"a": 2, "b": 8, "c": 0} {
				if _, err := kind.At(tx, name, until); tallystick.CodeOf(err) != tallystick.NotFound {
					t.Errorf("About %v: At(%s, %d) = %v, want that it is not found", about, name, until, err)
				}
			}
			for _, tt := range []struct {
				name     string
				document tallystick.Digest
				want     bool
			}{{"a", second.Document, false}, {"b", other.Document, true}, {"b", second.Document, false}, {"c", other.Document, false}} {
				if got, err := kind.Is(tx, tt.name, tt.document); err != nil || got != tt.want {
					t.Errorf("About %v: Is(%s) = %v, %v, want %v", about, tt.name, got, err, tt.want)
				}
			}
			all, err := kind.List(tx, "", 10)
			if diff := cmp.Diff([]revision.Revision{gone, other}, all); err != nil || diff != "" {
				t.Errorf("About %v: List: %v (-want +got)\n%s", about, err, diff)
			}
			if len(about) > 0 {
				none, err := kind.List(tx, "another", 10)
				if err != nil || len(none) > 0 {
					t.Errorf("About %v: List of another model = %v, %v", about, none, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
