package notify

import (
	"fmt"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const resource = "subscription"

// Terms are what a subscription tells, and where.
type Terms struct {
	Topics        []string          `json:"topics"`
	Models        []string          `json:"models,omitempty"`
	Environments  []string          `json:"environments,omitempty"`
	Host          string            `json:"host"`
	Address       string            `json:"address"`
	AddressDigest tallystick.Digest `json:"address_digest,omitempty"`
	Template      string            `json:"template,omitempty"`
}

// Created is the change that makes a subscription.
type Created struct {
	Subscription string            `json:"subscription"`
	Name         string            `json:"name"`
	Channel      Channel           `json:"channel"`
	Secret       string            `json:"secret,omitempty"`
	SecretDigest tallystick.Digest `json:"secret_digest,omitempty"`
	Terms
}

// Subject implements trail.Change.
func (c *Created) Subject() (trail.Type, trail.Resource) {
	return trail.SubscriptionCreated, trail.Resource{Type: resource, ID: c.Subscription}
}

// Apply implements trail.Change. What comes after the event is told.
func (c *Created) Apply(tx *state.Tx, at trail.Mark) error {
	err := run(tx, statement{
		`INSERT INTO subscriptions (id, name, channel, state, topics, models, environments, host, address, address_digest, template, created_ms, event)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		[]any{
			c.Subscription, c.Name, string(c.Channel), string(Active), join(c.Topics), join(c.Models), join(c.Environments), c.Host, c.Address,
			textOrNil(c.AddressDigest), textOrNil(c.Template), at.Time.UnixMilli(), int64(at.Sequence),
		},
	}, statement{
		"INSERT INTO notification_cursors (subscription, position, number, attempts) VALUES (?, ?, 0, 0)", []any{c.Subscription, int64(at.Sequence)},
	})
	if err != nil || c.Secret == "" {
		return err
	}
	return insertSecret(tx, c.Subscription, c.Secret, c.SecretDigest, at)
}

func insertSecret(tx *state.Tx, subscription, id string, digest tallystick.Digest, at trail.Mark) error {
	return run(tx, statement{
		"INSERT INTO subscription_secrets (id, subscription, secret_digest, created_ms, event) VALUES (?, ?, ?, ?, ?)",
		[]any{id, subscription, string(digest), at.Time.UnixMilli(), int64(at.Sequence)},
	})
}

// Updated is the change of a subscription's terms.
type Updated struct {
	Subscription string `json:"subscription"`
	Name         string `json:"name"`
	Terms
}

// Subject implements trail.Change.
func (c *Updated) Subject() (trail.Type, trail.Resource) {
	return trail.SubscriptionUpdated, trail.Resource{Type: resource, ID: c.Subscription}
}

// Apply implements trail.Change.
func (c *Updated) Apply(tx *state.Tx, at trail.Mark) error {
	return run(tx, statement{
		`UPDATE subscriptions SET topics = ?, models = ?, environments = ?, host = ?, address = ?, address_digest = ?, template = ?, event = ? WHERE id = ?`,
		[]any{
			join(c.Topics), join(c.Models), join(c.Environments), c.Host, c.Address, textOrNil(c.AddressDigest), textOrNil(c.Template),
			int64(at.Sequence), c.Subscription,
		},
	}, afresh(c.Subscription))
}

// afresh forgets the attempts in vain: what was wrong may be right now.
func afresh(subscription string) statement {
	return statement{"UPDATE notification_cursors SET attempts = 0, next_ms = NULL, failing_ms = NULL WHERE subscription = ?", []any{subscription}}
}

// Marked is the change that pauses or resumes a subscription.
type Marked struct {
	Subscription string `json:"subscription"`
	Name         string `json:"name"`
	State        State  `json:"state"`
}

// Subject implements trail.Change.
func (c *Marked) Subject() (trail.Type, trail.Resource) {
	return trail.SubscriptionMarked, trail.Resource{Type: resource, ID: c.Subscription}
}

// Apply implements trail.Change.
func (c *Marked) Apply(tx *state.Tx, at trail.Mark) error {
	return run(tx, statement{
		"UPDATE subscriptions SET state = ?, event = ? WHERE id = ?", []any{string(c.State), int64(at.Sequence), c.Subscription},
	}, afresh(c.Subscription))
}

// Rotated is the change that gives a subscription another secret.
type Rotated struct {
	Subscription string            `json:"subscription"`
	Name         string            `json:"name"`
	Secret       string            `json:"secret"`
	SecretDigest tallystick.Digest `json:"secret_digest"`
	BeforeEndsMS int64             `json:"before_ends_ms"`
}

// Subject implements trail.Change.
func (c *Rotated) Subject() (trail.Type, trail.Resource) {
	return trail.SubscriptionRotated, trail.Resource{Type: resource, ID: c.Subscription}
}

// Apply implements trail.Change. Of the secrets before, the last goes on to its end; those before it,
// which have an end already, end now.
func (c *Rotated) Apply(tx *state.Tx, at trail.Mark) error {
	now, event := at.Time.UnixMilli(), int64(at.Sequence)
	err := run(tx, afresh(c.Subscription),
		statement{
			"UPDATE subscription_secrets SET ends_ms = ?, event = ? WHERE subscription = ? AND ends_ms > ?", []any{now, event, c.Subscription, now},
		},
		statement{
			"UPDATE subscription_secrets SET ends_ms = ?, event = ? WHERE subscription = ? AND ends_ms IS NULL", []any{c.BeforeEndsMS, event, c.Subscription},
		})
	if err != nil {
		return err
	}
	return insertSecret(tx, c.Subscription, c.Secret, c.SecretDigest, at)
}

// Removed is the change that ends a subscription.
type Removed struct {
	Subscription string `json:"subscription"`
	Name         string `json:"name"`
}

// Subject implements trail.Change.
func (c *Removed) Subject() (trail.Type, trail.Resource) {
	return trail.SubscriptionRemoved, trail.Resource{Type: resource, ID: c.Subscription}
}

// Apply implements trail.Change.
func (c *Removed) Apply(tx *state.Tx, _ trail.Mark) error {
	id := []any{c.Subscription}
	return run(tx,
		statement{"DELETE FROM notifications WHERE subscription = ?", id},
		statement{"DELETE FROM notification_cursors WHERE subscription = ?", id},
		statement{"DELETE FROM subscription_secrets WHERE subscription = ?", id},
		statement{"DELETE FROM subscriptions WHERE id = ?", id})
}

// Tested is the change by which a subscription is tested: it is told of the event itself.
type Tested struct {
	Subscription string `json:"subscription"`
	Name         string `json:"name"`
}

// Subject implements trail.Change.
func (c *Tested) Subject() (trail.Type, trail.Resource) {
	return trail.SubscriptionTested, trail.Resource{Type: resource, ID: c.Subscription}
}

// Apply implements trail.Change.
func (c *Tested) Apply(tx *state.Tx, _ trail.Mark) error { return run(tx, afresh(c.Subscription)) }

// Retried is the change that has the notification in front tried at once.
type Retried struct {
	Subscription string `json:"subscription"`
	Name         string `json:"name"`
}

// Subject implements trail.Change.
func (c *Retried) Subject() (trail.Type, trail.Resource) {
	return trail.SubscriptionRetried, trail.Resource{Type: resource, ID: c.Subscription}
}

// Apply implements trail.Change.
func (c *Retried) Apply(tx *state.Tx, _ trail.Mark) error { return run(tx, afresh(c.Subscription)) }

// Skipped is the change that gives up the notification in front.
type Skipped struct {
	Subscription string `json:"subscription"`
	Name         string `json:"name"`
	Number       uint64 `json:"number"`
	Event        string `json:"event"`
	Sequence     uint64 `json:"sequence"`
}

// Subject implements trail.Change.
func (c *Skipped) Subject() (trail.Type, trail.Resource) {
	return trail.SubscriptionSkipped, trail.Resource{Type: resource, ID: c.Subscription}
}

// Apply implements trail.Change. An attempt that is under way finds the cursor moved, and leaves it.
func (c *Skipped) Apply(tx *state.Tx, _ trail.Mark) error {
	return run(tx,
		statement{
			"UPDATE notifications SET state = ? WHERE subscription = ? AND number = ? AND state = ?", []any{skipped, c.Subscription, c.Number, pending},
		},
		statement{
			"UPDATE notification_cursors SET position = ?, number = ?, fault = NULL WHERE subscription = ? AND position < ?",
			[]any{c.Sequence, c.Number, c.Subscription, c.Sequence},
		},
		afresh(c.Subscription))
}

// Changes returns a fresh change for each type of event from which the tables of this package follow.
func Changes() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.SubscriptionCreated: func() trail.Change { return new(Created) },
		trail.SubscriptionUpdated: func() trail.Change { return new(Updated) },
		trail.SubscriptionMarked:  func() trail.Change { return new(Marked) },
		trail.SubscriptionRotated: func() trail.Change { return new(Rotated) },
		trail.SubscriptionRemoved: func() trail.Change { return new(Removed) },
		trail.SubscriptionTested:  func() trail.Change { return new(Tested) },
		trail.SubscriptionRetried: func() trail.Change { return new(Retried) },
		trail.SubscriptionSkipped: func() trail.Change { return new(Skipped) },
	}
}

// Tables returns the tables of this package that follow from the trail: all but notification_cursors
// and notifications.
func Tables() []trail.Table {
	return []trail.Table{
		{
			Name: "subscriptions", Key: []string{"id"}, Sealed: []string{"address_digest", "template"},
			Columns: []string{"name", "channel", "state", "topics", "models", "environments", "host", "address", "created_ms", "event"},
		},
		{Name: "subscription_secrets", Key: []string{"id"}, Columns: []string{"subscription", "secret_digest", "created_ms", "ends_ms", "event"}},
	}
}

// statement is one of those that a change runs.
type statement struct {
	query string
	args  []any
}

func run(tx *state.Tx, statements ...statement) error {
	for _, s := range statements {
		if _, err := tx.Exec(s.query, s.args...); err != nil {
			return fmt.Errorf("%.30s...: %w", s.query, err)
		}
	}
	return nil
}

func join(words []string) string { return strings.Join(words, " ") }
