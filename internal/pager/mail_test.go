package pager_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// postOffice is a real SMTP server, of which the mails come out of a channel.
type postOffice chan string

func (o postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &visit{office: o}, nil }

type visit struct {
	office postOffice
	to     string
}

func (*visit) Mail(string, *smtp.MailOptions) error { return nil }
func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.to = to
	return nil
}

func (v *visit) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	v.office <- v.to + "\n" + string(body)
	return err
}
func (*visit) Reset()        {}
func (*visit) Logout() error { return nil }

// TestMail: a receiver of e-mail gets one letter, with subject and words.
func TestMail(t *testing.T) {
	t.Parallel()
	office := make(postOffice, 10)
	server := smtp.NewServer(office)
	server.AllowInsecureAuth = true
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	s := newStation(t, fmt.Sprintf(`
global: {smtp_smarthost: "%s", smtp_from: tallystick@example.org, smtp_require_tls: false, smtp_hello: localhost}
route: {receiver: mail, group_by: [model], group_wait: 100ms, group_interval: 300ms}
receivers:
- name: mail
  email_configs: [{to: ana@example.org, headers: {Subject: "{{ .CommonAnnotations.summary }}"}, text: "{{ .CommonAnnotations.description }}", html: ""}]
`, listener.Addr()), "http://"+listener.Addr().String())
	s.fire("1", "RELP")
	s.run(t)
	select {
	case letter := <-office:
		for _, want := range []string{"ana@example.org\n", "Subject: drift of RELP: credit@3 in production", "69.6"} {
			if !strings.Contains(letter, want) {
				t.Errorf("letter has no %q:\n%s", want, letter)
			}
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("no letter came: %s", s.log.String())
	}
	select {
	case letter := <-office:
		t.Errorf("a second letter came:\n%s", letter)
	case <-time.After(time.Second):
	}
}
