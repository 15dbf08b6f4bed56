// Command ingest measures a real server into which clients record predictions as fast as it takes them, while it cuts
// and joins its files: how many a second, how much of the processor each took, and how much memory the server had
// resident at most. It prints one line for each; memory over its limit ends in OVER.
//
//	go run ./bench/ingest --server bin/tallystick --dir DIR --for 6m
//
// DIR is made if it is not there, and used again if it is: files of an earlier run are joined when the server starts.
// Files are joined every five minutes, so a first run must be longer than that.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/prediction"
)

func main() {
	var o options
	flag.StringVar(&o.program, "server", "bin/tallystick", "the program")
	flag.StringVar(&o.dir, "dir", "", "directory of the workspace")
	flag.DurationVar(&o.length, "for", 6*time.Minute, "how long")
	flag.IntVar(&o.clients, "clients", 32, "clients who never pause")
	flag.IntVar(&o.batch, "batch", 500, "records of a batch")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "ingest:", err)
		os.Exit(1)
	}
}

// options say what is measured.
type options struct {
	program, dir   string
	length         time.Duration
	clients, batch int
}

// memoryLimit is what a server may have resident, in MiB.
const memoryLimit = 256

func run(ctx context.Context, o options) (err error) {
	if o.dir == "" {
		return errors.New("--dir is missing")
	}
	s, err := start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	token, err := s.recorder(ctx)
	if err != nil {
		return err
	}
	before, err := s.processor()
	if err != nil {
		return err
	}
	began := time.Now()
	sent, err := send(ctx, s.address, token, o)
	if err != nil {
		return err
	}
	took := time.Since(began)
	after, err := s.processor()
	if err != nil {
		return err
	}
	now, most, err := s.memory()
	if err != nil {
		return err
	}
	over := ""
	if most > memoryLimit {
		over = "  OVER"
	}
	fmt.Printf("%d records by %d clients in batches of %d within %s: %.0f a second, %d batches were told to come again\n",
		sent.records.Load(), o.clients, o.batch, took.Round(time.Second), float64(sent.records.Load())/took.Seconds(), sent.refused.Load())
	fmt.Printf("%.2f µs of the server's processor a record\n", float64((after-before).Microseconds())/float64(max(sent.records.Load(), 1)))
	fmt.Printf("%d MiB resident at the end, %d at most (limit %d)%s\n", now, most, memoryLimit, over)
	return nil
}

// sums are counted while clients send.
type sums struct{ records, refused atomic.Int64 }

// send lets the clients send until the time is over.
func send(ctx context.Context, address, token string, o options) (*sums, error) {
	var bodies []string
	for i := range 64 {
		bodies = append(bodies, body(i, o.batch))
	}
	sent, run := new(sums), time.Now().UnixMilli()
	deadline := time.Now().Add(o.length)
	g, ctx := errgroup.WithContext(ctx)
	transport := &http.Transport{MaxIdleConnsPerHost: o.clients}
	defer transport.CloseIdleConnections()
	h := &http.Client{Transport: transport, Timeout: time.Minute}
	for n := range o.clients {
		g.Go(func() error {
			for i := 0; time.Now().Before(deadline); i++ {
				name := fmt.Sprint(run, "-", n, "-", i)
				for {
					wait, err := post(ctx, h, address, token, name, bodies[(n+i)%len(bodies)])
					if err != nil {
						return err
					}
					if wait == 0 {
						break
					}
					sent.refused.Add(1)
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(wait):
					}
				}
				sent.records.Add(int64(o.batch))
			}
			return nil
		})
	}
	return sent, g.Wait()
}

// post sends a batch, and returns after which time to send it again if there was no room.
func post(ctx context.Context, h *http.Client, address, token, name, body string) (wait time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/api/v1/predictions", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Batch-Id", name)
	answer, err := h.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	said, err := readAll(answer.Body)
	switch {
	case err != nil:
		return 0, err
	case answer.StatusCode == http.StatusServiceUnavailable:
		return time.ParseDuration(answer.Header.Get("Retry-After") + "s")
	case answer.StatusCode != http.StatusOK:
		return 0, fmt.Errorf("%s: %.300s", answer.Status, said)
	}
	return 0, nil
}

// body returns a batch of records of 12 numbers and 3 categories, some 400 bytes each when they are encoded.
func body(n, size int) string {
	random := rand.New(rand.NewPCG(1, uint64(n))) //nolint:gosec // chosen at random, not secret
	var lines []string
	for range size {
		features := map[string]prediction.Value{}
		for i := range 12 {
			features[fmt.Sprint("number_", i)] = prediction.Number(float64(random.IntN(100_000)) / 100)
		}
		for i := range 3 {
			features[fmt.Sprint("category_", i)] = prediction.String([]string{"low", "medium", "high"}[random.IntN(3)])
		}
		r := prediction.Record{
			Model: "credit", Version: "1", Environment: "production", Subject: fmt.Sprintf("customer-%09d", random.IntN(1_000_000_000)), Output: prediction.String("refuse"),
			Score: prediction.Number(random.Float64()), Latency: prediction.Integer(int64(random.IntN(5000))), Status: prediction.OK, Features: prediction.NewFeatures(features),
			TraceID: prediction.TraceID{1: 1, 2: byte(random.IntN(256)), 3: byte(random.IntN(256)), 4: byte(random.IntN(256))},
		}
		lines = append(lines, string(r.AppendJSON(nil)))
	}
	return "[" + strings.Join(lines, ",") + "]"
}

// recorder returns a token that may record predictions, of credit in version 1.
func (s *process) recorder(ctx context.Context) (token string, err error) {
	as := func(token string) *client.Client {
		c, configured := client.New(client.Config{Server: s.address, Token: token})
		err = errors.Join(err, configured)
		return c
	}
	post := func(c *client.Client, path string, body, into any) {
		if err == nil {
			_, err = c.Post(ctx, path, body, into)
		}
	}
	const passphrase = "a workspace full of invented records"
	var opened struct{ Secret string }
	if secret, missing := os.ReadFile(s.file("workspace", "bootstrap-secret")); missing == nil {
		var invited struct{ Link string }
		post(as(""), "/bootstrap", map[string]string{"secret": strings.TrimSpace(string(secret)), "name": "root", "passphrase": passphrase}, nil)
		post(as(""), "/sessions", map[string]string{"name": "root", "passphrase": passphrase}, &opened)
		post(as(opened.Secret), "/users", map[string]any{"name": "ada", "roles": []string{"scientist"}}, &invited)
		post(as(""), "/enrolments/redemption", map[string]string{"link": invited.Link, "passphrase": passphrase}, nil)
	}
	post(as(""), "/sessions", map[string]string{"name": "ada", "passphrase": passphrase}, &opened)
	if err != nil {
		return "", err
	}
	ada := as(opened.Secret)
	if _, err := ada.Post(ctx, "/models", map[string]any{"name": "credit", "state": "experimental"}, nil); err != nil && tallystick.CodeOf(err) != tallystick.Conflict {
		return "", err
	}
	if _, err := ada.Post(ctx, "/models/credit/versions", map[string]any{"version": "1"}, nil); err != nil && tallystick.CodeOf(err) != tallystick.Conflict {
		return "", err
	}
	var minted struct{ Secret string }
	post(ada, "/tokens", map[string]any{"label": "ingest"}, &minted)
	return minted.Secret, err
}
