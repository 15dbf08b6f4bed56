package server

import (
	"context"
	"crypto/tls"
	"net"
	"sync"

	"github.com/tallystick/tallystick"
)

// Listen opens a door that a server answers at: without a certificate on this machine alone. The flag is the
// one by which the address was chosen.
func Listen(ctx context.Context, flag, address string, certificates []tls.Certificate) (net.Listener, error) {
	listener, err := limited(ctx, address, maxConnections)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Unavailable, "listen on %s: %w", address, err).WithHint("is another server running there? choose another with %s HOST:PORT", flag)
	}
	if !isLoopback(listener.Addr()) && len(certificates) == 0 {
		_ = listener.Close() // nothing came in
		return nil, tallystick.Errorf(tallystick.Invalid, "%s can be reached from other machines, and without TLS tokens could be read on the way", listener.Addr()).
			WithHint("give --tls-cert and --tls-key, or listen on 127.0.0.1 behind a proxy that has them")
	}
	return listener, nil
}

// maxConnections bounds those of one door: each takes some 20 KiB, and a file of the process. Others wait until one
// ends, which a connection that nothing comes from does within its time-outs.
const maxConnections = 4096

func limited(ctx context.Context, address string, connections int) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	return &limitedListener{listener.(*net.TCPListener), make(chan struct{}, connections), ended, sync.OnceFunc(func() { close(ended) })}, nil
}

// limitedListener is what netutil.LimitListener is, but that its connections are still those of TCP: net/http half closes
// one on which it refuses a head that is too large, without which the refusal is lost in a reset, and sends files through
// the kernel.
type limitedListener struct {
	*net.TCPListener
	taken chan struct{} // one for each connection
	ended chan struct{}
	end   func()
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.taken <- struct{}{}:
	case <-l.ended:
		return nil, net.ErrClosed
	}
	conn, err := l.AcceptTCP()
	if err != nil {
		<-l.taken
		return nil, err
	}
	return &limitedConn{conn, sync.OnceFunc(func() { <-l.taken })}, nil
}

// Close implements net.Listener.
func (l *limitedListener) Close() error {
	defer l.end()
	return l.TCPListener.Close()
}

type limitedConn struct {
	*net.TCPConn
	leave func()
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	defer c.leave()
	return c.TCPConn.Close()
}

// Certificates returns what a server proves itself with, from two PEM files; nothing without them.
func Certificates(certificate, key string) ([]tls.Certificate, error) {
	if certificate == "" && key == "" {
		return nil, nil
	}
	if certificate == "" || key == "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "a certificate needs its key, and the key its certificate").WithHint("give both --tls-cert and --tls-key, or none")
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "certificate %s with key %s: %w", certificate, key, err).
			WithHint("both are PEM files; the certificate of the server comes first, and the key is its own")
	}
	return []tls.Certificate{pair}, nil
}

func isLoopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
