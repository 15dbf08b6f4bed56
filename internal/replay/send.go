package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/tallystick/tallystick"
)

// Doer sends a request and follows no redirect.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// Sending says how requests are sent.
type Sending struct {
	By      Doer
	Token   string        // bearer token, if not empty
	Clients int           // at the same time
	Timeout time.Duration // of one, with its answer
	Told    func(done int)
}

// Header names what tells a server that a request is a replay, with the id of the prediction, so that it need not record
// the answer as a prediction.
const Header = "Tallystick-Replay"

// Send sends requests and returns their answers in the same order. The first goes alone: if no server can be reached, that
// is an error, and nothing else is sent. After that what fails is an answer with a fault.
func (p *Plan) Send(ctx context.Context, requests []Request, s Sending) ([]Reply, error) {
	answers := make([]Reply, len(requests))
	if len(requests) == 0 {
		return answers, nil
	}
	var err error
	if answers[0], err = p.send(ctx, requests[0], s); err != nil {
		return nil, err
	}
	done := 1
	s.Told(done)
	var mu sync.Mutex
	var group sync.WaitGroup
	next := make(chan int)
	for range min(s.Clients, MaxClients) {
		group.Go(func() {
			for i := range next {
				answers[i], _ = p.send(ctx, requests[i], s) // the answer has the fault
				mu.Lock()
				done++
				s.Told(done)
				mu.Unlock()
			}
		})
	}
	for i := 1; i < len(requests) && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	group.Wait()
	return answers, ctx.Err()
}

// send returns the answer to one request, and an error besides if no server could be reached.
func (p *Plan) send(ctx context.Context, request Request, s Sending) (a Reply, err error) {
	a.ID = request.Record.ID.String()
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Against.String(), bytes.NewReader(request.Data))
	if err != nil {
		return a, fmt.Errorf("request to %s: %w", p.Address(), err)
	}
	r.Header.Set("Content-Type", request.Type)
	r.Header.Set("Accept", "application/json")
	r.Header.Set(Header, a.ID)
	if s.Token != "" {
		r.Header.Set("Authorization", "Bearer "+s.Token)
	}
	began := time.Now()
	response, err := s.By.Do(r)
	if err != nil {
		a.Latency = time.Since(began).Microseconds()
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			a.Fault = "no answer in time"
			return a, nil
		}
		a.Fault = "no connection"
		return a, fmt.Errorf("replay against %s: %w", p.Address(), err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	a.Latency = time.Since(began).Microseconds()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		a.Fault = "no answer in time"
	case err != nil:
		a.Fault = "the answer broke off"
	case len(data) > maxAnswer:
		a.Fault = "the answer is too long"
	case response.StatusCode >= 300 && response.StatusCode < 400:
		a.Fault = fmt.Sprintf("HTTP %d, a redirect that is not followed", response.StatusCode)
	case response.StatusCode != http.StatusOK:
		a.Fault = fmt.Sprintf("HTTP %d", response.StatusCode)
	default:
		took := a.Latency
		a = p.Read(data, request.Record)
		a.Latency = took
	}
	return a, nil
}

// Check looks whether a sending can be.
func (s Sending) Check() error {
	switch {
	case s.Clients < 1 || s.Clients > MaxClients:
		return tallystick.Errorf(tallystick.Invalid, "%d clients cannot be", s.Clients).WithHint("1 to %d", MaxClients)
	case s.Timeout < time.Millisecond || s.Timeout > 10*time.Minute:
		return tallystick.Errorf(tallystick.Invalid, "a time-out of %s cannot be", s.Timeout).WithHint("1ms to 10m")
	}
	return nil
}
