package dial_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/dial"
)

// TestConnect: the guard of requests is that of connections too.
func TestConnect(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := netip.MustParseAddrPort(l.Addr().String())
	for name, test := range map[string]struct {
		allow []string
		code  tallystick.Code
	}{
		"nothing allowed":      {nil, tallystick.Forbidden},
		"the host alone":       {[]string{at.String()}, tallystick.Forbidden},
		"another port":         {[]string{"127.0.0.1:1", "127.0.0.0/8"}, tallystick.Forbidden},
		"host and network":     {[]string{at.String(), "127.0.0.0/8"}, ""},
		"the network, no host": {[]string{"127.0.0.0/8"}, tallystick.Forbidden},
	} {
		list, err := dial.ParseAllowList(test.allow)
		if err != nil {
			t.Fatal(err)
		}
		c := dial.New(dial.Config{Allow: list})
		conn, err := c.Connect(t.Context(), "127.0.0.1", at.Port())
		if tallystick.CodeOf(err) != test.code || (conn != nil) != (test.code == "") {
			t.Errorf("%s: %v", name, err)
		}
		if conn != nil {
			_ = conn.Close() // nothing was said
		}
		if counts := c.Counts(); (counts.Refused == 1) != (test.code != "") {
			t.Errorf("%s: %+v", name, counts)
		}
	}
}
