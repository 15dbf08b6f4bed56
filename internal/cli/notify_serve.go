package cli

import (
	"log/slog"
	"net/url"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/dial"
	"github.com/tallystick/tallystick/internal/notify"
	"github.com/tallystick/tallystick/internal/workspace"
)

const (
	notifyConnect = 5 * time.Second
	notifyHeader  = 10 * time.Second
	notifyTotal   = 15 * time.Second
	notifyAnswer  = 64 << 10 // bytes
)

// notifyFlags say how a server tells others of events.
type notifyFlags struct {
	allow                            []string
	base                             string
	smtp, smtpFrom, smtpPasswordFile string
	alertConfig                      string
	alertTargets                     []string
}

func (f *notifyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.allow, "notify-to", nil, "a `host` that notifications may go to: host, host:port, .suffix, http://host:port; a private one needs its network too, such as 10.1.0.0/16")
	flags.StringVar(&f.base, "public-url", "", "the `URL` at which people find this server, for links in notifications")
	flags.StringVar(&f.alertConfig, "alertmanager-config", "", "tell people of alerts by this configuration, a `file` as Prometheus Alertmanager reads it")
	flags.StringSliceVar(&f.alertTargets, "alertmanager-url", nil, "push alerts to the Alertmanager at this `URL`")
	flags.StringVar(&f.smtp, "smtp", "", "the mail server for notifications, as smtp://[USER@]HOST:587 or smtps://[USER@]HOST:465")
	flags.StringVar(&f.smtpFrom, "smtp-from", "", "the sender's `address`")
	flags.StringVar(&f.smtpPasswordFile, "smtp-password-file", "", "a `file` with the password of the mail server's user")
}

// courier returns who tells subscriptions, with everything that goes out behind one guard.
func (f *notifyFlags) courier(h house, logger *slog.Logger) (*notify.Courier, *dial.Client, error) {
	config := notify.CourierConfig{Store: h.notify, Trail: h.Trail, Source: h.Origin(), Base: f.base, Logger: logger}
	if f.base != "" {
		if u, err := url.Parse(f.base); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" {
			return nil, nil, tallystick.Errorf(tallystick.Invalid, "--public-url %q is no URL of a server", f.base).WithHint("such as https://tallystick.example.org")
		}
	}
	entries := f.allow
	if f.smtp != "" {
		var password string
		if f.smtpPasswordFile != "" {
			var err error
			if password, err = secretFile(f.smtpPasswordFile); err != nil {
				return nil, nil, err
			}
		}
		mail, err := notify.ParseMailServer(f.smtp, f.smtpFrom, password)
		if err != nil {
			return nil, nil, err
		}
		config.Mail = &mail
		entries = append([]string{mail.AllowEntry()}, entries...)
	} else if f.smtpFrom != "" || f.smtpPasswordFile != "" {
		return nil, nil, tallystick.Errorf(tallystick.Invalid, "--smtp-from and --smtp-password-file need --smtp")
	}
	if len(entries) > 0 {
		allow, err := dial.ParseAllowList(entries)
		if err != nil {
			return nil, nil, err
		}
		config.Client = dial.New(dial.Config{Allow: allow, Connect: notifyConnect, Header: notifyHeader, Total: notifyTotal, MaxBytes: notifyAnswer})
	}
	return notify.NewCourier(config), config.Client, nil
}

// subscriptions returns the store of subscriptions of a workspace.
func subscriptions(w *workspace.Workspace) *notify.Store {
	return notify.NewStore(notify.StoreConfig{DB: w.DB, Vault: notify.NewVault(filepath.Join(w.Dir(), "notify"))})
}
