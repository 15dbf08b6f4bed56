package notify

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	maxSubscriptions = 100
	maxTopics        = 64
	maxNames         = 100 // models or environments of one subscription
	maxURL           = 2048
	maxTo            = 20
	defaultOverlap   = 24 * time.Hour
	maxOverlap       = 30 * 24 * time.Hour
)

// StoreConfig says where subscriptions and their secrets are kept. DB and Vault are required.
type StoreConfig struct {
	DB    *state.DB
	Vault *Vault
	Now   func() time.Time // nil means time.Now
}

// Store knows the subscriptions. Methods that take a transaction look and propose, and write nothing.
type Store struct{ config StoreConfig }

// NewStore returns a store over config.DB.
func NewStore(config StoreConfig) *Store {
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Store{config}
}

// Vault returns where addresses and secrets are kept.
func (s *Store) Vault() *Vault { return s.config.Vault }

// KeepAddress checks an address and keeps it for a change that is to be proposed. What is kept must be
// discarded if the change is not made.
func (s *Store) KeepAddress(channel Channel, a Address) (KeptAddress, error) {
	host, err := a.check(channel)
	if err != nil {
		return KeptAddress{}, err
	}
	content, err := json.Marshal(a)
	if err != nil {
		return KeptAddress{}, fmt.Errorf("keep an address: %w", err)
	}
	kept := KeptAddress{ID: newID(addressPrefix, s.config.Now()), host: host, digest: tallystick.DigestOf(content)}
	return kept, s.config.Vault.put(kept.ID, content)
}

// KeptAddress is an address that lies in the vault.
type KeptAddress struct {
	ID     string
	host   string
	digest tallystick.Digest
}

// KeepSecret makes a secret and keeps it, as KeepAddress does.
func (s *Store) KeepSecret() (KeptSecret, error) {
	secret := NewSecret()
	kept := KeptSecret{ID: newID(secretPrefix, s.config.Now()), Secret: secret}
	return kept, s.config.Vault.put(kept.ID, []byte(secret.Reveal()))
}

// KeptSecret is a secret that lies in the vault.
type KeptSecret struct {
	ID     string
	Secret Secret
}

// check returns the host of an address that fits the channel.
func (a Address) check(channel Channel) (host string, err error) {
	if channel == Email {
		return a.checkMail()
	}
	invalid := func(fault string) (string, error) {
		return "", tallystick.Errorf(tallystick.Invalid, "the address of the %s %s", channel, fault).
			WithHint("give a URL such as https://hooks.example.org/tallystick")
	}
	u, err := url.Parse(a.URL)
	switch {
	case len(a.To) > 0:
		return invalid("is a URL, no e-mail address")
	case err != nil || u.Host == "" || u.Opaque != "" || u.Scheme != "https" && u.Scheme != "http":
		return invalid("is no URL") // not repeated: it may be a secret
	case len(a.URL) > maxURL:
		return invalid(fmt.Sprintf("is longer than %d bytes", maxURL))
	case u.User != nil || u.Fragment != "":
		return invalid("has credentials or a fragment in it")
	case a.Authorization != "" && channel != Webhook:
		return invalid("takes no authorization: its URL is its secret")
	case len(a.Authorization) > maxURL || strings.ContainsFunc(a.Authorization, func(r rune) bool { return r < ' ' || r > '~' }):
		return "", tallystick.Errorf(tallystick.Invalid, "the authorization is no value of a header").WithHint("such as: Bearer TOKEN")
	}
	return u.Host, nil
}

func (a Address) checkMail() (string, error) {
	invalid := func(format string, args ...any) (string, error) {
		return "", tallystick.Errorf(tallystick.Invalid, format, args...).WithHint("give 1 to %d addresses such as risk@example.org", maxTo)
	}
	if len(a.To) == 0 || len(a.To) > maxTo || a.URL != "" || a.Authorization != "" {
		return invalid("a subscription by e-mail has %d addresses", len(a.To))
	}
	var domains []string
	for _, to := range a.To {
		parsed, err := mail.ParseAddress(to)
		if err != nil || parsed.Address != to || len(to) > 254 || strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>()\,;:`, r) }) {
			return invalid("%.100q is no plain e-mail address", to)
		}
		domain := strings.ToLower(to[strings.LastIndexByte(to, '@')+1:])
		if !slices.Contains(domains, domain) {
			domains = append(domains, domain)
		}
	}
	slices.Sort(domains)
	return strings.Join(domains, ","), nil
}

// ParseChannel returns the channel of that name.
func ParseChannel(name string) (Channel, error) {
	if c := Channel(name); slices.Contains([]Channel{Webhook, Email, Slack, Teams}, c) {
		return c, nil
	}
	return "", tallystick.Errorf(tallystick.Invalid, "channel %q is not known", name).WithHint("use webhook, email, slack or teams")
}

// New is a subscription that is to be made.
type New struct {
	Name                         string
	Channel                      Channel
	Topics, Models, Environments []string
	Template                     string
	Address                      KeptAddress
	Secret                       KeptSecret // of a webhook
}

// Subscribe proposes a subscription.
func (s *Store) Subscribe(tx *state.Tx, n New) (trail.Change, error) {
	if err := tallystick.ValidateName("subscription", n.Name); err != nil {
		return nil, err
	}
	if _, err := ParseChannel(string(n.Channel)); err != nil {
		return nil, err
	}
	c := &Created{Subscription: newID(subscriptionPrefix, tx.Now()), Name: n.Name, Channel: n.Channel, Terms: Terms{
		Topics: n.Topics, Models: n.Models, Environments: n.Environments, Template: n.Template,
		Host: n.Address.host, Address: n.Address.ID, AddressDigest: n.Address.digest,
	}}
	if n.Channel == Webhook {
		c.Secret, c.SecretDigest = n.Secret.ID, n.Secret.Secret.Digest()
	}
	if err := c.normalise(n.Channel); err != nil {
		return nil, err
	}
	var count, same int
	if err := tx.QueryRow("SELECT count(*), coalesce(sum(CASE WHEN name = ? THEN 1 ELSE 0 END), 0) FROM subscriptions", n.Name).Scan(&count, &same); err != nil {
		return nil, fmt.Errorf("count subscriptions: %w", err)
	}
	switch {
	case same > 0:
		return nil, tallystick.Errorf(tallystick.Conflict, "there is a subscription %q already", n.Name).
			WithHint("change it with `tallystick notify update %s`, or take another name", n.Name)
	case count >= maxSubscriptions:
		return nil, tallystick.Errorf(tallystick.Conflict, "there are %d subscriptions, which is the limit", count).
			WithHint("remove one: `tallystick notify list`")
	}
	return c, nil
}

// normalise checks terms and brings them into their one form.
func (t *Terms) normalise(channel Channel) error {
	if len(t.Topics) == 0 || len(t.Topics) > maxTopics {
		return tallystick.Errorf(tallystick.Invalid, "the subscription has %d topics", len(t.Topics)).
			WithHint("name 1 to %d; `tallystick notify topics` lists them", maxTopics)
	}
	var topics []string
	for _, text := range t.Topics {
		topic, err := parseTopic(text)
		if err != nil {
			return err
		}
		topics = append(topics, topic)
	}
	t.Topics = unique(topics)
	for what, names := range map[string]*[]string{"model": &t.Models, "environment": &t.Environments} {
		if len(*names) > maxNames {
			return tallystick.Errorf(tallystick.Invalid, "the subscription names %d of kind %s, the limit is %d", len(*names), what, maxNames)
		}
		for _, name := range *names {
			if err := tallystick.ValidateName(what, name); err != nil {
				return err
			}
		}
		*names = unique(*names)
	}
	if t.Template == "" {
		return nil
	}
	if channel == Slack || channel == Teams {
		return tallystick.Errorf(tallystick.Invalid, "a subscription of channel %s takes no template: its messages have a form of their own", channel).
			WithHint("use channel webhook or email")
	}
	return checkTemplate(t.Template)
}

func unique(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}

// Update is what is to be changed of a subscription; nil fields stay.
type Update struct {
	Topics, Models, Environments *[]string
	Template                     *string
	Address                      *KeptAddress
}

// Update proposes to change a subscription; nil if it is so already.
func (s *Store) Update(tx *state.Tx, name string, u Update) (trail.Change, error) {
	is, err := s.SubscriptionIn(tx, name)
	if err != nil {
		return nil, err
	}
	c := &Updated{Subscription: is.ID, Name: is.Name, Terms: Terms{
		Topics: is.Topics, Models: is.Models, Environments: is.Environments, Template: is.Template, Host: is.Host, Address: is.address,
	}}
	if err := tx.QueryRow("SELECT coalesce(address_digest, '') FROM subscriptions WHERE id = ?", is.ID).Scan(&c.AddressDigest); err != nil {
		return nil, fmt.Errorf("read a subscription: %w", err)
	}
	for to, from := range map[*[]string]*[]string{&c.Topics: u.Topics, &c.Models: u.Models, &c.Environments: u.Environments} {
		if from != nil {
			*to = *from
		}
	}
	if u.Template != nil {
		c.Template = *u.Template
	}
	moved := u.Address != nil // the same address too: its file may have been lost with the disk
	if moved {
		c.Host, c.Address, c.AddressDigest = u.Address.host, u.Address.ID, u.Address.digest
	}
	if err := c.normalise(is.Channel); err != nil {
		return nil, err
	}
	same := slices.Equal(c.Topics, is.Topics) && slices.Equal(c.Models, is.Models) && slices.Equal(c.Environments, is.Environments) && c.Template == is.Template
	if same && !moved {
		return nil, nil
	}
	return c, nil
}

// Mark proposes to pause or resume a subscription; nil if it is so already.
func (s *Store) Mark(tx *state.Tx, name string, to State) (trail.Change, error) {
	is, err := s.SubscriptionIn(tx, name)
	if err != nil || is.State == to {
		return nil, err
	}
	return &Marked{Subscription: is.ID, Name: is.Name, State: to}, nil
}

// Rotate proposes another secret. The one before goes on signing beside it for overlap; 0 means a day.
func (s *Store) Rotate(tx *state.Tx, name string, secret KeptSecret, overlap time.Duration) (trail.Change, error) {
	is, err := s.SubscriptionIn(tx, name)
	switch {
	case err != nil:
		return nil, err
	case is.Channel != Webhook:
		return nil, tallystick.Errorf(tallystick.Invalid, "subscription %s signs nothing: its channel is %s", is.Name, is.Channel).
			WithHint("give it another address: `tallystick notify update %s`", is.Name)
	case overlap == 0:
		overlap = defaultOverlap
	case overlap < 0 || overlap > maxOverlap:
		return nil, tallystick.Errorf(tallystick.Invalid, "two secrets cannot both sign for %s", overlap).WithHint("at most 30 days")
	}
	return &Rotated{
		Subscription: is.ID, Name: is.Name, Secret: secret.ID, SecretDigest: secret.Secret.Digest(), BeforeEndsMS: tx.Now().Add(overlap).UnixMilli(),
	}, nil
}

// Remove proposes to end a subscription.
func (s *Store) Remove(tx *state.Tx, name string) (trail.Change, error) {
	is, err := s.SubscriptionIn(tx, name)
	if err != nil {
		return nil, err
	}
	return &Removed{Subscription: is.ID, Name: is.Name}, nil
}

// Test proposes to tell a subscription of the proposal's own event, whatever its topics: by the way and
// in the order of all notifications.
func (s *Store) Test(tx *state.Tx, name string) (trail.Change, error) {
	is, err := s.SubscriptionIn(tx, name)
	switch {
	case err != nil:
		return nil, err
	case is.State == Paused:
		return nil, tallystick.Errorf(tallystick.Conflict, "subscription %s is paused", is.Name).WithHint("resume it first: `tallystick notify resume %s`", is.Name)
	}
	return &Tested{Subscription: is.ID, Name: is.Name}, nil
}

// Retry proposes to try the notification in front at once; nil if nothing was tried in vain.
func (s *Store) Retry(tx *state.Tx, name string) (trail.Change, error) {
	is, err := s.SubscriptionIn(tx, name)
	if err != nil || is.Delivery.Attempts == 0 {
		return nil, err
	}
	return &Retried{Subscription: is.ID, Name: is.Name}, nil
}

// Skip proposes to give up the notification in front, which must be the given one and have been tried
// in vain.
func (s *Store) Skip(tx *state.Tx, name string, number uint64) (trail.Change, error) {
	is, err := s.SubscriptionIn(tx, name)
	if err != nil {
		return nil, err
	}
	c := &Skipped{Subscription: is.ID, Name: is.Name, Number: number}
	err = tx.QueryRow("SELECT n.sequence, n.event_id FROM notifications n WHERE n.subscription = ? AND n.number = ? AND n.state = ?", is.ID, number, pending).Scan(&c.Sequence, &c.Event)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, tallystick.Errorf(tallystick.Conflict, "notification %d of subscription %s is not in front, tried in vain", number, is.Name).
			WithHint("`tallystick notify deliveries %s` shows which one is", is.Name)
	case err != nil:
		return nil, fmt.Errorf("read a notification: %w", err)
	}
	return c, nil
}
