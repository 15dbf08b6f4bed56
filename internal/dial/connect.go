package dial

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/tallystick/tallystick"
)

// Connect opens a connection for another protocol than HTTP, such as SMTP. The list must allow the host
// with that port, and the address is looked at as for a request. A proxy is not used. Whoever speaks
// over it bounds time and bytes.
func (c *Client) Connect(ctx context.Context, host string, port uint16) (net.Conn, error) {
	target := net.JoinHostPort(host, strconv.Itoa(int(port)))
	if err := c.config.Allow.allowsURL(&url.URL{Scheme: "https", Host: target}); err != nil {
		c.refused.Add(1)
		return nil, err
	}
	c.sent.Add(1)
	conn, err := c.dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return nil, c.explainConnect(ctx, target, err)
	}
	return conn, nil
}

// TLS returns the configuration of TLS with a host over such a connection.
func (c *Client) TLS(host string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.config.Roots, ServerName: host}
}

func (c *Client) explainConnect(ctx context.Context, target string, err error) error {
	if refused := asForbidden(err); refused != nil {
		c.refused.Add(1)
		return tallystick.Errorf(tallystick.Forbidden, "connect to %.200s: %w", target, refused)
	}
	c.failed.Add(1)
	if ctx.Err() != nil {
		return fmt.Errorf("connect to %.200s: %w", target, err)
	}
	return tallystick.Errorf(tallystick.Unavailable, "connect to %.200s: %w", target, err).
		WithHint("see that the host runs and that this machine reaches it")
}
