package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// client asks a server as the auditor.
type client struct {
	http    *http.Client
	address string
	secret  string // of the session
}

const maxAnswer = 64 << 20 // bytes

func signIn(ctx context.Context, address, passphrase string) (*client, error) {
	c := &client{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}, address: address}
	body, err := json.Marshal(map[string]string{"name": "bench-auditor", "passphrase": passphrase})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/api/v1/sessions", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.do(r)
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	var opened struct{ Secret string }
	err = json.Unmarshal(answer, &opened)
	c.secret = opened.Secret
	return c, err
}

func (c *client) get(ctx context.Context, path string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address+path, nil)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(path, "/api/") {
		r.Header.Set("Authorization", "Bearer "+c.secret)
	} else {
		r.AddCookie(&http.Cookie{Name: "tallystick_session", Value: c.secret}) //nolint:gosec // the browser's side of it
	}
	return c.do(r)
}

func (c *client) do(r *http.Request) ([]byte, error) {
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %.300s", r.Method, r.URL.Path, answer.Status, body)
	}
	return body, err
}

// measured is how a question was answered.
type measured struct {
	times []time.Duration // ascending
	each  time.Duration   // of the server's processor
	bytes int             // of an answer
	rows  int             // that each has taken from the database
}

// load says how questions come: from clients that each wait for the answer and ask again at once, or, if
// perSecond is given, as from many who do not know of each other, however long answers take.
type load struct {
	clients   int
	perSecond float64
}

// measure asks a question a number of times, after once to warm up.
func (c *client) measure(ctx context.Context, s *process, q question, requests int, l load) (m measured, err error) {
	first, err := c.get(ctx, q.path(0))
	if err != nil {
		return m, err
	}
	before, err := s.used(ctx)
	if err != nil {
		return m, err
	}
	times := make([]time.Duration, requests)
	if l.perSecond > 0 {
		err = c.arrive(ctx, q, times, l.perSecond)
	} else {
		err = c.follow(ctx, q, times, l.clients)
	}
	if err != nil {
		return m, err
	}
	after, err := s.used(ctx)
	slices.Sort(times)
	n := max(requests, 1)
	return measured{times: times, each: (after.processor - before.processor) / time.Duration(n), rows: (after.rows - before.rows) / n, bytes: len(first)}, err
}

// follow asks by clients each of which asks again once it has its answer.
func (c *client) follow(ctx context.Context, q question, times []time.Duration, clients int) error {
	var next atomic.Int64
	g, asking := errgroup.WithContext(ctx)
	for range clients {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(times) {
					return nil
				}
				began := time.Now()
				if _, err := c.get(asking, q.path(i+1)); err != nil {
					return err
				}
				times[i] = time.Since(began)
			}
		})
	}
	return g.Wait()
}

// arrive asks at random moments (a Poisson process), the same ones each time. A time counts from the moment
// at which the question was due, so that nothing is left out while the server is slow.
func (c *client) arrive(ctx context.Context, q question, times []time.Duration, perSecond float64) error {
	random := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // chosen at random, not secret
	g, asking := errgroup.WithContext(ctx)
	next := time.Now()
	for i := range times {
		next = next.Add(time.Duration(random.ExpFloat64() / perSecond * float64(time.Second)))
		select {
		case <-time.After(time.Until(next)):
		case <-asking.Done():
			return g.Wait()
		}
		due := next
		g.Go(func() error {
			_, err := c.get(asking, q.path(i+1))
			times[i] = time.Since(due)
			return err
		})
	}
	return g.Wait()
}

// percentile returns the least time that p percent of the times do not exceed.
func (m measured) percentile(p int) time.Duration {
	if len(m.times) == 0 {
		return 0
	}
	return m.times[(len(m.times)*p+99)/100-1]
}
