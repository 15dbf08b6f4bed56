package notify

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/tallystick/tallystick"
)

// postOffice is a real SMTP server, of which the mails come out of a channel.
type postOffice struct {
	mails  chan letter
	secure bool // takes mail after STARTTLS and a password only
	mu     sync.Mutex
	refuse bool // under mu: recipients
}

type letter struct {
	from, body string
	to         []string
}

type visit struct {
	office *postOffice
	conn   *smtp.Conn
	letter letter
	known  bool
}

func (o *postOffice) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &visit{office: o, conn: c}, nil
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if v.known = user == "bob" && password == "mail-password"; !v.known {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (v *visit) Mail(from string, _ *smtp.MailOptions) error {
	if _, encrypted := v.conn.TLSConnectionState(); v.office.secure && (!encrypted || !v.known) {
		return smtp.ErrAuthRequired
	}
	v.letter = letter{from: from}
	return nil
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.office.mu.Lock()
	defer v.office.mu.Unlock()
	if v.office.refuse {
		return &smtp.SMTPError{Code: 550, Message: "nobody here is called " + to}
	}
	v.letter.to = append(v.letter.to, to)
	return nil
}

func (v *visit) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	v.letter.body = string(body)
	v.office.mails <- v.letter
	return err
}

func (*visit) Reset()        {}
func (*visit) Logout() error { return nil }

// open starts the server and returns its address and, if it speaks TLS, who vouches for it.
func (o *postOffice) open(t *testing.T) (address string, roots *x509.CertPool) {
	t.Helper()
	o.mails = make(chan letter, 100)
	s := smtp.NewServer(o)
	s.Domain, s.AllowInsecureAuth = "mail.test", false
	if o.secure {
		web := httptest.NewTLSServer(nil) // for its certificate, which is for 127.0.0.1
		defer web.Close()
		s.TLSConfig = &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}
		roots = x509.NewCertPool()
		roots.AddCert(web.Certificate())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String(), roots
}

func TestMail(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		secure         bool
		user, password string
		fault          string
	}{
		"plain on this machine":     {},
		"STARTTLS and a password":   {secure: true, user: "bob@", password: "mail-password"},
		"a wrong password":          {secure: true, user: "bob@", password: "wrong", fault: "answered 535"},
		"no password where need be": {secure: true, fault: "answered 502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, office := newHouse(t), &postOffice{secure: test.secure}
			address, roots := office.open(t)
			server, err := ParseMailServer("smtp://"+test.user+address, "tallystick@example.org", test.password)
			if err != nil {
				t.Fatal(err)
			}
			h.subscribe(t, "risk", Email, Address{To: []string{"ana@example.org", "bea@example.net"}}, nil)
			config := h.config(t, func(c *CourierConfig) { c.Mail = &server }, roots, server.AllowEntry())
			h.run(t, config)
			id := h.raise(t, "credit", "production")
			if test.fault != "" {
				until(t, "the fault shows", func() bool { return strings.Contains(h.subscription(t, "risk").Delivery.Fault, test.fault) })
				return
			}
			var got letter
			select {
			case got = <-office.mails:
			case <-time.After(2 * time.Minute):
				t.Fatal("no mail: " + h.subscription(t, "risk").Delivery.Fault)
			}
			if got.from != "tallystick@example.org" || strings.Join(got.to, " ") != "ana@example.org bea@example.net" {
				t.Errorf("from %s to %v", got.from, got.to)
			}
			m, err := mail.ReadMessage(strings.NewReader(got.body))
			if err != nil {
				t.Fatal(err)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
			if err != nil || !strings.HasPrefix(subject, "[Tallystick] A person raised a finding about credit@4 in production") {
				t.Errorf("subject %q, %v", subject, err)
			}
			if m.Header.Get("Bcc") != "" || m.Header.Get("Message-Id") != "<"+messageID(h.subscription(t, "risk").ID, id)+"@example.org>" {
				t.Errorf("header %v", m.Header)
			}
			text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
			if err != nil || !strings.Contains(string(text), id) || strings.Contains(string(text), "sealed ") || strings.Contains(string(text), "alice") {
				t.Errorf("%v: %s", err, text)
			}
		})
	}
}

// A recipient that the server refuses is a fault, in which nobody's address is repeated; nobody gets
// the mail before all do.
func TestMailRecipientRefused(t *testing.T) {
	t.Parallel()
	h, office := newHouse(t), &postOffice{refuse: true}
	address, _ := office.open(t)
	server, err := ParseMailServer("smtp://"+address, "tallystick@example.org", "")
	if err != nil {
		t.Fatal(err)
	}
	h.subscribe(t, "risk", Email, Address{To: []string{"ana@example.org"}}, func(n *New) { n.Template = "{{upper .model}}: {{.sentence}}" })
	h.run(t, h.config(t, func(c *CourierConfig) { c.Mail = &server }, nil, server.AllowEntry()))
	h.raise(t, "credit", "production")
	until(t, "it is failing", func() bool { return h.subscription(t, "risk").Delivery.Status == Failing })
	if f := h.subscription(t, "risk").Delivery.Fault; !strings.Contains(f, "550") || strings.Contains(f, "ana") {
		t.Errorf("fault %q", f)
	}
	office.mu.Lock()
	office.refuse = false
	office.mu.Unlock()
	if got := <-office.mails; !strings.Contains(got.body, "CREDIT: A person raised") {
		t.Errorf("mail %s", got.body)
	}
}

func TestParseMailServer(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"smtp://mail.example.org": true, "smtps://mail.example.org:4465": true, "smtp://bob@mail.example.org": false, // without its password
		"smtp://bob:secret@mail.example.org": false, "http://mail.example.org": false, "smtp://": false, "smtp://mail.example.org/x": false, "mail.example.org": false,
		"smtp://mail.example.org:0": false,
	} {
		if _, err := ParseMailServer(text, "a@example.org", ""); (err == nil) != ok || err != nil && tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", text, err)
		} else if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error repeats the password: %v", text, err)
		}
	}
}
