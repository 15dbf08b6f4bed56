package dial_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/dial"
)

func allow(t testing.TB, entries ...string) dial.AllowList {
	t.Helper()
	list, err := dial.ParseAllowList(entries)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// get sends a request and closes its answer.
func get(t *testing.T, c *dial.Client, target string) (status int, err error) {
	t.Helper()
	response, err := c.Get(t.Context(), target)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Body.Close()
}

func serve(t *testing.T, h http.HandlerFunc) (server *httptest.Server, hostPort string) {
	t.Helper()
	server = httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server, strings.TrimPrefix(server.URL, "http://")
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	list := []string{"example.org", "hooks.example.org:8443", ".internal.example", "http://old.example", "[2001:4860::8]:444", "Upper.Example."}
	c := dial.New(dial.Config{Allow: allow(t, list...)})
	for target, want := range map[string]bool{
		"https://example.org/a?b":            true,
		"https://EXAMPLE.org./":              true,
		"https://example.org:443":            true,
		"https://upper.example":              true,
		"https://example.org:8443":           false,
		"https://hooks.example.org:8443":     true,
		"https://hooks.example.org":          false,
		"http://example.org":                 false, // plain
		"https://a.b.internal.example":       true,
		"https://internal.example":           false,
		"https://evilinternal.example":       false,
		"http://old.example":                 true,
		"https://old.example":                true,
		"http://old.example:8080":            false,
		"https://[2001:4860::8]:444":         true,
		"https://[2001:4860:0::8]:444":       true,
		"https://example.org@evil.example":   false,
		"https://user:secret@example.org":    false,
		"https://example.org.evil.example":   false,
		"https://example.org%2eevil":         false,
		"https://example.org\\@evil.example": false,
		"ftp://example.org":                  false,
		"file:///etc/passwd":                 false,
		"gopher://example.org":               false,
		"https:example.org":                  false,
		"//example.org":                      false,
		"https://":                           false,
		"":                                   false,
		"https://exämple.org":                false,
		"https://127.0.0.1":                  false,
		"https://2130706433":                 false,
		"https://0x7f.1":                     false,
		"https://example.org:0":              false,
		"https://example.org:65536":          false,
	} {
		err := c.Check(target)
		if (err == nil) != want {
			t.Errorf("%q: %v", target, err)
		}
		if code := tallystick.CodeOf(err); err != nil && code != tallystick.Forbidden && code != tallystick.Invalid {
			t.Errorf("%q: code %s", target, code)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
	if err := dial.New(dial.Config{}).Check("https://example.org"); tallystick.CodeOf(err) != tallystick.Forbidden {
		t.Errorf("an empty list allows something: %v", err)
	}
}

func TestBadEntries(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{
		"", ".", "*", "*.example.org", ".com", "https://", "http://", "example.org/path", "example.org:0", "example.org:x", "example.org:99999",
		"user@example.org", "exa mple.org", "10.0.0.1/8", "10.0.0.0/33", "::ffff:10.0.0.0/104", ".127.0.0.1", "127.1", "0x7f000001", "[::1", "[127.0.0.1]:80",
		"[]:80", "fe80::1%eth0", "::ffff:127.0.0.1", "-\n", "exämple.org", "a..b", strings.Repeat("a", 64) + ".org", "ftp://example.org",
	} {
		if list, err := dial.ParseAllowList([]string{entry}); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%q was read as %v, %v", entry, list, err)
		}
	}
	if _, err := dial.ParseAllowList(slices.Repeat([]string{"example.org"}, 1001)); err == nil {
		t.Error("a list of any length is read")
	}
}

// evil are addresses that only this machine or its network reaches, or that lead there.
var evil = []string{
	"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255",
	"169.254.169.254", "169.254.170.2", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1",
	"192.0.2.1", "198.51.100.1", "203.0.113.9", "192.88.99.1", "100.100.100.200",
	"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1",
	"2002:7f00:1::", "2002:c0a8:101::1", "2001::1", "2001:db8::1", "fc00::1", "fd00:ec2::254", "fd12:3456::1", "fe80::1", "febf::1", "fec0::1", "ff02::1",
	"100::1", "3fff::1", "5f00::1", "4000::1", "1::1",
}

// TestEvilAddresses puts each address behind a name that is allowed: what counts is where the
// connection goes.
func TestEvilAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range evil {
		c := dial.New(dial.Config{Allow: allow(t, "http://trusted.example"), Resolver: resolver(t, address), Total: 5 * time.Second})
		_, err := get(t, c, "http://trusted.example/")
		if tallystick.CodeOf(err) != tallystick.Forbidden || c.Counts().Refused != 1 {
			t.Errorf("%s: %v, %+v", address, err, c.Counts())
		}
		target := "http://" + net.JoinHostPort(address, "80")
		list, err := dial.ParseAllowList([]string{target})
		if err != nil {
			continue // addresses in another's clothes cannot even be listed
		}
		_, err = get(t, dial.New(dial.Config{Allow: list}), target)
		if tallystick.CodeOf(err) != tallystick.Forbidden {
			t.Errorf("%s, allowed as a host: %v", address, err)
		}
	}
}

// resolver answers every question about a name with one address, from a server of its own.
func resolver(t *testing.T, addresses ...string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go answer(conn, addresses)
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// answer is a name server of RFC 1035. Each question of type A is answered with the next of the
// addresses, so that a name can resolve to another one the second time.
func answer(conn net.PacketConn, addresses []string) {
	asked := 0
	buf := make([]byte, 512)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		end := 12
		for end < n && buf[end] != 0 {
			end += int(buf[end]) + 1
		}
		end += 5
		if end > n {
			continue
		}
		kind := buf[end-3]
		a := netip.MustParseAddr(addresses[min(asked, len(addresses)-1)])
		reply := append([]byte{buf[0], buf[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, buf[12:end]...)
		raw := a.AsSlice()
		if kind == 1 && len(raw) == 4 || kind == 28 && len(raw) == 16 {
			reply[7] = 1
			reply = append(reply, 0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 0, 0, byte(len(raw)))
			reply = append(reply, raw...)
			asked++
		}
		if _, err := conn.WriteTo(reply, from); err != nil {
			return
		}
	}
}

// TestRebinding lets a name resolve to an allowed address first and to a forbidden one then.
func TestRebinding(t *testing.T) {
	t.Parallel()
	_, hostPort := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "inside")
	})
	_, port, _ := net.SplitHostPort(hostPort)
	c := dial.New(dial.Config{Allow: allow(t, "http://rebind.example:"+port, "127.0.0.1/32"), Resolver: resolver(t, "127.0.0.1", "127.0.0.2")})
	target := "http://rebind.example:" + port
	if _, err := get(t, c, target); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, c, target); tallystick.CodeOf(err) != tallystick.Forbidden {
		t.Errorf("the second answer of the resolver was believed: %v", err)
	}
}

func TestNoRedirects(t *testing.T) {
	t.Parallel()
	inside := 0
	_, victim := serve(t, func(http.ResponseWriter, *http.Request) { inside++ })
	_, hostPort := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://"+victim, http.StatusFound) })
	c := dial.New(dial.Config{Allow: allow(t, "http://"+hostPort, "http://"+victim, "127.0.0.0/8")})
	response, err := c.Get(t.Context(), "http://"+hostPort)
	if err != nil || response.StatusCode != http.StatusFound {
		t.Fatalf("%v, %v", response, err)
	}
	_ = response.Body.Close()
	response, err = c.HTTPClient().Get("http://" + hostPort)
	if err != nil || response.StatusCode != http.StatusFound {
		t.Fatalf("client for libraries: %v, %v", response, err)
	}
	_ = response.Body.Close()
	if inside != 0 {
		t.Error("a redirect was followed")
	}
}

func TestNoProxyFromEnvironment(t *testing.T) {
	_, hostPort := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	proxied := false
	proxy, proxyHost := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		proxied = true
		w.WriteHeader(http.StatusOK)
	})
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	c := dial.New(dial.Config{Allow: allow(t, "http://"+hostPort, "127.0.0.0/8")})
	response, err := c.Get(t.Context(), "http://"+hostPort)
	if err != nil || response.StatusCode != http.StatusTeapot || proxied {
		t.Fatalf("%v, %v, proxied %t", response, err, proxied)
	}
	_ = response.Body.Close()

	u, _ := url.Parse(proxy.URL)
	c = dial.New(dial.Config{Proxy: u, Allow: allow(t, "http://"+hostPort, "127.0.0.0/8")})
	if _, err := get(t, c, "http://"+hostPort); tallystick.CodeOf(err) != tallystick.Forbidden {
		t.Errorf("a proxy that is not allowed: %v", err)
	}
	c = dial.New(dial.Config{Proxy: u, Allow: allow(t, "http://"+hostPort, "http://"+proxyHost, "127.0.0.0/8")})
	response, err = c.Get(t.Context(), "http://"+hostPort)
	if err != nil || !proxied {
		t.Fatalf("the configured proxy was not used: %v, %v", response, err)
	}
	_ = response.Body.Close()
}

func TestBounds(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	_, hostPort := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/long":
			_, _ = w.Write(make([]byte, 2000))
		case "/stream":
			for range 2000 {
				_, _ = w.Write([]byte("x"))
				w.(http.Flusher).Flush()
			}
		case "/exact":
			_, _ = w.Write(make([]byte, 1000))
		case "/headers":
			w.Header().Set("X", strings.Repeat("x", 100<<10))
		case "/slowbody":
			_, _ = w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			<-hang
		default:
			<-hang
		}
	})
	t.Cleanup(func() { close(hang) }) // before the server is closed, which waits for it
	c := dial.New(dial.Config{Allow: allow(t, "http://"+hostPort, "127.0.0.1/32"), MaxBytes: 1000, Header: 100 * time.Millisecond, Total: 300 * time.Millisecond})
	read := func(path string) (int, error) {
		response, err := c.Get(t.Context(), "http://"+hostPort+path)
		if err != nil {
			return 0, err
		}
		defer response.Body.Close()
		data, err := io.ReadAll(response.Body)
		return len(data), err
	}
	if n, err := read("/exact"); n != 1000 || err != nil {
		t.Errorf("a body of the very limit: %d, %v", n, err)
	}
	if _, err := read("/long"); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("an announced long body: %v", err)
	}
	if n, err := read("/stream"); n != 1000 || tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("a long body: %d, %v", n, err)
	}
	for _, path := range []string{"/hang", "/headers"} {
		if _, err := read(path); tallystick.CodeOf(err) != tallystick.Unavailable {
			t.Errorf("%s: %v", path, err)
		}
	}
	if n, err := read("/slowbody"); n != 1 || err == nil {
		t.Errorf("a body without end: %d, %v", n, err)
	}
	if got := c.Counts(); got.Sent != 6 || got.Failed != 3 || got.Refused != 0 || got.Bytes < 2001 {
		t.Errorf("counts: %+v", got)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]uint16{"1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: version}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		list := allow(t, strings.TrimPrefix(server.URL, "https://"), "127.0.0.0/8")
		_, err := get(t, dial.New(dial.Config{Allow: list, Roots: roots}), server.URL)
		if (err == nil) != (version >= tls.VersionTLS12) {
			t.Errorf("TLS %s: %v", name, err)
		}
		if _, err := get(t, dial.New(dial.Config{Allow: list}), server.URL); tallystick.CodeOf(err) != tallystick.Unavailable {
			t.Errorf("a certificate of nobody's was believed: %v", err)
		}
	}
}

func TestHostHeader(t *testing.T) {
	t.Parallel()
	c := dial.New(dial.Config{Allow: allow(t, "example.org")})
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.org", nil)
	r.Host = "inside.example"
	response, err := c.Do(r)
	if err == nil {
		response.Body.Close()
	}
	if tallystick.CodeOf(err) != tallystick.Forbidden {
		t.Errorf("another host in the header: %v", err)
	}
}

func FuzzParseAllowList(f *testing.F) {
	for _, s := range []string{"example.org", ".example.org", "http://[::1]:80", "10.0.0.0/8", "2001:4860::/32", "a:1", "https://a.b", "::1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := dial.ParseAllowList([]string{s})
		if err != nil {
			if tallystick.CodeOf(err) != tallystick.Invalid {
				t.Fatal(err)
			}
			return
		}
		again, err := dial.ParseAllowList(list.Entries())
		if err != nil || fmt.Sprint(again.Entries()) != fmt.Sprint(list.Entries()) {
			t.Fatalf("%q became %v, and that %v, %v", s, list, again, err)
		}
	})
}
