// Package dial is the one HTTP client for what goes out: a receiver of evidence, a registry, a web
// hook. Whoever can name a URL must not thereby reach what only this machine can reach, so that the
// client
//
//   - speaks only to hosts of an allow-list, which is empty until somebody fills it;
//   - looks at the address of every connection at the moment it is made, after the name was resolved:
//     a name that resolves to another address the second time gains nothing;
//   - refuses addresses that are not of the public internet (loopback, private, link-local with the
//     metadata services of clouds, shared, multicast, and those that carry an IPv4 address in an IPv6
//     one), unless the list names them as networks;
//   - follows no redirects, but when a file is fetched, where each is looked at like a request of its
//     own, and no proxy but the one that it was given;
//   - speaks TLS 1.2 or later, and plain HTTP only to hosts whose entry says so;
//   - bounds the time of every phase and the bytes of every response, and counts requests.
package dial
