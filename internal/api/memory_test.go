package api_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/access"
)

// generated yields the same n bytes each time, and holds none of them.
type generated struct{ at, n int64 }

func (g *generated) Read(p []byte) (int, error) {
	if g.at == g.n {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), g.n-g.at)]
	for i := range p {
		p[i] = byte((g.at + int64(i)) * 0x9e3779b1 >> 13)
	}
	g.at += int64(len(p))
	return len(p), nil
}

// growth calls fn and returns by how much the heap grew meanwhile, at most.
func growth(fn func()) uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, peak := m.HeapInuse, m.HeapInuse
	ctx, stop := context.WithCancel(context.Background())
	sampled := make(chan bool)
	go func() {
		defer close(sampled)
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	}()
	fn()
	stop()
	<-sampled
	return peak - before
}

// TestConstantMemory sends a large file up and gets it back; it is never in memory as a whole. It does
// not run beside others, whose memory would count.
func TestConstantMemory(t *testing.T) { //nolint:paralleltest // see above
	if testing.Short() {
		t.Skip("writes 256 MiB")
	}
	const size, limit = 256 << 20, 32 << 20
	hash := sha256.New()
	if _, err := io.Copy(hash, &generated{n: size}); err != nil {
		t.Fatal(err)
	}
	d := tallystick.Digest(fmt.Sprintf("sha256:%x", hash.Sum(nil)))
	for _, network := range []bool{true, false} {
		t.Run(fmt.Sprintf("network=%v", network), func(t *testing.T) {
			h := newHouse(t)
			ada := h.as("ada", access.Scientist)
			ask(t, ada, "POST", "/models", map[string]any{"name": "credit", "state": "experimental"}).want(t, http.StatusOK)
			ask(t, ada, "POST", "/models/credit/versions", map[string]any{
				"version": "1", "manifest": []any{map[string]any{"name": "weights.bin", "digest": d, "size": size}},
			}).want(t, http.StatusOK)
			config := client.Config{Server: "http://localhost", Transport: client.Handler{Handler: ada}}
			if network {
				server := httptest.NewServer(ada)
				defer server.Close()
				config = client.Config{Server: server.URL}
			}
			c, err := client.New(config)
			if err != nil {
				t.Fatal(err)
			}
			up := growth(func() {
				open := func() (io.ReadCloser, error) { return io.NopCloser(&generated{n: size}), nil }
				if err := c.Upload(t.Context(), "/models/credit/artifacts/"+string(d), size, open, nil); err != nil {
					t.Fatal(err)
				}
			})
			down := growth(func() {
				r, err := c.Download(t.Context(), "/models/credit/versions/1/files/weights.bin")
				if err != nil {
					t.Fatal(err)
				}
				hash := sha256.New()
				n, err := io.Copy(hash, r)
				_ = r.Close()
				if got := tallystick.Digest(fmt.Sprintf("sha256:%x", hash.Sum(nil))); n != size || got != d || err != nil {
					t.Errorf("%d bytes with the digest %s came back: %v", n, got, err)
				}
			})
			t.Logf("the heap grew by %d KiB at most while %d MiB went up, and by %d KiB while they came down", up>>10, size>>20, down>>10)
			if up > limit || down > limit {
				t.Errorf("more than %d MiB", limit>>20)
			}
		})
	}
}
