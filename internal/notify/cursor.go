package notify

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/tallystick/tallystick/internal/state"
)

const (
	keptNotifications = 1000 // of each subscription
	maxFault          = 500  // bytes
)

// Notification is one event on its way to one subscription, or delivered.
type Notification struct {
	Number   uint64    `json:"number" doc:"from 1 without a gap"`
	Sequence uint64    `json:"sequence" doc:"of the event on the trail"`
	Event    string    `json:"event" doc:"id of the event"`
	Type     string    `json:"type" doc:"short type of the event"`
	State    string    `json:"state" doc:"pending, delivered or skipped"`
	Attempts int       `json:"attempts"`
	Status   int       `json:"status,omitempty" doc:"that the receiver answered last"`
	Fault    string    `json:"fault,omitempty" doc:"what went wrong last"`
	First    time.Time `json:"first_attempt"`
	Last     time.Time `json:"last_attempt"`
}

// The states of a notification.
const (
	pending   = "pending"
	delivered = "delivered"
	skipped   = "skipped"
)

// Notifications returns the last notifications of a subscription, newest first, those before the given
// number; 0 means all. The last 1,000 of each are kept. limit 0 means 100.
func (s *Store) Notifications(ctx context.Context, name string, before uint64, limit int) ([]Notification, error) {
	if limit <= 0 {
		limit = defaultPage
	}
	if before == 0 {
		before = math.MaxInt64
	}
	found := []Notification{}
	err := s.config.DB.Read(ctx, func(tx *state.Tx) error {
		is, err := s.SubscriptionIn(tx, name)
		if err != nil {
			return err
		}
		rows, err := tx.Query(`SELECT n.number, n.sequence, n.event_id, n.type, n.state, n.attempts, coalesce(n.status, 0), coalesce(n.fault, ''), n.first_ms, n.last_ms
			FROM notifications n WHERE n.subscription = ? AND n.number < ? ORDER BY n.number DESC LIMIT ?`, is.ID, before, min(limit, maxPage))
		if err != nil {
			return fmt.Errorf("read notifications: %w", err)
		}
		for rows.Next() {
			var n Notification
			var first, last int64
			if err := rows.Scan(&n.Number, &n.Sequence, &n.Event, &n.Type, &n.State, &n.Attempts, &n.Status, &n.Fault, &first, &last); err != nil {
				return fmt.Errorf("read notifications: %w", err)
			}
			n.First, n.Last = fromMillis(first), fromMillis(last)
			found = append(found, n)
		}
		return rows.Err()
	})
	return found, err
}

// progress is a cursor as it was when somebody looked at it. What it writes is written only if the
// cursor is still there: of two who deliver the same, one moves it.
type progress struct {
	subscription string
	position     uint64
}

// pass moves the cursor over events that are not told.
func (p progress) pass(tx *state.Tx, to uint64) error {
	return run(tx, statement{
		"UPDATE notification_cursors SET position = ? WHERE subscription = ? AND position = ?", []any{to, p.subscription, p.position},
	})
}

// done moves the cursor over a notification and reports whether it was still there.
func (p progress) done(tx *state.Tx, n Notification, at time.Time) (bool, error) {
	result, err := tx.Exec(`UPDATE notification_cursors SET position = ?, number = ?, attempts = 0, next_ms = NULL, failing_ms = NULL, delivered_ms = ?, fault = NULL
		WHERE subscription = ? AND position = ?`, n.Sequence, n.Number, at.UnixMilli(), p.subscription, p.position)
	if err != nil {
		return false, fmt.Errorf("move the cursor of a subscription: %w", err)
	}
	moved, err := result.RowsAffected()
	return moved == 1, err
}

// failed notes an attempt in vain.
func (p progress) failed(tx *state.Tx, attempts int, next time.Time, failing *time.Time, fault string) (bool, error) {
	var since any
	if failing != nil {
		since = failing.UnixMilli()
	}
	result, err := tx.Exec(`UPDATE notification_cursors SET attempts = ?, next_ms = ?, failing_ms = coalesce(failing_ms, ?), fault = ? WHERE subscription = ? AND position = ?`,
		attempts, next.UnixMilli(), since, fault, p.subscription, p.position)
	if err != nil {
		return false, fmt.Errorf("note a failed notification: %w", err)
	}
	moved, err := result.RowsAffected()
	return moved == 1, err
}

// store writes the row of a notification, and forgets one that is too old.
func (n Notification) store(tx *state.Tx, subscription string) error {
	var status, fault any
	if n.Status != 0 {
		status = n.Status
	}
	if n.Fault != "" {
		fault = n.Fault
	}
	return run(tx,
		statement{
			`INSERT INTO notifications (subscription, number, sequence, event_id, type, state, attempts, status, fault, first_ms, last_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (subscription, number) DO UPDATE SET sequence = excluded.sequence, event_id = excluded.event_id, type = excluded.type, state = excluded.state,
				attempts = notifications.attempts + 1, status = excluded.status, fault = excluded.fault, last_ms = excluded.last_ms`,
			[]any{subscription, n.Number, n.Sequence, n.Event, n.Type, n.State, n.Attempts, status, fault, n.First.UnixMilli(), n.Last.UnixMilli()},
		},
		statement{"DELETE FROM notifications WHERE subscription = ? AND number <= ?", []any{subscription, int64(n.Number) - keptNotifications}})
}
