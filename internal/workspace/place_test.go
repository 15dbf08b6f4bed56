package workspace_test

import (
	"context"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/state"
)

// TestSealWithoutPlace: a process that was killed when its checkpoint was published and the place of the event was not
// yet stored leaves an event that is covered and has no place, so that nobody can prove it. Seal does not return before
// it has one.
func TestSealWithoutPlace(t *testing.T) {
	t.Parallel()
	cfg := config(t.TempDir())
	w, other := open(t, cfg), open(t, cfg)
	receipt := record(t, w, "credit")
	if _, err := w.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- other.KeepSealed(ctx, func() { close(ready) }) }()
	<-ready
	err := w.DB.Write(t.Context(), func(tx *state.Tx) error {
		if _, err := tx.Exec("DROP TRIGGER seals_stay"); err != nil {
			return err
		}
		_, err := tx.Exec("DELETE FROM seals WHERE first_sequence + count > ?", receipt.Sequence)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	waiting, stop := context.WithTimeout(t.Context(), 300*time.Millisecond) // so many looks, or fewer, are taken
	if _, err := w.Seal(waiting); err == nil {
		t.Error("an event without a place is sealed")
	}
	stop()
	cancel()
	<-ended // with an error or none: nobody has a table from which rows are taken
}
