package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/notify"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// AddressChecker says whether the server would speak to an address. A program that asks its own
// workspace has none: the server that delivers later looks itself.
type AddressChecker interface {
	Check(channel notify.Channel, a notify.Address) error
}

// Subscribed is a subscription with the secret that its webhooks are signed with, which is shown once.
type Subscribed struct {
	Subscription notify.Subscription `json:"subscription"`
	Secret       string              `json:"secret,omitempty" doc:"of a webhook: whsec_ and base64, as Standard Webhooks has it"`
}

// NotifyAddress is where a subscription is told. It is not shown again.
type NotifyAddress struct {
	URL           string   `json:"url,omitempty" maxLength:"2048" doc:"of a webhook, or of the incoming webhook of a chat"`
	Authorization string   `json:"authorization,omitempty" maxLength:"2048" doc:"header of that name, for ticket systems that ask for a token"`
	To            []string `json:"to,omitempty" maxItems:"20" doc:"of e-mail"`
}

func (a NotifyAddress) address() notify.Address {
	return notify.Address{URL: a.URL, Authorization: a.Authorization, To: a.To}
}

// Unsubscribed names a subscription that has ended.
type Unsubscribed struct {
	Removed string `json:"removed" doc:"as it was named in the request"`
}

type subscribeInput struct {
	Request
	Body struct {
		Name         string         `json:"name" minLength:"1" maxLength:"128"`
		Channel      notify.Channel `json:"channel" enum:"webhook,email,slack,teams"`
		Topics       []string       `json:"topics" minItems:"1" maxItems:"64" doc:"topics, types of events, families such as model.*, or *"`
		Models       []string       `json:"models,omitempty" maxItems:"100" doc:"of which it is told; absent: all"`
		Environments []string       `json:"environments,omitempty" maxItems:"100" doc:"of which it is told; absent: all"`
		Template     string         `json:"template,omitempty" maxLength:"16384" doc:"text/template of the body, such as a ticket's JSON"`
		Address      NotifyAddress  `json:"address"`
	}
}

// OnSubscription names a subscription.
type OnSubscription struct {
	Name string `path:"subscription" maxLength:"128" doc:"name or id"`
}

type subscriptionInput struct {
	Request
	OnSubscription
}

type updateSubscriptionInput struct {
	Request
	OnSubscription
	Body struct {
		Topics       *[]string      `json:"topics,omitempty" maxItems:"64"`
		Models       *[]string      `json:"models,omitempty" maxItems:"100" doc:"empty: all"`
		Environments *[]string      `json:"environments,omitempty" maxItems:"100" doc:"empty: all"`
		Template     *string        `json:"template,omitempty" maxLength:"16384" doc:"empty: none"`
		Address      *NotifyAddress `json:"address,omitempty"`
		State        notify.State   `json:"state,omitempty" enum:"active,paused"`
	}
}

type rotateInput struct {
	Request
	OnSubscription
	Body struct {
		Hours int `json:"hours,omitempty" minimum:"1" maximum:"720" doc:"for how long the secret before signs too; absent: 24"`
	}
}

type retryInput struct {
	Request
	OnSubscription
	Body struct {
		Skip uint64 `json:"skip,omitempty" maximum:"9007199254740991" doc:"number of the notification in front, to give it up; absent: it is tried again at once"`
	}
}

func (s *server) notifications() {
	s.readNotifications()
	huma.Register(s.huma, operation("create-subscription", http.MethodPost, "/subscriptions", "Tell somebody of events from now on", "notification", http.StatusConflict),
		func(ctx context.Context, in *subscribeInput) (*reply[Subscribed], error) {
			n := notify.New{
				Name: in.Body.Name, Channel: in.Body.Channel, Topics: in.Body.Topics, Models: in.Body.Models, Environments: in.Body.Environments, Template: in.Body.Template,
			}
			return s.kept(ctx, "create-subscription", *in, in.Body.Name, func() (kept []string, err error) {
				if n.Address, err = s.keepAddress(n.Channel, in.Body.Address.address()); err != nil {
					return nil, err
				}
				kept = append(kept, n.Address.ID)
				if n.Channel == notify.Webhook {
					n.Secret, err = s.Notify.KeepSecret()
					kept = append(kept, n.Secret.ID)
				}
				return kept, err
			}, func(tx *state.Tx) (trail.Change, error) { return s.Notify.Subscribe(tx, n) }, func() string { return revealed(n.Secret) })
		})
	huma.Register(s.huma, operation("rotate-subscription", http.MethodPost, "/subscriptions/{subscription}/secret", "Sign with another secret", "notification", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in *rotateInput) (*reply[Subscribed], error) {
			var secret notify.KeptSecret
			return s.kept(ctx, "rotate-subscription", *in, in.Name, func() (_ []string, err error) {
				secret, err = s.Notify.KeepSecret()
				return []string{secret.ID}, err
			}, func(tx *state.Tx) (trail.Change, error) {
				return s.Notify.Rotate(tx, in.Name, secret, time.Duration(in.Body.Hours)*time.Hour)
			}, func() string { return revealed(secret) })
		})
	huma.Register(s.huma, operation("update-subscription", http.MethodPatch, "/subscriptions/{subscription}", "Change a subscription, pause or resume it", "notification", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in *updateSubscriptionInput) (*reply[Subscribed], error) {
			u := notify.Update{Topics: in.Body.Topics, Models: in.Body.Models, Environments: in.Body.Environments, Template: in.Body.Template}
			return s.kept(ctx, "update-subscription", *in, in.Name, func() ([]string, error) {
				if in.Body.Address == nil {
					return nil, nil
				}
				is, err := s.Notify.Subscription(ctx, in.Name)
				if err != nil {
					return nil, err
				}
				address, err := s.keepAddress(is.Channel, in.Body.Address.address())
				u.Address = &address
				return []string{address.ID}, err
			}, func(tx *state.Tx) (trail.Change, error) {
				if in.Body.State != "" {
					if u != (notify.Update{}) {
						return nil, tallystick.Errorf(tallystick.Invalid, "a subscription is paused or resumed by itself, not with other changes")
					}
					return s.Notify.Mark(tx, in.Name, in.Body.State)
				}
				return s.Notify.Update(tx, in.Name, u)
			}, nil)
		})
	s.steerNotifications()
}

func (s *server) readNotifications() {
	ask(s, operation("list-topics", http.MethodGet, "/topics", "List what can be told under a name of its own", "notification"),
		func(ctx context.Context, _ *struct{}) (page[notify.Topic], error) {
			return page[notify.Topic]{Items: notify.Topics()}, s.may(ctx, access.CatalogRead, whole, "")
		})
	ask(s, operation("list-subscriptions", http.MethodGet, "/subscriptions", "List who is told of what, and how it goes", "notification"),
		func(ctx context.Context, in *Paging) (page[notify.Subscription], error) {
			if err := s.may(ctx, access.NotifyRead, whole, ""); err != nil {
				return page[notify.Subscription]{}, err
			}
			found, err := s.Notify.Subscriptions(ctx, in.After, in.Limit+1)
			return pageOf(found, in.Limit, func(n notify.Subscription) string { return n.Name }), err
		})
	ask(s, operation("get-subscription", http.MethodGet, "/subscriptions/{subscription}", "Get a subscription, and how it goes", "notification", http.StatusNotFound),
		func(ctx context.Context, in *OnSubscription) (notify.Subscription, error) {
			if err := s.may(ctx, access.NotifyRead, subscriptionResource(in.Name), ""); err != nil {
				return notify.Subscription{}, err
			}
			return s.Notify.Subscription(ctx, in.Name)
		})
	ask(s, operation("list-deliveries", http.MethodGet, "/subscriptions/{subscription}/deliveries", "List the last notifications of a subscription, newest first", "notification", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			OnSubscription
			Newest
		},
		) (page[notify.Notification], error) {
			if err := s.may(ctx, access.NotifyRead, subscriptionResource(in.Name), ""); err != nil {
				return page[notify.Notification]{}, err
			}
			found, err := s.Notify.Notifications(ctx, in.Name, in.After, in.Limit+1)
			return pageOf(found, in.Limit, func(n notify.Notification) string { return utoa(n.Number) }), err
		})
}

// steerNotifications registers what changes a subscription without a secret.
func (s *server) steerNotifications() {
	manage := func(name string, propose func(tx *state.Tx) (trail.Change, error)) (registry.Command, func(tx *state.Tx) (notify.Subscription, error)) {
		return registry.Command{Action: access.NotifyManage, Resource: subscriptionResource(name), Propose: single(propose)},
			func(tx *state.Tx) (notify.Subscription, error) { return s.Notify.SubscriptionIn(tx, name) }
	}
	act(s, operation("remove-subscription", http.MethodDelete, "/subscriptions/{subscription}", "Tell a subscription no more", "notification", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in subscriptionInput) (registry.Command, func(tx *state.Tx) (Unsubscribed, error)) {
			c, _ := manage(in.Name, func(tx *state.Tx) (trail.Change, error) { return s.Notify.Remove(tx, in.Name) })
			return c, func(*state.Tx) (Unsubscribed, error) { return Unsubscribed{in.Name}, nil }
		})
	act(s, operation("test-subscription", http.MethodPost, "/subscriptions/{subscription}/test", "Tell a subscription of this test, whatever its topics", "notification", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in subscriptionInput) (registry.Command, func(tx *state.Tx) (notify.Subscription, error)) {
			return manage(in.Name, func(tx *state.Tx) (trail.Change, error) { return s.Notify.Test(tx, in.Name) })
		})
	act(s, operation("retry-subscription", http.MethodPost, "/subscriptions/{subscription}/retry", "Try the notification in front at once, or give it up", "notification", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in retryInput) (registry.Command, func(tx *state.Tx) (notify.Subscription, error)) {
			return manage(in.Name, func(tx *state.Tx) (trail.Change, error) {
				if in.Body.Skip > 0 {
					return s.Notify.Skip(tx, in.Name, in.Body.Skip)
				}
				return s.Notify.Retry(tx, in.Name)
			})
		})
}

func subscriptionResource(name string) trail.Resource {
	return trail.Resource{Type: "subscription", ID: name}
}

// keepAddress keeps an address that the server would speak to.
func (s *server) keepAddress(channel notify.Channel, a notify.Address) (notify.KeptAddress, error) {
	if s.Addresses != nil {
		if err := s.Addresses.Check(channel, a); err != nil {
			return notify.KeptAddress{}, err
		}
	}
	return s.Notify.KeepAddress(channel, a)
}

func revealed(s notify.KeptSecret) string {
	if s.ID == "" {
		return ""
	}
	return s.Secret.Reveal()
}

// kept carries out a command for which an address or a secret is kept first, and forgets it if the
// command is not carried out. A secret is shown once: a repetition of the command is told so.
func (s *server) kept(ctx context.Context, operation string, in acting, name string, keep func() ([]string, error),
	propose func(tx *state.Tx) (trail.Change, error), reveal func() string,
) (*reply[Subscribed], error) {
	c := registry.Command{Principal: caller(ctx), Action: access.NotifyManage, Resource: subscriptionResource(name), Purpose: in.asked().Purpose}
	if err := s.Registry.May(ctx, c); err != nil { // before anything is kept for it
		return nil, s.problem(err)
	}
	var err error
	if c.Retry, err = retry(operation, in); err != nil {
		return nil, s.problem(err)
	}
	ids, err := keep()
	if err != nil {
		s.Notify.Vault().Discard(ids...)
		return nil, s.problem(err)
	}
	c.Propose = single(propose)
	c.Answer = func(tx *state.Tx) (any, error) { return s.Notify.SubscriptionIn(tx, name) }
	done, err := s.Registry.Do(ctx, c)
	if err != nil || done.Repeated || done.Changes == 0 {
		if !errors.Is(err, state.ErrOutcomeUnknown) { // what stays without need is swept
			s.Notify.Vault().Discard(ids...)
		}
	}
	if err != nil {
		return nil, s.problem(err)
	}
	out := replied[Subscribed](done)
	if err := json.Unmarshal(done.Answer, &out.Body.Subscription); err != nil {
		return nil, s.problem(err)
	}
	if reveal != nil {
		if out.Body.Secret = reveal(); done.Repeated && out.Body.Secret != "" {
			return nil, s.problem(tallystick.Errorf(tallystick.Conflict, "this was done before, for the same idempotency key, and the secret is shown once").
				WithHint("make another: `tallystick notify rotate %s`", name))
		}
	}
	return out, nil
}
