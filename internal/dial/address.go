package dial

import (
	"net/netip"
	"slices"

	"github.com/tallystick/tallystick"
)

// special are the networks that are not of the public internet, by the IANA special-purpose address
// registries for IPv4 and IPv6 (RFC 6890 and its updates), and those in which an IPv6 address
// carries an IPv4 one, which a gateway may unwrap.
func special() map[string]string {
	return map[string]string{
		"0.0.0.0/8":         "this network",
		"10.0.0.0/8":        "private",
		"100.64.0.0/10":     "shared between carriers",
		"127.0.0.0/8":       "loopback",
		"169.254.0.0/16":    "link-local, where clouds keep their metadata",
		"172.16.0.0/12":     "private",
		"192.0.0.0/24":      "for protocols",
		"192.0.2.0/24":      "documentation",
		"192.31.196.0/24":   "for protocols",
		"192.52.193.0/24":   "for protocols",
		"192.88.99.0/24":    "6to4 relay",
		"192.168.0.0/16":    "private",
		"192.175.48.0/24":   "for protocols",
		"198.18.0.0/15":     "benchmarks",
		"198.51.100.0/24":   "documentation",
		"203.0.113.0/24":    "documentation",
		"224.0.0.0/4":       "multicast",
		"240.0.0.0/4":       "reserved or broadcast",
		"168.63.129.16/32":  "a cloud's metadata",
		"::/96":             "loopback, unspecified or IPv4-compatible",
		"::ffff:0:0/96":     "IPv4-mapped",
		"::ffff:0:0:0/96":   "IPv4-translated",
		"64:ff9b::/96":      "NAT64",
		"64:ff9b:1::/48":    "NAT64",
		"100::/64":          "discard",
		"100:0:0:1::/64":    "dummy",
		"2001::/23":         "for protocols, with Teredo",
		"2001:db8::/32":     "documentation",
		"2002::/16":         "6to4",
		"2620:4f:8000::/48": "for protocols",
		"3fff::/20":         "documentation",
		"5f00::/16":         "segment routing",
		"fc00::/7":          "unique local",
		"fe80::/10":         "link-local",
		"fec0::/10":         "site-local",
		"ff00::/8":          "multicast",
	}
}

// network is a special network with what it is.
type network struct {
	prefix netip.Prefix
	what   string
}

func specialNetworks() []network {
	var networks []network
	for text, what := range special() {
		networks = append(networks, network{netip.MustParsePrefix(text), what})
	}
	return networks
}

// allowsAddress returns a Forbidden error unless a connection may be made to a. Special networks are
// those of specialNetworks.
func (l AllowList) allowsAddress(a netip.Addr, special []network) error {
	// A network of the list is meant for the address as it is written; an IPv4 address in an IPv6 one
	// is judged by neither's rules but refused.
	what := ""
	switch {
	case a.Is4In6():
		what = "IPv4-mapped"
	case a.Zone() != "":
		what = "link-local"
	case slices.ContainsFunc(l.networks, func(n netip.Prefix) bool { return n.Contains(a) }):
		return nil
	default:
		for _, n := range special {
			if n.prefix.Contains(a) {
				what = n.what
			}
		}
		if what == "" && a.Is6() && !netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20}), 3).Contains(a) {
			what = "not assigned"
		}
		if what == "" && a.IsValid() {
			return nil
		}
	}
	return tallystick.Errorf(tallystick.Forbidden, "outgoing connection to %s refused: it is no public address (%s)", a, what).
		WithHint("if it is meant, add its network to the list of what may be spoken to, such as %s", hintNetwork(a))
}

func hintNetwork(a netip.Addr) netip.Prefix {
	a = a.WithZone("")
	return netip.PrefixFrom(a, a.BitLen())
}
