package cli_test

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/api"
)

// TestUploadKill kills the server in the middle of an upload: nothing of it stays, and the next goes through.
func TestUploadKill(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program several times")
	}
	t.Parallel()
	h := newHome(t)
	s := h.serve(nil)
	token := s.firstAdmin(h)
	s.must(s.client(token).Post(t.Context(), "/models", map[string]any{"name": "credit", "owner": "ada", "state": "experimental"}, nil))
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<19) // 8 MiB
	digest := tallystick.DigestOf(body)
	before := fileBytes(t, h.workspace())

	read, write := io.Pipe()
	go func() { // half of it, and then no more until the server is gone
		_, _ = write.Write(body[:len(body)/2])
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.address+api.Prefix+"/models/credit/artifacts/"+string(digest), read)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/octet-stream")
	r.ContentLength = int64(len(body))
	ended := make(chan error, 1)
	go func() {
		response, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			response.Body.Close()
		}
		ended <- err
	}()
	for deadline := time.Now().Add(2 * time.Minute); fileBytes(t, h.workspace())-before < int64(len(body))/4; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the upload does not reach the disk")
		}
	}
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.gone
	write.CloseWithError(io.ErrUnexpectedEOF)
	if err := <-ended; err == nil {
		t.Error("the upload was acknowledged")
	}

	s = h.serve(nil)
	c := s.client(token)
	if err := c.Get(t.Context(), "/models/credit/artifacts/"+string(digest), nil); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("half an upload is in the store: %v", err)
	}
	if left := fileBytes(t, h.workspace()) - before; left > 1<<20 {
		t.Errorf("%d bytes of it are left on disk", left)
	}
	if err := c.Upload(t.Context(), "/models/credit/artifacts/"+string(digest), int64(len(body)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }, nil); err != nil {
		t.Errorf("the next upload: %v", err)
	}
	s.stop()
	h.run(0, "fsck")
}

// fileBytes returns the bytes of the files below dir, but for those of the database.
func fileBytes(t *testing.T, dir string) (total int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || filepath.Dir(path) == dir {
			return nil //nolint:nilerr // it was there a moment ago
		}
		if info, err := entry.Info(); err == nil {
			total += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}
