package cli_test

import (
	"context"
	"fmt"
	"io/fs"
	weak "math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// TestPredictionsKill kills a server under 32 clients that record predictions, over and over on one workspace.
// Afterwards each record that was acknowledged is in a segment, once and under the id that was told, and so is
// each of a batch that was sent again because its outcome was open.
func TestPredictionsKill(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program many times")
	}
	t.Parallel()
	rounds := crashRounds(t)
	h := newHome(t)
	s := h.serve(nil)
	token := s.predicts(h)
	s.stop()

	senders := make([]*sender, 32)
	for i := range senders {
		senders[i] = &sender{t: t, name: fmt.Sprint("s", i), token: token, told: map[string]string{}}
	}
	for round := range rounds {
		s := h.serve(nil)
		time.AfterFunc(100*time.Millisecond+weak.N(2*time.Second), func() { _ = s.cmd.Process.Kill() }) // it may be dead already
		sendAll(t, s, senders, false)
		<-s.gone
		for _, fault := range s.faults {
			t.Errorf("round %d: %s", round, fault)
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	s = h.serve(nil)
	sendAll(t, s, senders, true)
	s.stop()

	found := h.segments(t)
	total, again := 0, 0
	for _, one := range senders {
		total, again = total+len(one.told), again+one.again
		for route, id := range one.told {
			if got := found[route]; len(got) != 1 || got[0] != id {
				t.Errorf("record %s was acknowledged as %s, and is in segments as %q", route, id, got)
			}
		}
	}
	if len(found) != total {
		t.Errorf("%d records are in segments, %d were acknowledged", len(found), total)
	}
	if total == 0 || again == 0 {
		t.Errorf("%d records were acknowledged and %d batches sent again: the moments do not try what they should", total, again)
	}
	h.run(0, "fsck")
	t.Logf("%d rounds, %d records acknowledged, %d batches sent again after a kill", rounds, total, again)
}

// predicts registers the model credit with the version 1 and returns a token that records predictions.
func (s *serving) predicts(h home) string {
	s.t.Helper()
	token := s.addPerson(s.client(s.firstAdmin(h)), "ada", "scientist")
	c := s.client(token)
	s.must(c.Post(s.t.Context(), "/models", map[string]any{"name": "credit", "state": "experimental"}, nil))
	s.must(c.Post(s.t.Context(), "/models/credit/versions", map[string]any{"version": "1"}, nil))
	return token
}

// segments returns the ids of the records in segments, by their routes.
func (h home) segments(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(filepath.Join(h.workspace(), "predictions"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) == ".json" {
			return err
		}
		content, err := os.Open(path)
		if err != nil {
			return err
		}
		defer content.Close()
		info, err := entry.Info()
		if err != nil {
			return err
		}
		file, err := segment.Open(content, info.Size())
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for e, err := range file.Entries() {
			if err != nil {
				return err
			}
			r, err := prediction.Decode(e.Encoding)
			if err != nil {
				return err
			}
			found[r.Route] = append(found[r.Route], r.ID.String())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// sendAll lets the senders send until the server is gone; or, to settle, until none has an open batch.
func sendAll(t *testing.T, s *serving, senders []*sender, settle bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		select {
		case <-s.gone:
			cancel()
		case <-ctx.Done():
		}
	}()
	var wg sync.WaitGroup
	for _, one := range senders {
		c, err := client.New(client.Config{Server: s.address, Token: one.token, Transport: &http.Transport{}})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { one.run(ctx, c, settle) })
	}
	wg.Wait()
}

// sender sends one batch after the other.
type sender struct {
	t           *testing.T
	name, token string
	sent, again int
	pending     *sentBatch
	told        map[string]string // ids by routes
}

type sentBatch struct {
	ID      string           `json:"batch_id"`
	Records []map[string]any `json:"records"`
	tried   bool
}

func (s *sender) run(ctx context.Context, c *client.Client, settle bool) {
	for ctx.Err() == nil {
		if s.pending == nil {
			if settle {
				return
			}
			s.pending = s.next()
		}
		b := s.pending
		if b.tried {
			s.again++
		}
		b.tried = true
		var answer struct {
			IDs      []string
			Repeated bool
		}
		switch _, err := c.Post(ctx, "/predictions", b, &answer); {
		case tallystick.CodeOf(err) == tallystick.Unavailable && !settle:
			continue // gone, or going
		case err != nil:
			if ctx.Err() == nil {
				s.t.Errorf("%s: %s: %v", s.name, b.ID, err)
			}
			return
		}
		s.pending = nil
		if len(answer.IDs) != len(b.Records) {
			s.t.Errorf("%s: %s: %d ids", s.name, b.ID, len(answer.IDs))
			return
		}
		for i, r := range b.Records {
			s.told[r["route"].(string)] = answer.IDs[i]
		}
		if weak.N(4) == 0 {
			first := answer.IDs
			if _, err := c.Post(ctx, "/predictions", b, &answer); err == nil && (!answer.Repeated || !slices.Equal(answer.IDs, first)) {
				s.t.Errorf("%s: %s again: %+v, the first time %q", s.name, b.ID, answer, first)
			}
		}
	}
}

func (s *sender) next() *sentBatch {
	s.sent++
	b := &sentBatch{ID: fmt.Sprint(s.name, "-", s.sent)}
	for i := range 1 + weak.N(20) {
		b.Records = append(b.Records, map[string]any{
			"model": "credit", "version": "1", "route": fmt.Sprint(b.ID, "-", i), "score": weak.Float64(), "features": map[string]any{"income": weak.IntN(1000), "city": "x"},
		})
	}
	return b
}

// TestPredictionsOnDevice records on a device while its server is killed, away and started again.
func TestPredictionsOnDevice(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program several times")
	}
	t.Parallel()
	h := newHome(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	start := func() *serving { return h.served(h.command("serve", "--listen", address), nil) }
	s := start()
	token := s.predicts(h)
	to, err := client.New(client.Config{Server: "http://" + address, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	device := func() *client.Predictions {
		p, err := client.NewPredictions(client.PredictionsConfig{Client: to, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	told := map[string]string{}
	record := func(p *client.Predictions, n int) {
		for range n {
			route := fmt.Sprint("r", len(told))
			ids, err := p.Record(client.Prediction{Model: "credit", Version: "1", Route: route, Score: 0.5, Features: map[string]any{"income": 1}})
			if err != nil {
				t.Fatal(err)
			}
			told[route] = ids[0]
		}
	}
	p := device()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	record(p, 40)
	_ = s.cmd.Process.Kill() // while batches are on their way
	record(p, 20)
	<-s.gone
	record(p, 5)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if p.Status().Batches < 5 {
		t.Errorf("without a server %+v wait", p.Status())
	}
	// The device starts again, before its server does.
	p = device()
	ctx, cancel = context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	go func() { ended <- p.Run(ctx) }()
	record(p, 5)
	s = start()
	if err := p.Flush(ctx); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	s.stop()
	found := h.segments(t)
	for route, id := range told {
		if got := found[route]; len(got) != 1 || got[0] != id {
			t.Errorf("%s was recorded as %s and is in segments as %q", route, id, got)
		}
	}
	if len(found) != len(told) {
		t.Errorf("%d records are in segments, want %d", len(found), len(told))
	}
	if s := p.Status(); s.Batches != 0 || s.Bytes != 0 {
		t.Errorf("left over: %+v", s)
	}
}
