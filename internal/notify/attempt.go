package notify

import (
	"context"
	"errors"

	"github.com/tallystick/tallystick"
)

// attempt sends one notification. The time in its headers is that of the attempt, its id and its body
// are always the same.
func (c *Courier) attempt(ctx context.Context, s Subscription, i item, number uint64) (status int, failed *fault) {
	to, err := c.config.Store.config.Vault.address(s.address)
	if err != nil {
		return 0, &fault{err: err}
	}
	m := i.message(s, number, c.config.Source, c.config.Base)
	id := messageID(s.ID, i.ID)
	switch s.Channel {
	case Slack, Teams:
		write := slackMessage
		if s.Channel == Teams {
			write = teamsMessage
		}
		body, err := write(m.Data)
		if err != nil {
			return 0, &fault{err: err}
		}
		return c.post(ctx, to, map[string]string{"Content-Type": "application/json"}, body)
	case Email:
		if err := c.mail(ctx, s, to, m.Data, id); err != nil {
			return 0, &fault{err: err}
		}
		return 0, nil
	}
	body, kind, err := content(s, m)
	if err != nil {
		return 0, &fault{err: err}
	}
	var secrets []Secret
	for _, known := range s.Signing {
		secret, err := c.config.Store.config.Vault.secret(known.ID)
		if err != nil {
			return 0, &fault{err: err}
		}
		secrets = append(secrets, secret)
	}
	if len(secrets) == 0 {
		return 0, &fault{err: errors.New("the subscription has no secret to sign with")}
	}
	return c.post(ctx, to, webhookHeaders(id, c.config.Now(), secrets, body, kind), body)
}

// content returns the body of a webhook: the message, or what the subscription's template makes of it.
func content(s Subscription, m Message) (body []byte, kind string, err error) {
	if s.Template == "" {
		body, err = encode(m)
		return body, "application/json", err
	}
	t, err := parseTemplate(s.Template)
	if err != nil {
		return nil, "", err
	}
	body, err = render(t, m.Data)
	return body, contentType(body), err
}

func (c *Courier) mail(ctx context.Context, s Subscription, to Address, d Data, id string) error {
	if c.config.Mail == nil || c.config.Client == nil {
		return tallystick.Errorf(tallystick.Unavailable, "this server sends no e-mail").WithHint("start it with --smtp URL and --smtp-from ADDRESS")
	}
	body := mailText(d)
	if s.Template != "" {
		t, err := parseTemplate(s.Template)
		if err != nil {
			return err
		}
		if body, err = render(t, d); err != nil {
			return err
		}
	}
	message, err := c.config.Mail.compose(to.To, "[Tallystick] "+d.Sentence, id, c.config.Now(), body)
	if err != nil {
		return err
	}
	return c.config.Mail.send(ctx, c.config.Client, to.To, message)
}
