package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// receiver is the other end of a webhook: what a team's own program would be.
type receiver struct {
	address string
	server  *http.Server

	mu     sync.Mutex
	hook   *standardwebhooks.Webhook // nil until the secret is known
	news   chan struct{}             // closed and made anew when something has come
	titles []string                  // what was told, in words; at most maxTold
}

const (
	maxTold  = 1000
	maxTells = 1 << 20 // bytes of one notification
)

// receive listens on a free port of this machine.
func receive(ctx context.Context) (*receiver, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for notifications: %w", err)
	}
	r := &receiver{address: listener.Addr().String(), news: make(chan struct{})}
	r.server = &http.Server{Handler: r, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	go func() { _ = r.server.Serve(listener) }() // until it is closed
	return r, nil
}

// believe makes the receiver check signatures with the secret of a subscription.
func (r *receiver) believe(secret string) error {
	hook, err := standardwebhooks.NewWebhook(strings.TrimSpace(secret))
	if err != nil {
		return fmt.Errorf("secret of the webhook: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hook = hook
	return nil
}

// ServeHTTP takes one notification, if it is signed with the secret of the subscription.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxTells))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hook == nil || r.hook.Verify(body, req.Header) != nil {
		http.Error(w, "the signature is not that of the subscription", http.StatusUnauthorized)
		return
	}
	var event struct {
		Data struct{ Sentence string }
	}
	if err := json.Unmarshal(body, &event); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if len(r.titles) < maxTold {
		r.titles = append(r.titles, event.Data.Sentence)
	}
	close(r.news)
	r.news = make(chan struct{})
	w.WriteHeader(http.StatusNoContent)
}

// wait returns the first notification that contains a text, once it has come.
func (r *receiver) wait(ctx context.Context, text string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		r.mu.Lock()
		news := r.news
		for _, title := range r.titles {
			if strings.Contains(title, text) {
				r.mu.Unlock()
				return title, nil
			}
		}
		heard := strings.Join(r.titles, "; ")
		r.mu.Unlock()
		select {
		case <-news:
		case <-ctx.Done():
			return "", errors.Join(ctx.Err(), fmt.Errorf("no notification says %q; what came: %s", text, heard))
		}
	}
}

func (r *receiver) close() error { return r.server.Close() }
