// Package server runs one installation for others: it listens, answers, seals and ends in good order.
package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick"
)

// DefaultListen is an address that only this machine reaches.
const DefaultListen = "127.0.0.1:8750"

const (
	headerWait  = 10 * time.Second // for a request's header
	idleWait    = 2 * time.Minute  // between requests of a connection
	writeWait   = 5 * time.Minute  // for an answer; handlers of long ones set their own
	maxHeader   = 64 << 10         // bytes
	stopWait    = 20 * time.Second // for requests under way when the server is told to stop
	readyWait   = time.Minute      // for the ledger at the start
	catchUpWait = 200 * time.Millisecond
)

// Workspace is what the server keeps going.
type Workspace interface {
	// KeepSealed seals events until ctx ends; ready is called once it can. Its errors are fatal.
	KeepSealed(ctx context.Context, ready func()) error
}

// Trail prepares questions about events as they are recorded.
type Trail interface {
	CatchUp(ctx context.Context) error
}

// Config says what is run. All but TLS, Changed, Jobs and what says so are required.
type Config struct {
	Listen            string
	Certificate, Key  string // PEM files; both or none
	Handler           http.Handler
	Workspace         Workspace
	Trail             Trail
	Changed           <-chan struct{} // receives after each change of the state
	Logger            *slog.Logger
	Release           string
	Background        func(ctx context.Context) error // runs until ctx ends; its error ends the server
	Jobs              Jobs                            // told of in metrics and readiness; nil: there are none
	Started           func(address string) error      // called once events can be sealed, before the first request is let in
	Stopping          func(ctx context.Context) error // called after the last answer, if Started was
	AllowedHosts      []string                        // names by which the server may be asked for, besides its address
	Collectors        []prometheus.Collector          // metrics besides those of requests; may be nil
	Detail            func() string                   // lines for whoever asks whether it is ready; may be nil
	unsafeNoHostCheck bool                            // for tests only
	unsafeBodyWait    time.Duration                   // for tests only; 0: bodyWait
}

// Run serves until ctx ends, then lets requests under way end, seals what they recorded, and returns
// nil. Until it can seal, it answers questions about its health alone. A fault after which nothing can be recorded ends it with an error.
func Run(ctx context.Context, config Config) error {
	certificates, err := Certificates(config.Certificate, config.Key)
	if err != nil {
		return err
	}
	listener, err := Listen(ctx, "--listen", cmp.Or(config.Listen, DefaultListen), certificates)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // the server has closed it, if it came so far
	loopback := isLoopback(listener.Addr())
	spend()
	front := newFront(config, listener.Addr(), loopback)
	h := &http.Server{
		Handler: front, ReadHeaderTimeout: headerWait, IdleTimeout: idleWait, WriteTimeout: writeWait, MaxHeaderBytes: maxHeader,
		ErrorLog:  slog.NewLogLogger(config.Logger.Handler(), slog.LevelWarn),
		TLSConfig: &tls.Config{Certificates: certificates, MinVersion: tls.VersionTLS12},
	}
	// The ledger outlives the answers, so that what the last ones recorded is sealed.
	sealing, stopSealing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSealing()
	group, running := errgroup.WithContext(ctx)
	ready := make(chan struct{})
	group.Go(func() error {
		if err := config.Workspace.KeepSealed(sealing, func() { close(ready) }); err != nil {
			return fmt.Errorf("seal the trail: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		follow(running, config)
		return nil
	})
	group.Go(func() error { return config.Background(running) })
	group.Go(func() error { return serve(h, listener) })
	var started atomic.Bool
	group.Go(func() error {
		select {
		case <-ready:
		case <-running.Done():
			return nil
		case <-time.After(readyWait):
			return tallystick.Errorf(tallystick.Unavailable, "the ledger is not free").WithHint("is another server running on this workspace?")
		}
		if err := config.Started(listener.Addr().String()); err != nil {
			return err
		}
		started.Store(true)
		front.ready.Store(true)
		config.Logger.InfoContext(ctx, "listening", slog.String("address", listener.Addr().String()))
		return nil
	})
	group.Go(func() error {
		<-running.Done()
		defer stopSealing()
		front.ready.Store(false)
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWait)
		defer cancel()
		err := h.Shutdown(ending)
		if errors.Is(err, context.DeadlineExceeded) {
			config.Logger.WarnContext(ending, "requests were cut off", slog.Duration("after", stopWait))
			err = h.Close()
		}
		if !started.Load() {
			return err
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWait)
		defer cancel()
		return errors.Join(err, config.Stopping(last))
	})
	return group.Wait()
}

func serve(h *http.Server, listener net.Listener) (err error) {
	if len(h.TLSConfig.Certificates) > 0 {
		err = h.ServeTLS(listener, "", "")
	} else {
		err = h.Serve(listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}

// follow keeps questions about the trail prepared. That it fails does no harm but to whoever asks
// next, who is told.
func follow(ctx context.Context, config Config) {
	for {
		if err := config.Trail.CatchUp(ctx); err != nil && ctx.Err() == nil {
			config.Logger.WarnContext(ctx, "events are not prepared for questions", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-config.Changed:
		}
		select { // several changes are one pass
		case <-ctx.Done():
			return
		case <-time.After(catchUpWait):
		}
	}
}
