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
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/state"
)

// BenchmarkRegister measures how many models 64 clients register through HTTP, each with a token that is
// scoped to it and an idempotency key of its own, and each acknowledged once it is durable: one call is
// one event, one row of the model and one kept key. Beside it, interleaved, the same clients insert
// bare rows through the same group commit, as BenchmarkRecorder does: a row holds as many bytes as the
// leaf and the disclosures of one such event, and nothing of the model's row or of the key. Clients
// and server share the machine's cores, as does all that HTTP costs both.
//
// Each iteration is one round of both, after one that is not counted; what is reported are the medians,
// and for x_sqlite, the ratio, the median of the rounds' own. Ask for seven at least: -benchtime 7x.
func BenchmarkRegister(b *testing.B) {
	const clients = 64
	h := newHouse(b)
	server := httptest.NewServer(h.as(""))
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport}
	token := h.token(b, "ada", access.Scientist, access.ModelRegister)
	var number atomic.Int64
	register := func() error {
		n := number.Add(1)
		body := fmt.Sprintf(`{"name":"m%d","intended_purpose":"scores applications for credit","summary":"gradient boosting over 40 features"}`, n)
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server.URL+api.Prefix+"/models", strings.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
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
	if err := register(); err != nil {
		b.Fatal(err)
	}
	insert := bareRows(b, h.lastEventSize(b))

	var calls, rows, ratios, callCPU, rowCPU []float64
	for i := -1; i < 0 || b.Loop(); i++ {
		call, ofCall := rate(b, clients, register)
		row, ofRow := rate(b, clients, insert)
		if i >= 0 {
			calls, rows, ratios = append(calls, call), append(rows, row), append(ratios, call/row)
			callCPU, rowCPU = append(callCPU, ofCall), append(rowCPU, ofRow)
		}
	}
	b.ReportMetric(median(calls), "calls/s")
	b.ReportMetric(median(rows), "rows/s")
	b.ReportMetric(median(ratios), "x_sqlite")
	b.ReportMetric(median(callCPU), "cpu_µs/call")
	b.ReportMetric(median(rowCPU), "cpu_µs/row")
	b.ReportMetric(0, "ns/op")
}

// token makes a person and returns a token of theirs, in the way that people do it.
func (h house) token(b *testing.B, name string, role access.Role, scopes ...access.Action) string {
	b.Helper()
	const passphrase = "seven green kettles on a wall"
	door := h.as("")
	invited := read[api.Invitation](b, ask(b, h.as("root", access.Admin), "POST", "/users", map[string]any{"name": name, "roles": []access.Role{role}}).want(b, 200))
	ask(b, door, "POST", "/enrolments/redemption", map[string]any{"link": invited.Link, "passphrase": passphrase}).want(b, 200)
	opened := read[api.Opened](b, ask(b, door, "POST", "/sessions", map[string]any{"name": name, "passphrase": passphrase}).want(b, 200))
	return read[api.Minted](b, ask(b, door, "POST", "/tokens", map[string]any{"scopes": scopes}, "Authorization", "Bearer "+opened.Secret).want(b, 200)).Secret
}

// lastEventSize returns how many bytes of leaf and disclosures the newest event has.
func (h house) lastEventSize(b *testing.B) (n int) {
	b.Helper()
	err := h.Workspace.DB.Read(b.Context(), func(tx *state.Tx) error {
		return tx.QueryRow("SELECT length(leaf) + length(disclosures) FROM events ORDER BY sequence DESC LIMIT 1").Scan(&n)
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// bareRows returns what inserts a row of that many bytes into a database of its own.
func bareRows(b *testing.B, size int) func() error {
	b.Helper()
	db, err := state.Open(b.Context(), state.Config{Path: filepath.Join(b.TempDir(), "bare.db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	write := func(query string, args ...any) error {
		return db.Write(context.Background(), func(tx *state.Tx) error {
			_, err := tx.Exec(query, args...)
			return err
		})
	}
	if err := write("CREATE TABLE rows (id INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT"); err != nil {
		b.Fatal(err)
	}
	value := make([]byte, size)
	return func() error { return write("INSERT INTO rows (value) VALUES (?)", value) }
}

// rate lets callers call fn over and over for a second and returns how often it was done a second, and what
// CPU time in microseconds the process took for each: that is steadier on a busy machine.
func rate(b *testing.B, callers int, fn func() error) (perSecond, cpu float64) {
	b.Helper()
	var done atomic.Int64
	var wg sync.WaitGroup
	started, used := time.Now(), cpuTime(b)
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
	n := float64(done.Load())
	return n / time.Since(started).Seconds(), float64((cpuTime(b) - used).Microseconds()) / n
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
