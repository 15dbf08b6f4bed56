package state

import (
	"testing"
)

// TestPlannerIsInstructedAgain makes an index anew, which loses what the planner knew of it: it knows it again after the
// next start, and what somebody's ANALYZE has found stays.
func TestPlannerIsInstructedAgain(t *testing.T) {
	t.Parallel()
	config := Config{Path: t.TempDir() + "/state.db"}
	numbers := func(change string) (of string, all int) {
		t.Helper()
		db, err := Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}()
		err = db.Write(t.Context(), func(tx *Tx) error {
			if err := tx.QueryRow("SELECT stat FROM sqlite_stat1 WHERE idx = 'event_columns_by_hand'").Scan(&of); err != nil {
				return err
			}
			if err := tx.QueryRow("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'event_columns'").Scan(&all); err != nil || change == "" {
				return err
			}
			for _, statement := range []string{"DROP INDEX event_columns_by_hand", change} {
				if _, err := tx.Exec(statement); err != nil {
					return err
				}
			}
			_, err := tx.Exec("UPDATE sqlite_stat1 SET stat = '7 1' WHERE idx = 'event_columns_by_type'")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return of, all
	}
	first, all := numbers("CREATE INDEX event_columns_by_hand ON event_columns (actor, model, sequence) WHERE model IS NOT NULL")
	again, still := numbers("")
	if first == "" || again != first || still != all {
		t.Errorf("%d numbers, of one index %q; after it was made anew %d, %q", all, first, still, again)
	}
	db, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it is only read
	err = db.Read(t.Context(), func(tx *Tx) error {
		var theirs string
		err := tx.QueryRow("SELECT stat FROM sqlite_stat1 WHERE idx = 'event_columns_by_type'").Scan(&theirs)
		if theirs != "7 1" {
			t.Errorf("what somebody has found became %q", theirs)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
