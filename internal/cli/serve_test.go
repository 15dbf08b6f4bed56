package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
)

const passphrase = "gravel otter lantern vinegar mosaic"

// serving is a `tallystick serve` that runs as a process of its own.
type serving struct {
	t       *testing.T
	cmd     *exec.Cmd
	address string        // URL; empty if it ended before it listened
	gone    chan struct{} // closed once the process has ended
	faults  []string      // lines that it logged as errors; read them once it is gone
}

// serve starts the program and waits until it listens. started is called, if it is not nil, before.
func (h home) serve(started func(*os.Process)) *serving {
	h.t.Helper()
	return h.served(h.command("serve", "--listen", "127.0.0.1:0"), started)
}

// served is serve with a command that runs the server.
func (h home) served(cmd *exec.Cmd, started func(*os.Process)) *serving {
	h.t.Helper()
	s := &serving{t: h.t, cmd: cmd, gone: make(chan struct{})}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	if started != nil {
		started(s.cmd.Process)
	}
	listening := make(chan string, 1)
	go func() {
		defer close(s.gone)
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var line struct{ Level, Msg, Address string }
			switch err := json.Unmarshal(lines.Bytes(), &line); {
			case err != nil || line.Level == "ERROR":
				s.faults = append(s.faults, lines.Text())
			case line.Msg == "listening":
				listening <- "http://" + line.Address
			}
		}
		_ = s.cmd.Wait() // the caller looks at the state
	}()
	select {
	case s.address = <-listening:
	case <-s.gone:
	case <-time.After(2 * time.Minute):
		_ = s.cmd.Process.Kill()
		h.t.Fatal("the server does not listen")
	}
	return s
}

// stop ends the server in good order.
func (s *serving) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	<-s.gone
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Errorf("the server ended with %d: %s", code, strings.Join(s.faults, "\n"))
	}
}

// client returns a client of the server with its own transport.
func (s *serving) client(token string) *client.Client {
	s.t.Helper()
	c, err := client.New(client.Config{Server: s.address, Token: token})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// firstAdmin exchanges the bootstrap secret and returns a token of the first administrator.
func (s *serving) firstAdmin(h home) string {
	s.t.Helper()
	secret, err := os.ReadFile(filepath.Join(h.workspace(), "bootstrap-secret"))
	if err != nil {
		s.t.Fatal(err)
	}
	nobody := s.client("")
	s.must(nobody.Post(s.t.Context(), "/bootstrap", map[string]string{"secret": strings.TrimSpace(string(secret)), "name": "root", "passphrase": passphrase}, nil))
	return s.token(s.signIn("root"))
}

func (s *serving) signIn(name string) *client.Client {
	s.t.Helper()
	return s.client(s.session(name))
}

// session opens a session of somebody and returns its secret.
func (s *serving) session(name string) string {
	s.t.Helper()
	var opened struct{ Secret string }
	s.must(s.client("").Post(s.t.Context(), "/sessions", map[string]string{"name": name, "passphrase": passphrase}, &opened))
	return opened.Secret
}

func (s *serving) token(c *client.Client) string {
	s.t.Helper()
	var minted struct{ Secret string }
	s.must(c.Post(s.t.Context(), "/tokens", map[string]any{"label": "test"}, &minted))
	return minted.Secret
}

// addPerson adds a person and returns a token of theirs.
func (s *serving) addPerson(admin *client.Client, name string, roles ...string) string {
	s.t.Helper()
	var invited struct{ Link string }
	s.must(admin.Post(s.t.Context(), "/users", map[string]any{"name": name, "roles": roles}, &invited))
	s.must(s.client("").Post(s.t.Context(), "/enrolments/redemption", map[string]string{"link": invited.Link, "passphrase": passphrase}, nil))
	return s.token(s.signIn(name))
}

func (s *serving) must(_ client.Receipt, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// workspace returns the directory of the workspace that the program uses if it is told none.
func (h home) workspace() string { return h.path(filepath.Join("data", "tallystick")) }

// reading returns what a download yields, or the error that ends it.
func reading(ctx context.Context, c *client.Client, path string) ([]byte, error) {
	r, err := c.Download(ctx, path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Unavailable, "download %s: %w", path, err)
	}
	return content, nil
}
