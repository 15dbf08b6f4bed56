package dial

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
)

// AllowList says which hosts may be spoken to. The zero value allows none.
type AllowList struct {
	hosts    []host
	networks []netip.Prefix
}

// host is one entry of the list that names hosts.
type host struct {
	name   string // lower case, without a final dot; an address as netip writes it
	suffix bool   // the name's subdomains, and not the name itself
	port   uint16 // 0: 443, or 80 if plain
	plain  bool   // http too
}

const maxEntries = 1000

// ParseAllowList reads a list of entries, each of them
//
//	example.org             the host, over https and port 443
//	example.org:8443        the host, over https and that port
//	.example.org            every host below example.org, not example.org itself
//	http://127.0.0.1:9000   the host over http; https works too
//	10.1.0.0/16             addresses of this network are not refused for not being public; the
//	                        host must be allowed by an entry of its own
//
// An address may stand in the place of a host; then, if it is not public, it needs its network too.
func ParseAllowList(entries []string) (AllowList, error) {
	var list AllowList
	if len(entries) > maxEntries {
		return list, tallystick.Errorf(tallystick.Invalid, "allow-list has %d entries, the limit is %d", len(entries), maxEntries)
	}
	for _, entry := range entries {
		if err := list.add(entry); err != nil {
			return AllowList{}, err
		}
	}
	return list, nil
}

func (l *AllowList) add(entry string) error {
	if strings.Contains(entry, "/") && !strings.Contains(entry, "://") {
		network, err := netip.ParsePrefix(entry)
		if err != nil || network != network.Masked() || network.Addr().Is4In6() {
			return invalidEntry(entry, "is no network")
		}
		l.networks = append(l.networks, network)
		return nil
	}
	var h host
	rest, plain := strings.CutPrefix(entry, "http://")
	if h.plain = plain; !plain {
		rest, _ = strings.CutPrefix(entry, "https://")
	}
	name, port, err := splitPort(rest)
	if err != nil {
		return invalidEntry(entry, "has no usable port")
	}
	h.port = port
	name, h.suffix = strings.CutPrefix(name, ".")
	if h.name, err = canonicalHost(name); err != nil {
		return invalidEntry(entry, "is no host name or address")
	}
	if h.suffix && !strings.Contains(h.name, ".") {
		return invalidEntry(entry, "would allow a whole top-level domain")
	}
	if _, err := netip.ParseAddr(h.name); err == nil && h.suffix {
		return invalidEntry(entry, "is an address, which has no subdomains")
	}
	l.hosts = append(l.hosts, h)
	return nil
}

func invalidEntry(entry, fault string) error {
	return tallystick.Errorf(tallystick.Invalid, "entry %.100q of the allow-list %s", entry, fault).
		WithHint("write host, host:port, .suffix, http://host:port, or a network such as 10.1.0.0/16")
}

// String returns the entries, as ParseAllowList reads them.
func (l AllowList) String() string { return strings.Join(l.Entries(), " ") }

// Entries returns the entries in their canonical form and in the order in which they were given,
// networks last.
func (l AllowList) Entries() []string {
	var entries []string
	for _, h := range l.hosts {
		entries = append(entries, h.String())
	}
	for _, n := range l.networks {
		entries = append(entries, n.String())
	}
	return entries
}

func (h host) String() string {
	var b strings.Builder
	if h.plain {
		b.WriteString("http://")
	}
	if h.suffix {
		b.WriteByte('.')
	}
	if strings.Contains(h.name, ":") {
		b.WriteString("[" + h.name + "]")
	} else {
		b.WriteString(h.name)
	}
	if h.port != 0 {
		b.WriteString(":" + strconv.Itoa(int(h.port)))
	}
	return b.String()
}

// splitPort splits host:port; the port may be absent, which is 0. An IPv6 address with a port stands
// in brackets.
func splitPort(s string) (name string, port uint16, err error) {
	if _, err := netip.ParseAddr(s); err == nil {
		return s, 0, nil
	}
	name = s
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		digits := s[i+1:]
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || n == 0 || digits != strconv.FormatUint(n, 10) {
			return "", 0, strconv.ErrSyntax
		}
		name, port = s[:i], uint16(n)
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		name = strings.TrimSuffix(inner, "]")
		if a, err := netip.ParseAddr(name); err != nil || !a.Is6() || inner == name {
			return "", 0, strconv.ErrSyntax
		}
	}
	return name, port, nil
}

// canonicalHost returns the one form of a host name or address. It refuses what resolvers read as an
// address in another notation, such as 0x7f.1 or 2130706433, and names that are not ASCII: what looks
// alike would not be alike. Those are written as they are resolved (xn--...).
func canonicalHost(name string) (string, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		if a.Zone() != "" || a.Is4In6() {
			return "", strconv.ErrSyntax
		}
		return a.String(), nil
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if len(name) > 253 {
		return "", strconv.ErrSyntax
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notHostRune) {
			return "", strconv.ErrSyntax
		}
	}
	if last := labels[len(labels)-1]; last[0] >= '0' && last[0] <= '9' { // WHATWG URL: it ends in a number
		return "", strconv.ErrSyntax
	}
	return name, nil
}

func notHostRune(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// allowsURL returns a Forbidden error unless the list allows a request to u, whatever its host
// resolves to.
func (l AllowList) allowsURL(u *url.URL) error {
	if u.Scheme != "https" && u.Scheme != "http" {
		return tallystick.Errorf(tallystick.Forbidden, "the scheme %.20q of an outgoing request is not https", u.Scheme)
	}
	if u.User != nil {
		return tallystick.Errorf(tallystick.Forbidden, "the URL of an outgoing request to %.100q carries credentials", u.Hostname()).
			WithHint("configure them apart from the URL")
	}
	name, err := canonicalHost(u.Hostname())
	if err != nil {
		return tallystick.Errorf(tallystick.Forbidden, "%.100q is no host that may be spoken to", u.Hostname()).
			WithHint("write the name, or the address in its usual form")
	}
	port := uint64(443)
	if u.Scheme == "http" {
		port = 80
	}
	if u.Port() != "" {
		if port, err = strconv.ParseUint(u.Port(), 10, 16); err != nil {
			return tallystick.Errorf(tallystick.Forbidden, "%.20q is no port", u.Port())
		}
	}
	if slices.ContainsFunc(l.hosts, func(h host) bool { return h.allows(u.Scheme, name, uint16(port)) }) {
		return nil
	}
	target := u.Scheme + "://" + u.Host
	return tallystick.Errorf(tallystick.Forbidden, "outgoing requests to %.200s are not allowed", target).
		WithHint("allow the host in the configuration of outgoing requests; allowed are: %s", l.summary())
}

func (l AllowList) summary() string {
	entries := l.Entries()
	switch {
	case len(entries) == 0:
		return "none"
	case len(entries) > 10:
		entries = append(entries[:10:10], "...")
	}
	return strings.Join(entries, ", ")
}

func (h host) allows(scheme, name string, port uint16) bool {
	if scheme == "http" && !h.plain {
		return false
	}
	want := h.port
	if want == 0 {
		want = 443
		if scheme == "http" {
			want = 80
		}
	}
	if port != want {
		return false
	}
	if h.suffix {
		return strings.HasSuffix(name, "."+h.name)
	}
	return name == h.name
}
