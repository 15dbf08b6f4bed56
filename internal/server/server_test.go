package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/schedule"
)

// fake is what a server keeps going, with moments that a test can hold.
type fake struct {
	free    chan struct{} // closed: the ledger is free
	fault   chan error    // ends the sealing
	sealed  atomic.Int64  // acts on record when the sealing ended
	acts    atomic.Int64
	stopped atomic.Bool
}

func newFake() *fake {
	f := &fake{free: make(chan struct{}), fault: make(chan error, 1)}
	close(f.free)
	return f
}

func (f *fake) KeepSealed(ctx context.Context, ready func()) error {
	select {
	case <-f.free:
	case <-ctx.Done():
		return nil
	}
	ready()
	select {
	case err := <-f.fault:
		return err
	case <-ctx.Done():
		f.sealed.Store(f.acts.Load())
		return nil
	}
}

func (f *fake) CatchUp(context.Context) error { return nil }

// running is a server under test.
type running struct {
	url   string
	stop  context.CancelFunc
	ended chan error
	log   *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// freeAddress returns an address of this machine on which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func run(t *testing.T, f *fake, handler http.HandlerFunc, change func(*Config)) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r := &running{stop: stop, ended: make(chan error, 1), log: &lockedBuffer{}}
	config := Config{
		Listen: freeAddress(t), Handler: handler, Workspace: f, Trail: f, Changed: make(chan struct{}),
		Logger: slog.New(slog.NewTextHandler(r.log, nil)), Release: "test",
		Background: func(ctx context.Context) error { <-ctx.Done(); return nil },
		Started:    func(string) error { return nil },
		Stopping: func(ctx context.Context) error {
			f.acts.Add(1)
			f.stopped.Store(true)
			return ctx.Err()
		},
	}
	if change != nil {
		change(&config)
	}
	r.url = "http://" + config.Listen
	go func() { r.ended <- Run(ctx, config) }()
	t.Cleanup(stop)
	return r
}

// get returns the answer, asking again while nobody listens.
func (r *running) get(t *testing.T, path, host string) (status int, body string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			defer response.Body.Close()
			content, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			return response.StatusCode, string(content)
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// awaitReady asks until the server says that it is ready.
func (r *running) awaitReady(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		if status, _ := r.get(t, "/readyz", ""); status == http.StatusOK {
			return
		}
	}
	t.Fatal("the server does not become ready")
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

func TestReadiness(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.free = make(chan struct{})
	r := run(t, f, hello, nil)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/": 503, "/metrics": 200} {
		if status, body := r.get(t, path, ""); status != want {
			t.Errorf("before: %s answers %d, want %d: %s", path, status, want, body)
		}
	}
	close(f.free)
	r.awaitReady(t)
	if status, body := r.get(t, "/", ""); status != 200 || body != "hello" {
		t.Errorf("ready: %d %s", status, body)
	}
	if status, body := r.get(t, "/metrics", ""); status != 200 || !strings.Contains(body, `tallystick_http_request_duration_seconds_count{method="GET"`) {
		t.Errorf("metrics: %d\n%s", status, body)
	}
	r.stop()
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	if response, err := http.Get(r.url + "/healthz"); err == nil {
		response.Body.Close()
		t.Errorf("after the end it answers %d", response.StatusCode)
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	r := run(t, newFake(), hello, func(c *Config) { c.AllowedHosts = []string{"models.example.org"} })
	r.awaitReady(t)
	for host, want := range map[string]int{
		"": 200, "localhost": 200, "LOCALHOST:80": 200, "127.0.0.1:1": 200, "[::1]:8750": 200, "models.example.org": 200,
		"evil.example.org": 421, "evil.example.org:8750": 421, "localhost.evil.example.org": 421, "127.0.0.1.evil.example.org": 421,
	} {
		if status, body := r.get(t, "/", host); status != want {
			t.Errorf("host %q: %d, want %d: %s", host, status, want, body)
		}
	}
}

// TestStop stops a server while a request is under way: it is answered, and what it recorded is sealed.
func TestStop(t *testing.T) {
	t.Parallel()
	f := newFake()
	entered, leave := make(chan struct{}), make(chan struct{})
	r := run(t, f, func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		f.acts.Add(1)
		hello(w, nil)
	}, nil)
	r.awaitReady(t)
	answer := make(chan string, 1)
	go func() {
		response, err := http.Get(r.url + "/")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		answer <- string(body) + errorText(err)
	}()
	<-entered
	r.stop()
	for { // until it takes no more
		c, err := net.DialTimeout("tcp", strings.TrimPrefix(r.url, "http://"), time.Second)
		if err != nil {
			break
		}
		c.Close()
	}
	select {
	case err := <-r.ended:
		t.Fatalf("the server ended with a request under way: %v", err)
	default:
	}
	close(leave)
	if got := <-answer; got != "hello" {
		t.Errorf("the request under way was answered %q", got)
	}
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	if f.sealed.Load() != 2 || !f.stopped.Load() {
		t.Errorf("%d acts were sealed, want the request's and the stop", f.sealed.Load())
	}
}

func errorText(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestPanic(t *testing.T) {
	t.Parallel()
	r := run(t, newFake(), func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			hello(w, nil)
			_ = http.NewResponseController(w).Flush() // what fails here fails the reader
		}
		panic("the cause")
	}, nil)
	r.awaitReady(t)
	status, body := r.get(t, "/early", "")
	if status != 500 || strings.Contains(body, "the cause") {
		t.Errorf("a panic is answered %d: %s", status, body)
	}
	if log := r.log.String(); !strings.Contains(log, "the cause") || !strings.Contains(log, "server_test.go") {
		t.Errorf("the log does not say why:\n%s", log)
	}
	response, err := http.Get(r.url + "/late")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("an answer that was cut off seems whole")
	}
	if status, _ := r.get(t, "/healthz", ""); status != 200 {
		t.Errorf("after panics: %d", status)
	}
}

// TestFatal ends the server when nothing can be sealed any more.
func TestFatal(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := run(t, f, hello, nil)
	r.awaitReady(t)
	f.fault <- errors.New("the disk is gone")
	if err := <-r.ended; err == nil || !strings.Contains(err.Error(), "the disk is gone") {
		t.Errorf("the server ended with %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certificate, key := writePair(t, dir, "one")
	_, otherKey := writePair(t, dir, "other")
	junk := filepath.Join(dir, "junk.pem")
	if err := os.WriteFile(junk, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	taken := freeListener(t)
	for name, test := range map[string]struct {
		change func(*Config)
		code   tallystick.Code
		says   string
	}{
		"open to others":    {func(c *Config) { c.Listen = "0.0.0.0:0" }, tallystick.Invalid, "without TLS"},
		"certificate alone": {func(c *Config) { c.Certificate = certificate }, tallystick.Invalid, "needs its key"},
		"key alone":         {func(c *Config) { c.Key = key }, tallystick.Invalid, "needs its key"},
		"no certificate":    {func(c *Config) { c.Certificate, c.Key = junk, key }, tallystick.Invalid, "junk.pem"},
		"another's key":     {func(c *Config) { c.Certificate, c.Key = certificate, otherKey }, tallystick.Invalid, "other.key"},
		"no file":           {func(c *Config) { c.Certificate, c.Key = filepath.Join(dir, "none.pem"), key }, tallystick.Invalid, "none.pem"},
		"taken":             {func(c *Config) { c.Listen = taken }, tallystick.Unavailable, taken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, newFake(), hello, test.change)
			select {
			case err := <-r.ended:
				message, hint := tallystick.Words(err)
				if tallystick.CodeOf(err) != test.code || !strings.Contains(message, test.says) || strings.Contains(message, "\n") || hint == "" {
					t.Errorf("%v (hint %q)", err, hint)
				}
			case <-time.After(2 * time.Minute):
				t.Error("it runs")
			}
		})
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	certificate, key := writePair(t, t.TempDir(), "server")
	r := run(t, newFake(), hello, func(c *Config) { c.Certificate, c.Key = certificate, key })
	pem, err := os.ReadFile(certificate)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	url := strings.Replace(r.url, "http:", "https:", 1)
	for deadline := time.Now().Add(2 * time.Minute); ; {
		response, err := client.Get(url + "/readyz")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v, %v", response, err)
		}
	}
}

func freeListener(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// writePair makes a certificate for this machine.
func writePair(t *testing.T, dir, name string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	for path, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

// jobs are as a test says.
type jobs struct {
	list []schedule.Standing
	err  error
}

func (j jobs) Standings(context.Context) ([]schedule.Standing, error) { return j.list, j.err }

func TestJobsAreTold(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	r := run(t, newFake(), hello, func(c *Config) {
		c.Jobs = jobs{list: []schedule.Standing{
			{Name: "new", Period: time.Minute},
			{Name: "reconcile", Period: time.Hour, Began: noon, Took: 1500 * time.Millisecond, Succeeded: noon, Failures: 2, Failed: 5, Fault: "a secret"},
		}}
	})
	r.awaitReady(t)
	want := "ready\njob new: has not run yet\njob reconcile: failed 2 times in a row, last succeeded 2026-03-03T12:00:00Z\n"
	if _, body := r.get(t, "/readyz", ""); body != want {
		t.Errorf("readiness says %q, want %q", body, want)
	}
	_, body := r.get(t, "/metrics", "")
	for _, line := range []string{
		`tallystick_job_last_success_timestamp_seconds{job="reconcile"} 1.7725392e+09`,
		`tallystick_job_last_duration_seconds{job="reconcile"} 1.5`,
		`tallystick_job_failures_total{job="reconcile"} 5`,
		`tallystick_job_period_seconds{job="new"} 60`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
	if strings.Contains(body, `success_timestamp_seconds{job="new"}`) {
		t.Error("a job that never ran has succeeded")
	}
	lost := run(t, newFake(), hello, func(c *Config) { c.Jobs = jobs{err: errors.New("the database is gone")} })
	lost.awaitReady(t)
	if status, body := lost.get(t, "/readyz", ""); status != 200 || body != "ready\njobs: unknown\n" {
		t.Errorf("without a database: %d %q", status, body)
	}
	if status, _ := lost.get(t, "/metrics", ""); status != 200 {
		t.Errorf("without a database the metrics answer %d", status)
	}
}
