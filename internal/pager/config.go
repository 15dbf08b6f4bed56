package pager

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/prometheus/alertmanager/config"

	"github.com/tallystick/tallystick"
)

// maxConfig bounds a configuration, in bytes.
const maxConfig = 1 << 20

// Guard says whether a URL may be spoken to. *dial.Client does.
type Guard interface{ Check(rawURL string) error }

// Load reads a configuration of Alertmanager. An error is Invalid, one line, and names the file.
func Load(file string, guard Guard) (*config.Config, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "configuration of alerts: %w", err).WithHint("--alertmanager-config names a file as Alertmanager reads it")
	}
	if info.Size() > maxConfig {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s has %d bytes; a configuration of alerts has at most %d", file, info.Size(), int64(maxConfig))
	}
	c, err := read(file)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s: %s", file, oneLine(err)).WithHint("it is written as https://prometheus.io/docs/alerting/latest/configuration/ says; docs/alerts.md has one to begin with")
	}
	for i := range c.Receivers {
		if err := check(&c.Receivers[i], guard); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return c, nil
}

// read reads a file as Alertmanager does, whose reader panics about a route or a receiver that is empty.
func read(file string) (c *config.Config, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = errors.New("a route, a receiver or another entry of a list is empty")
		}
	}()
	return config.LoadFile(file)
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// check refuses a receiver of a kind that is not built in, and addresses that may not be spoken to as far as they stand in
// the file; those in files of secrets are looked at when a connection is made.
func check(r *config.Receiver, guard Guard) error {
	for kind, n := range map[string]int{
		"discord": len(r.DiscordConfigs), "incidentio": len(r.IncidentioConfigs), "wechat": len(r.WechatConfigs), "pushover": len(r.PushoverConfigs),
		"victorops": len(r.VictorOpsConfigs), "sns": len(r.SNSConfigs), "telegram": len(r.TelegramConfigs), "webex": len(r.WebexConfigs),
		"msteams": len(r.MSTeamsConfigs), "rocketchat": len(r.RocketchatConfigs), "mattermost": len(r.MattermostConfigs),
	} {
		if n > 0 {
			return tallystick.Errorf(tallystick.Invalid, "receiver %q has %s_configs, which are not built in", r.Name, kind).
				WithHint("there are webhook, email, slack, pagerduty, opsgenie, msteamsv2 and jira; any other goes through an Alertmanager of your own: --alertmanager-url")
		}
	}
	var urls []string
	for _, c := range r.WebhookConfigs {
		urls = append(urls, string(c.URL))
	}
	for _, c := range r.SlackConfigs {
		if c.APIURL != nil && c.APIURL.URL != nil {
			urls = append(urls, c.APIURL.URL.String())
		}
	}
	for _, c := range r.PagerdutyConfigs {
		if c.URL != nil && c.URL.URL != nil {
			urls = append(urls, c.URL.URL.String())
		}
	}
	for _, c := range r.OpsGenieConfigs {
		if c.APIURL != nil && c.APIURL.URL != nil {
			urls = append(urls, c.APIURL.URL.String())
		}
	}
	for _, c := range r.JiraConfigs {
		if c.APIURL != nil && c.APIURL.URL != nil {
			urls = append(urls, c.APIURL.URL.String())
		}
	}
	for _, c := range r.EmailConfigs {
		urls = append(urls, "https://"+net.JoinHostPort(c.Smarthost.Host, c.Smarthost.Port)) // of the list, the host and the port alone count
	}
	for _, u := range urls {
		if strings.Contains(u, "{{") || u == "" {
			continue
		}
		if err := guard.Check(u); err != nil {
			words, _ := tallystick.Words(err)
			return tallystick.Errorf(tallystick.Invalid, "receiver %q: %s", r.Name, words).WithHint("the operator allows it with `tallystick serve --notify-to %s`", entryOf(u))
		}
	}
	return nil
}

func entryOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "HOST"
	}
	if u.Scheme == "http" {
		return "http://" + u.Host
	}
	return u.Host
}
