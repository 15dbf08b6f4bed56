package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/state"
)

// BenchmarkRegister measures how many models 64 clients register through HTTP, each acknowledged once it
// is durable, beside bare inserts of rows of the same size through the same group commit. Each
// iteration is one round of both, after one that is not counted; what is reported are the medians, and
// for x_sqlite, the ratio, the median of the rounds' own. Ask for seven at least: -benchtime 7x.
func BenchmarkRegister(b *testing.B) {
	const clients, row = 64, 2048
	h := newHouse(b)
	server := httptest.NewServer(h.as("ada", access.Scientist))
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport}
	bare, err := state.Open(b.Context(), state.Config{Path: filepath.Join(b.TempDir(), "bare.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer bare.Close()
	write := func(query string, args ...any) error {
		return bare.Write(context.Background(), func(tx *state.Tx) error {
			_, err := tx.Exec(query, args...)
			return err
		})
	}
	if err := write("CREATE TABLE rows (id INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT"); err != nil {
		b.Fatal(err)
	}
	value := []byte(strings.Repeat("x", row))
	insert := func() error { return write("INSERT INTO rows (value) VALUES (?)", value) }
	var number atomic.Int64
	register := func() error {
		n := number.Add(1)
		body := fmt.Sprintf(`{"name":"m%d","intended_purpose":"scores applications for credit","summary":"gradient boosting over 40 features"}`, n)
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server.URL+api.Prefix+"/models", strings.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", fmt.Sprint("key", n))
		response, err := c.Do(r)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", response.Status, answer)
		}
		return err
	}
	var calls, rows, ratios []float64
	for i := -1; i < 0 || b.Loop(); i++ {
		call, plain := rate(b, clients, register), rate(b, clients, insert)
		if i >= 0 {
			calls, rows, ratios = append(calls, call), append(rows, plain), append(ratios, call/plain)
		}
	}
	b.ReportMetric(median(calls), "calls/s")
	b.ReportMetric(median(rows), "rows/s")
	b.ReportMetric(median(ratios), "x_sqlite")
	b.ReportMetric(0, "ns/op")
}

// rate lets callers call fn over and over for a second and returns how often it was done a second.
func rate(b *testing.B, callers int, fn func() error) float64 {
	b.Helper()
	var done atomic.Int64
	var wg sync.WaitGroup
	started := time.Now()
	for range callers {
		wg.Go(func() {
			for time.Since(started) < time.Second {
				if err := fn(); err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(started).Seconds()
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
