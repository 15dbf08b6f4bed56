package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/dial"
)

const (
	maxSubject  = 200      // bytes
	maxDialogue = 64 << 10 // bytes that an SMTP server may say
)

// MailServer is the server that e-mail goes through.
type MailServer struct {
	Host     string
	Port     uint16
	TLS      bool   // from the first byte (port 465); else STARTTLS, which a server of another machine must offer
	From     string // address of the sender
	User     string // empty: no authentication
	Password string
}

// ParseMailServer reads smtp://[USER@]HOST[:587] or smtps://[USER@]HOST[:465].
func ParseMailServer(text, from, password string) (MailServer, error) {
	invalid := func(fault string) (MailServer, error) {
		return MailServer{}, tallystick.Errorf(tallystick.Invalid, "the mail server %s", fault).
			WithHint("write smtp://user@mail.example.org:587, or smtps:// for TLS from the first byte; its password comes from a file")
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return invalid("is no URL of a host")
	}
	m := MailServer{Host: u.Hostname(), From: from, Password: password}
	switch u.Scheme {
	case "smtp":
		m.Port = 587
	case "smtps":
		m.Port, m.TLS = 465, true
	default:
		return invalid("is of neither scheme smtp nor smtps")
	}
	if u.Port() != "" {
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || port == 0 {
			return invalid("has no usable port")
		}
		m.Port = uint16(port)
	}
	if u.User != nil {
		if _, has := u.User.Password(); has {
			return invalid("has a password in its URL, where others can read it")
		}
		m.User = u.User.Username()
	}
	if (m.User == "") != (m.Password == "") {
		return invalid("has a user or a password, and not both")
	}
	if _, err := (Address{To: []string{from}}).checkMail(); err != nil {
		return MailServer{}, tallystick.Errorf(tallystick.Invalid, "the sender %.100q is no plain e-mail address", from)
	}
	return m, nil
}

// AllowEntry returns the entry of an allow-list that lets the server be spoken to.
func (m MailServer) AllowEntry() string { return net.JoinHostPort(m.Host, strconv.Itoa(int(m.Port))) }

// send hands one message to the server, for all recipients or none.
func (m MailServer) send(ctx context.Context, client *dial.Client, to []string, message []byte) (err error) {
	raw, err := client.Connect(ctx, m.Host, m.Port)
	if err != nil {
		return err
	}
	defer func() { _ = raw.Close() }() // Quit has ended the dialogue, or nothing can
	deadline, _ := ctx.Deadline()
	if err := raw.SetDeadline(deadline); err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	var conn net.Conn = &boundedConn{Conn: raw, left: maxDialogue}
	if m.TLS {
		conn = tls.Client(conn, client.TLS(m.Host))
	}
	defer func() { err = m.explain(err) }()
	c, err := smtp.NewClient(conn, m.Host)
	if err != nil {
		return err
	}
	if err := c.Hello(m.From[strings.LastIndexByte(m.From, '@')+1:]); err != nil {
		return err
	}
	if offered, _ := c.Extension("STARTTLS"); !m.TLS && offered {
		if err := c.StartTLS(client.TLS(m.Host)); err != nil {
			return err
		}
	} else if !m.TLS && !isLoopback(raw.RemoteAddr()) {
		return errors.New("it does not offer STARTTLS, and what is sent could be read on the way")
	}
	if m.User != "" {
		if err := c.Auth(smtp.PlainAuth("", m.User, m.Password, m.Host)); err != nil {
			return err
		}
	}
	if err := c.Mail(m.From); err != nil {
		return err
	}
	for _, recipient := range to {
		if err := c.Rcpt(recipient); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit() // it has taken the message; what it says now changes nothing
	return nil
}

// explain keeps what the server says to its number: the text may repeat addresses of people.
func (m MailServer) explain(err error) error {
	if err == nil {
		return nil
	}
	var answered *textproto.Error
	if errors.As(err, &answered) {
		return tallystick.Errorf(tallystick.Unavailable, "the mail server %s answered %d", m.Host, answered.Code)
	}
	return tallystick.Errorf(tallystick.Unavailable, "the mail server %s: %w", m.Host, err)
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// boundedConn ends what a server says after so many bytes.
type boundedConn struct {
	net.Conn
	left int
}

// Read implements io.Reader.
func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// compose returns a message of RFC 5322. Its Message-ID is that of the notification, so that a mailbox
// shows a repetition as one.
func (m MailServer) compose(to []string, subject, id string, at time.Time, body []byte) ([]byte, error) {
	var b bytes.Buffer
	from := mail.Address{Name: "Tallystick", Address: m.From}
	for _, header := range [][2]string{
		{"From", from.String()},
		{"To", strings.Join(to, ",\r\n ")},
		{"Subject", mime.QEncoding.Encode("utf-8", line(subject, maxSubject))},
		{"Date", at.Format(time.RFC1123Z)},
		{"Message-ID", "<" + id + "@" + m.From[strings.LastIndexByte(m.From, '@')+1:] + ">"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834: nobody on holiday answers
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		b.WriteString(header[0] + ": " + header[1] + "\r\n")
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	if _, err := w.Write(body); err != nil {
		return nil, fmt.Errorf("compose a mail: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compose a mail: %w", err)
	}
	return b.Bytes(), nil
}

// mailText returns what a mail says that has no template.
func mailText(d Data) []byte {
	var b strings.Builder
	b.WriteString(d.Sentence + "\n\n")
	for _, pair := range [][2]string{
		{"event", d.Event}, {"type", d.Kind}, {"time", d.Time}, {"place on the trail", strconv.FormatUint(d.Sequence, 10)},
		{"page", d.Links["page"]}, {"proof", d.Links["proof"]},
	} {
		if pair[1] != "" {
			b.WriteString(pair[0] + ": " + pair[1] + "\n")
		}
	}
	fmt.Fprintf(&b, "\nNotification %d of the subscription %s. A number that is missing was not delivered.\n", d.Number, d.Subscription)
	return []byte(b.String())
}
