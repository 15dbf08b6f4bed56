package notify

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Channel is the way by which a subscription is told.
type Channel string

// The channels.
const (
	Webhook Channel = "webhook" // a signed POST of JSON
	Email   Channel = "email"
	Slack   Channel = "slack" // an incoming webhook of Slack, or of what understands its messages
	Teams   Channel = "teams" // a webhook of a Teams workflow, which takes an adaptive card
)

// State says whether a subscription is to be told.
type State string

// The states of a subscription.
const (
	Active State = "active"
	Paused State = "paused"
)

// Subscription is what somebody wants to be told, with how far that has come.
type Subscription struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	Channel      Channel         `json:"channel" doc:"webhook, email, slack or teams"`
	State        State           `json:"state" doc:"active or paused"`
	Topics       []string        `json:"topics" doc:"what is told: topics, types of events, families such as model.*, or *"`
	Models       []string        `json:"models" doc:"models of which it is told; empty: all"`
	Environments []string        `json:"environments" doc:"environments of which it is told; empty: all"`
	Host         string          `json:"host" doc:"host of the address, which is not shown; of e-mail, the domains"`
	Template     string          `json:"template,omitempty" doc:"template of the text"`
	Created      time.Time       `json:"created"`
	Signing      []SigningSecret `json:"secrets" doc:"what webhooks are signed with, newest first"`
	Delivery     Delivery        `json:"delivery"`

	address string // id of the file
}

// SigningSecret is what is known of a secret besides itself.
type SigningSecret struct {
	ID      string     `json:"id"`
	Created time.Time  `json:"created"`
	Ends    *time.Time `json:"ends,omitempty" doc:"when it signs no more, because another has replaced it"`
}

// Status says how a subscription's delivery goes.
type Status string

// The statuses of a delivery.
const (
	Delivering Status = "delivering" // the last attempt succeeded, or there was none yet
	Retrying   Status = "retrying"   // the last attempt failed
	Failing    Status = "failing"    // so did all for a while: somebody must look
	Resting    Status = "paused"
)

// Delivery says how far a subscription has been told.
type Delivery struct {
	Status    Status     `json:"status" doc:"delivering, retrying, failing or paused"`
	Position  uint64     `json:"position" doc:"sequence of the last event that is done with"`
	Number    uint64     `json:"number" doc:"of the last notification that is done with"`
	Attempts  int        `json:"attempts" doc:"at the notification in front, so far in vain"`
	Next      *time.Time `json:"next,omitempty" doc:"when it is tried again"`
	Failing   *time.Time `json:"failing_since,omitempty"`
	Delivered *time.Time `json:"delivered,omitempty" doc:"when the last notification was taken"`
	Fault     string     `json:"fault,omitempty" doc:"what went wrong last"`
}

const (
	defaultPage = 100
	maxPage     = 1000
)

// Subscriptions returns the subscriptions by name, those after the given one. limit 0 means 100; at
// most 1,000.
func (s *Store) Subscriptions(ctx context.Context, after string, limit int) (found []Subscription, err error) {
	if limit <= 0 {
		limit = defaultPage
	}
	err = s.config.DB.Read(ctx, func(tx *state.Tx) error {
		found, err = s.read(tx, "s.name > ? ORDER BY s.name LIMIT ?", after, min(limit, maxPage))
		return err
	})
	return found, err
}

// SubscriptionIn returns the subscription of that name or id, or a NotFound error.
func (s *Store) SubscriptionIn(tx *state.Tx, name string) (Subscription, error) {
	found, err := s.read(tx, "s.name = ? OR s.id = ? ORDER BY s.name", name, name)
	if err != nil {
		return Subscription{}, err
	}
	if len(found) > 0 {
		return found[0], nil
	}
	missing := tallystick.Errorf(tallystick.NotFound, "there is no subscription %q", name)
	all, err := s.read(tx, "s.name > '' ORDER BY s.name LIMIT ?", maxSubscriptions)
	if err != nil {
		return Subscription{}, err
	}
	var names []string
	for _, known := range all {
		names = append(names, known.Name)
	}
	if near := tallystick.Nearest(name, names); near != "" {
		return Subscription{}, missing.WithHint("did you mean %s?", near)
	}
	return Subscription{}, missing.WithHint("`tallystick notify list` lists them")
}

// Subscription returns the subscription of that name or id, or a NotFound error.
func (s *Store) Subscription(ctx context.Context, name string) (found Subscription, err error) {
	err = s.config.DB.Read(ctx, func(tx *state.Tx) error {
		found, err = s.SubscriptionIn(tx, name)
		return err
	})
	return found, err
}

func (s *Store) read(tx *state.Tx, where string, args ...any) ([]Subscription, error) {
	rows, err := tx.Query(`SELECT s.id, s.name, s.channel, s.state, s.topics, s.models, s.environments, s.host, s.address, coalesce(s.template, ''),
		s.created_ms, coalesce(c.position, s.event), coalesce(c.number, 0), coalesce(c.attempts, 0), coalesce(c.next_ms, 0),
		coalesce(c.failing_ms, 0), coalesce(c.delivered_ms, 0), coalesce(c.fault, '')
		FROM subscriptions s LEFT JOIN notification_cursors c ON c.subscription = s.id WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read subscriptions: %w", err)
	}
	found := []Subscription{}
	for rows.Next() {
		var n Subscription
		var topics, models, environments string
		var created, next, failing, delivered int64
		d := &n.Delivery
		if err := rows.Scan(&n.ID, &n.Name, &n.Channel, &n.State, &topics, &models, &environments, &n.Host, &n.address, &n.Template,
			&created, &d.Position, &d.Number, &d.Attempts, &next, &failing, &delivered, &d.Fault); err != nil {
			return nil, fmt.Errorf("read subscriptions: %w", err)
		}
		n.Topics, n.Models, n.Environments = fields(topics), fields(models), fields(environments)
		n.Created = fromMillis(created)
		d.Next, d.Failing, d.Delivered = optionalTime(next), optionalTime(failing), optionalTime(delivered)
		switch {
		case n.State == Paused:
			d.Status = Resting
		case d.Failing != nil:
			d.Status = Failing
		case d.Attempts > 0:
			d.Status = Retrying
		default:
			d.Status = Delivering
		}
		found = append(found, n)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read subscriptions: %w", err)
	}
	for i := range found {
		if found[i].Signing, err = readSigning(tx, found[i].ID); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// named returns the ids of the files that are needed.
func (s *Store) named(ctx context.Context) (map[string]bool, error) {
	ids := map[string]bool{}
	err := s.config.DB.Read(ctx, func(tx *state.Tx) error {
		rows, err := tx.Query(`SELECT s.address FROM subscriptions s
			UNION ALL SELECT k.id FROM subscription_secrets k WHERE k.ends_ms IS NULL OR k.ends_ms > ?`, tx.Now().UnixMilli())
		if err != nil {
			return err
		}
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids[id] = true
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read subscriptions: %w", err)
	}
	return ids, nil
}

// readSigning returns the secrets that have not ended, newest first.
func readSigning(tx *state.Tx, subscription string) ([]SigningSecret, error) {
	rows, err := tx.Query(`SELECT k.id, k.created_ms, coalesce(k.ends_ms, 0) FROM subscription_secrets k
		WHERE k.subscription = ? AND (k.ends_ms IS NULL OR k.ends_ms > ?) ORDER BY k.created_ms DESC, k.id DESC LIMIT ?`, subscription, tx.Now().UnixMilli(), maxSigning)
	if err != nil {
		return nil, fmt.Errorf("read secrets of a subscription: %w", err)
	}
	found := []SigningSecret{}
	for rows.Next() {
		var k SigningSecret
		var created, ends int64
		if err := rows.Scan(&k.ID, &created, &ends); err != nil {
			return nil, fmt.Errorf("read secrets of a subscription: %w", err)
		}
		k.Created, k.Ends = fromMillis(created), optionalTime(ends)
		found = append(found, k)
	}
	return found, rows.Err()
}

// fields parts what is separated by blanks; never nil, so that JSON has a list.
func fields(text string) []string { return append([]string{}, strings.Fields(text)...) }

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// optionalTime is nil for 0, which stands for null.
func optionalTime(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := fromMillis(ms)
	return &t
}

func textOrNil[T ~string](text T) any {
	if text == "" {
		return nil
	}
	return string(text)
}
