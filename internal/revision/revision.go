// Package revision keeps what became of documents that people apply under a name, such as monitors and objectives: as
// they were written, or that they were removed, at any event.
package revision

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Revision is a document as it was left by an event.
type Revision struct {
	Name        string
	Model       string
	Environment string
	Document    tallystick.Digest // empty if it was removed
	Removed     bool
	Applied     time.Time // when it was written so, or removed
	Event       uint64
}

// Kind is one kind of document. Its table has the columns event, name, digest, removed and applied_ms, and an index by
// name and event.
type Kind struct {
	Noun  string   // what one is called, and `tallystick NOUN list` lists
	Table string   // has a row for each event
	About []string // which of the columns model and environment the table has, in this order
}

// Rows returns the table, of which every row follows from a change.
func (k Kind) Rows() trail.Table {
	return trail.Table{Name: k.Table, Key: []string{"event"}, Columns: slices.Concat([]string{"name"}, k.About, []string{"digest", "removed", "applied_ms"})}
}

// Columns are those that Scan reads.
func (k Kind) Columns() string {
	about := []string{"model", "environment"}
	for i, column := range about {
		if !slices.Contains(k.About, column) {
			about[i] = "''"
		}
	}
	return "event, name, " + strings.Join(about, ", ") + ", digest, removed = 1, applied_ms"
}

// Scan reads a row of Columns.
func Scan(row state.Scanner) (r Revision, err error) {
	var applied int64
	err = row.Scan(&r.Event, &r.Name, &r.Model, &r.Environment, &r.Document, &r.Removed, &applied)
	r.Applied = time.UnixMilli(applied).UTC()
	return r, err
}

// Add is what a change does with the table: the revision is that of the mark.
func (k Kind) Add(tx *state.Tx, at trail.Mark, r Revision) error {
	columns, args := []string{"event", "name"}, []any{at.Sequence, r.Name}
	for _, column := range k.About {
		columns, args = append(columns, column), append(args, map[string]string{"model": r.Model, "environment": r.Environment}[column])
	}
	removed := 0
	if r.Removed {
		removed = 1
	}
	columns, args = append(columns, "digest", "removed", "applied_ms"), append(args, string(r.Document), removed, at.Time.UnixMilli())
	_, err := tx.Exec("INSERT INTO "+k.Table+" ("+strings.Join(columns, ", ")+") VALUES (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
	return err
}

// At returns a document as events up to until left it, or a NotFound error; 0 is no bound.
func (k Kind) At(tx *state.Tx, name string, until uint64) (Revision, error) {
	bound := int64(math.MaxInt64)
	if until > 0 {
		bound = int64(until)
	}
	r, err := Scan(tx.QueryRow("SELECT "+k.Columns()+" FROM "+k.Table+" WHERE name = ? AND event <= ? ORDER BY event DESC LIMIT 1", name, bound))
	switch {
	case err == nil:
		return r, nil
	case !errors.Is(err, sql.ErrNoRows):
		return r, fmt.Errorf("%s %.80q: %w", k.Noun, name, err)
	case until > 0:
		return r, tallystick.Errorf(tallystick.NotFound, "there is no %s %.80q", k.Noun, name).WithHint("not as of then; leave out the moment for what is in force")
	}
	return r, tallystick.Errorf(tallystick.NotFound, "there is no %s %.80q", k.Noun, name).WithHint("`tallystick %s list` has those that there are", k.Noun)
}

// Is reports whether a document is in force under the name as it is.
func (k Kind) Is(tx *state.Tx, name string, document tallystick.Digest) (bool, error) {
	r, err := k.At(tx, name, 0)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return false, nil
	}
	return err == nil && !r.Removed && r.Document == document, err
}

// List returns the newest revision of each document of a model, or of all if that is empty, by name, those that were removed
// too.
func (k Kind) List(tx *state.Tx, model string, limit int) ([]Revision, error) {
	where, args := "", []any(nil)
	if model != "" {
		where, args = "model = ? AND ", append(args, model)
	}
	return state.Collect(tx, Scan, "SELECT "+k.Columns()+" FROM "+k.Table+" r WHERE "+where+"event = (SELECT max(event) FROM "+k.Table+" WHERE name = r.name) ORDER BY name "+state.Limit, append(args, limit)...)
}
