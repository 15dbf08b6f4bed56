package otlp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// The addresses of the protocol's own ports, which only this machine reaches.
const (
	DefaultHTTP = "127.0.0.1:4318"
	DefaultGRPC = "127.0.0.1:4317"
)

const (
	headerWait = 10 * time.Second // for a request's header
	writeWait  = time.Minute      // from there to the end of the answer
	stopWait   = 10 * time.Second // for exports under way when it is told to stop
	maxHeader  = 64 << 10         // bytes
)

// Doors are where exports come in. A listener may be nil.
type Doors struct {
	HTTP, GRPC net.Listener
	TLS        *tls.Config // nil: without
}

// Close closes doors that are not served.
func (d Doors) Close() error {
	var err error
	for _, l := range []net.Listener{d.HTTP, d.GRPC} {
		if l != nil {
			err = errors.Join(err, l.Close())
		}
	}
	return err
}

// Serve answers at the doors until ctx ends, then lets exports under way end.
func (r *Receiver) Serve(ctx context.Context, d Doors) error {
	group, ctx := errgroup.WithContext(ctx)
	if d.HTTP != nil {
		group.Go(func() error { return r.runHTTP(ctx, d.HTTP, d.TLS) })
	}
	if d.GRPC != nil {
		group.Go(func() error { return r.runGRPC(ctx, d.GRPC, d.TLS) })
	}
	return group.Wait()
}

func (r *Receiver) runHTTP(ctx context.Context, l net.Listener, config *tls.Config) error {
	h := &http.Server{
		Handler: r.Handler(), ReadHeaderTimeout: headerWait, WriteTimeout: writeWait, IdleTimeout: idle, MaxHeaderBytes: maxHeader,
		TLSConfig: config.Clone(), // it writes into it, while gRPC reads
		ErrorLog:  slog.NewLogLogger(r.config.Logger.Handler(), slog.LevelWarn),
	}
	stopped := make(chan error, 1)
	release := context.AfterFunc(ctx, func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWait)
		defer cancel()
		err := h.Shutdown(ending)
		if errors.Is(err, context.DeadlineExceeded) {
			err = h.Close()
		}
		stopped <- err
	})
	var err error
	if config != nil {
		err = h.ServeTLS(l, "", "")
	} else {
		err = h.Serve(l)
	}
	if !release() && errors.Is(err, http.ErrServerClosed) {
		return <-stopped
	}
	return fmt.Errorf("serve OTLP over HTTP: %w", err)
}

func (r *Receiver) runGRPC(ctx context.Context, l net.Listener, config *tls.Config) error {
	s := r.server(config)
	stopped := make(chan struct{})
	release := context.AfterFunc(ctx, func() {
		defer close(stopped)
		late := time.AfterFunc(stopWait, s.Stop)
		defer late.Stop()
		s.GracefulStop()
	})
	err := s.Serve(l)
	if !release() && err == nil {
		<-stopped
		return nil
	}
	return fmt.Errorf("serve OTLP over gRPC: %w", err)
}
