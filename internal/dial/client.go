package dial

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tallystick/tallystick"
)

// Config says whom a client may speak to and how long it waits. Zero durations and sizes have
// defaults.
type Config struct {
	Allow AllowList
	// Proxy, if set, is a proxy that requests go through. Its host must be allowed too. The proxy
	// resolves names, so that only it can look at the addresses; the allow-list of hosts still counts.
	Proxy *url.URL
	// Roots are the certificate authorities; nil means those of the system.
	Roots *x509.CertPool

	Connect  time.Duration // of one address; 10 s
	TLS      time.Duration // handshake; 10 s
	Header   time.Duration // from the request sent to the first byte of the answer; 30 s
	Total    time.Duration // of a request with the body of its answer; 5 min
	Idle     time.Duration // until the next bytes of the body; 30 s
	MaxBytes int64         // of the body of an answer; 64 MiB

	// Resolver resolves names; nil means the system's.
	Resolver *net.Resolver
}

// The defaults of Config, and what is not configured.
const (
	defaultConnect  = 10 * time.Second
	defaultHeader   = 30 * time.Second
	defaultTotal    = 5 * time.Minute
	defaultIdle     = 30 * time.Second
	defaultMaxBytes = 64 << 20
	maxHeaderBytes  = 64 << 10
	idleTimeout     = 30 * time.Second
	maxIdle         = 2 // connections to one host
)

// Counts says what a client has done since it was made.
type Counts struct {
	Sent    uint64 // requests that the list allowed
	Refused uint64 // requests that it did not, or whose address it did not
	Failed  uint64 // requests without an answer for another reason
	Bytes   uint64 // of bodies received
}

// Client makes guarded requests. Its methods may be called by many goroutines at once.
type Client struct {
	config    Config
	special   []network
	dialer    *net.Dialer
	transport *http.Transport
	sent      atomic.Uint64
	refused   atomic.Uint64
	failed    atomic.Uint64
	bytes     atomic.Uint64
}

// New returns a client. It reads no environment.
func New(config Config) *Client {
	config.Connect = cmp.Or(config.Connect, defaultConnect)
	config.TLS = cmp.Or(config.TLS, defaultConnect)
	config.Header = cmp.Or(config.Header, defaultHeader)
	config.Total = cmp.Or(config.Total, defaultTotal)
	config.Idle = cmp.Or(config.Idle, defaultIdle)
	config.MaxBytes = cmp.Or(config.MaxBytes, defaultMaxBytes)
	c := &Client{config: config, special: specialNetworks()}
	c.dialer = &net.Dialer{Timeout: config.Connect, Resolver: config.Resolver, ControlContext: c.control}
	c.transport = &http.Transport{
		Proxy:                  http.ProxyURL(config.Proxy), // nil: none
		DialContext:            c.dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: config.Roots},
		TLSHandshakeTimeout:    config.TLS,
		ResponseHeaderTimeout:  config.Header,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    maxIdle,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // so that MaxBytes bounds what was sent and what is read alike
	}
	return c
}

// control is called with the address of every connection, after the name was resolved and before
// anything is sent.
func (c *Client) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return tallystick.Errorf(tallystick.Forbidden, "outgoing connection over %.10q refused", network)
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return tallystick.Errorf(tallystick.Forbidden, "outgoing connection to %.100q refused: it is no address", address)
	}
	return c.config.Allow.allowsAddress(at.Addr(), c.special)
}

// Check returns a Forbidden error unless the client would send a request to rawURL, as far as that
// can be told without resolving its host.
func (c *Client) Check(rawURL string) error {
	u, err := url.Parse(rawURL)
	if err != nil || u.Opaque != "" || u.Host == "" {
		return tallystick.Errorf(tallystick.Invalid, "%.200q is no URL that can be requested", redacted(rawURL))
	}
	return c.config.Allow.allowsURL(u)
}

// redacted returns what can be shown of a text that may be a URL with credentials.
func redacted(rawURL string) string {
	if u, err := url.Parse(rawURL); err == nil {
		return u.Redacted()
	}
	return "(not shown)"
}

// Do sends a request. A host or address that is not allowed is a Forbidden error, any other fault
// Unavailable. A redirect is an answer like others: the caller sees its status. The body of the
// answer ends with an Invalid error once it is longer than Config.MaxBytes, and with the time that
// Config.Total gives; the caller closes it.
func (c *Client) Do(r *http.Request) (*http.Response, error) {
	if r.URL == nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "outgoing request without a URL")
	}
	err := c.config.Allow.allowsURL(r.URL)
	if err == nil && c.config.Proxy != nil {
		err = c.config.Allow.allowsURL(&url.URL{Scheme: c.config.Proxy.Scheme, Host: c.config.Proxy.Host})
	}
	if err == nil && r.Host != "" && r.Host != r.URL.Host {
		err = tallystick.Errorf(tallystick.Forbidden, "outgoing request to %.100q claims to be for %.100q", r.URL.Host, r.Host)
	}
	if err != nil {
		c.refused.Add(1)
		if r.Body != nil { // as http.RoundTripper asks
			err = errors.Join(err, r.Body.Close())
		}
		return nil, err
	}
	c.sent.Add(1)
	ctx, cancel := context.WithTimeout(r.Context(), c.config.Total)
	answer, err := c.transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, c.explain(r, err)
	}
	if answer.ContentLength > c.config.MaxBytes {
		cancel()
		c.failed.Add(1)
		return nil, errors.Join(c.tooLong(r.URL.Host), answer.Body.Close())
	}
	answer.Body = &body{ReadCloser: answer.Body, client: c, host: r.URL.Host, left: c.config.MaxBytes, cancel: cancel, idle: time.AfterFunc(c.config.Idle, cancel)}
	return answer, nil
}

func (c *Client) explain(r *http.Request, err error) error {
	target := r.URL.Scheme + "://" + r.URL.Host
	if refused := asForbidden(err); refused != nil {
		c.refused.Add(1)
		return tallystick.Errorf(tallystick.Forbidden, "%s %.200s: %w", r.Method, target, refused)
	}
	c.failed.Add(1)
	if r.Context().Err() != nil {
		return fmt.Errorf("%s %.200s: %w", r.Method, target, err)
	}
	return tallystick.Errorf(tallystick.Unavailable, "%s %.200s: %w", r.Method, target, err).
		WithHint("see that the host runs and that this machine reaches it")
}

// asForbidden returns the refusal of an address in err's chain, nil if there is none.
func asForbidden(err error) *tallystick.Error {
	var refused *tallystick.Error
	if errors.As(err, &refused) && refused.Code == tallystick.Forbidden {
		return refused
	}
	return nil
}

func (c *Client) tooLong(host string) error {
	return tallystick.Errorf(tallystick.Invalid, "the answer of %.100q is longer than %d bytes", host, c.config.MaxBytes)
}

// Get sends a GET request; see Do.
func (c *Client) Get(ctx context.Context, rawURL string) (*http.Response, error) {
	if err := c.Check(rawURL); err != nil {
		c.refused.Add(1)
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "%.200q is no URL that can be requested", redacted(rawURL))
	}
	return c.Do(r)
}

// HTTPClient returns the client in the form that libraries take. It follows no redirects either.
func (c *Client) HTTPClient() *http.Client {
	return &http.Client{
		Transport:     roundTripper{c},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type roundTripper struct{ client *Client }

// RoundTrip implements http.RoundTripper.
func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return t.client.Do(r) }

// Counts returns what the client has done.
func (c *Client) Counts() Counts {
	return Counts{c.sent.Load(), c.refused.Load(), c.failed.Load(), c.bytes.Load()}
}

// CloseIdle closes the connections that wait for another request.
func (c *Client) CloseIdle() { c.transport.CloseIdleConnections() }

// body bounds the body of an answer.
type body struct {
	io.ReadCloser
	client *Client
	host   string
	left   int64
	cancel context.CancelFunc
	idle   *time.Timer // calls cancel
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one more tells whether there is more
	}
	b.idle.Reset(b.client.config.Idle)
	n, err := b.ReadCloser.Read(p)
	b.idle.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = tallystick.Errorf(tallystick.Unavailable, "the answer of %.100q broke off: %w", b.host, err).WithHint("try again")
	}
	b.client.bytes.Add(uint64(n))
	if int64(n) > b.left {
		n = int(b.left)
		b.left = 0
		return n, b.client.tooLong(b.host)
	}
	b.left -= int64(n)
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.idle.Stop()
	defer b.cancel()
	return b.ReadCloser.Close()
}
