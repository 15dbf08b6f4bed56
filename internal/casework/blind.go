package casework

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// Close takes from events what opens the first opinions on cases that wait for a second: answer and rationale, but
// not who gave it, and not from the reader's own. So whoever is to give the second opinion, or may come to, does not
// learn the first from the trail; what rights the reader has, or of which token, plays no part.
func (d *Desk) Close(ctx context.Context, reader string, events []trail.Event) error {
	waiting := map[string]bool{} // by case
	for i := range events {
		e := &events[i]
		if e.Type != trail.CaseJudged || e.Actor == reader || e.Sealed()["state"] != string(Second) {
			continue
		}
		id := e.Resource.ID
		waits, known := waiting[id]
		if !known {
			var err error
			if waits, err = d.waits(ctx, id); err != nil {
				return err
			}
			waiting[id] = waits
		}
		if waits {
			// A copy: the page that the events are on may be another's too.
			e.Disclosures = slices.DeleteFunc(slices.Clone(e.Disclosures), func(opening verify.Disclosure) bool {
				return opening.Pointer == "/answer" || opening.Pointer == "/rationale"
			})
		}
	}
	return nil
}

// waits reports whether a case waits for a second opinion.
func (d *Desk) waits(ctx context.Context, id string) (waits bool, err error) {
	err = d.config.DB.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT state = 'second' FROM cases WHERE id = ?", id).Scan(&waits)
	})
	if errors.Is(err, sql.ErrNoRows) { // the opinion was refused
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read case %.80q: %w", id, err)
	}
	return waits, nil
}
