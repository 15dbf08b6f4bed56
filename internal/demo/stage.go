package demo

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tallystick/tallystick/internal/durable"
)

// stage is where a play happens: a server of the program with its workspace, and people with a home each,
// in which they are signed in.
type stage struct {
	Config
	address string // of the server, HOST:PORT
	server  *exec.Cmd
	told    *receiver // of the server's notifications
	request string    // the release that the play is about
	refusal refusal   // the decision of which a customer complains
	harm    string    // the incident of the pilot
	steps   int
}

func (s *stage) path(name ...string) string {
	return filepath.Join(append([]string{s.Dir}, name...)...)
}

func (s *stage) url(path string) string { return "http://" + s.address + path }

// start runs the server until stop, or until ctx ends. The second time it listens where it did before.
func (s *stage) start(ctx context.Context) error {
	if s.address == "" {
		s.address = s.Listen
	}
	log, err := os.OpenFile(s.path("server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.command(ctx, "server", "serve", "--listen", s.address, "--workspace", s.path("workspace"), "--notify-to", "http://"+s.told.address+",127.0.0.0/8")
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.Stderr = write
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	err = cmd.Start()
	write.Close()
	if err != nil {
		read.Close()
		return fmt.Errorf("start the server: %w", err)
	}
	lines := bufio.NewScanner(read)
	for lines.Scan() {
		fmt.Fprintln(log, lines.Text())
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.Msg != "listening" {
			continue
		}
		s.address, s.server = line.Address, cmd
		go s.keepLog(read) // a server whose log nobody reads would stand still
		return nil
	}
	read.Close()
	_ = cmd.Wait() // why is in the log
	return fmt.Errorf("the server ended before it listened on %s: %s", s.address, s.lastWords())
}

func (s *stage) keepLog(read *os.File) {
	defer read.Close()
	log, err := os.OpenFile(s.path("server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		_, _ = io.Copy(io.Discard, read)
		return
	}
	defer log.Close()
	_, _ = io.Copy(log, read) // until the server ends
}

// lastWords returns the last line of the server's log.
func (s *stage) lastWords() string {
	log, err := os.ReadFile(s.path("server.log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return lines[len(lines)-1]
}

// stop ends the server in good order.
func (s *stage) stop() error {
	if s.server == nil {
		return nil
	}
	cmd := s.server
	s.server = nil
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("the server ended badly: %w: %s", err, s.lastWords())
	}
	return nil
}

// answer is what came of a command.
type answer struct {
	code     int
	out, err string
}

// complaint is the one line that a refused command leaves, without the program's name.
func (a answer) complaint() string {
	said := strings.TrimSpace(a.err)
	if said == "" {
		said = strings.TrimSpace(a.out)
	}
	lines := strings.Split(said, "\n")
	return strings.TrimPrefix(lines[len(lines)-1], "tallystick: ")
}

// command is the program as somebody runs it: with a home of their own, and nothing of ours.
func (s *stage) command(ctx context.Context, who string, args ...string) *exec.Cmd {
	home := s.path("people", who)
	cmd := exec.CommandContext(ctx, s.Program, args...) //nolint:gosec // our own program
	cmd.Env = []string{
		"HOME=" + home, "XDG_DATA_HOME=" + filepath.Join(home, "data"), "XDG_STATE_HOME=" + filepath.Join(home, "state"),
		"XDG_CONFIG_HOME=" + filepath.Join(home, "config"), "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "NO_COLOR=1",
		"GOCOVERDIR=" + os.Getenv("GOCOVERDIR"),
	}
	return cmd
}

// run runs one command to its end. What it costs to remember the answer is bounded by what commands print.
func (s *stage) run(ctx context.Context, who string, args ...string) (answer, error) {
	cmd := s.command(ctx, who, args...)
	if s.Commands {
		fmt.Fprintf(s.Out, "      %s $ tallystick %s\n", who, quoted(args))
	}
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return answer{}, fmt.Errorf("tallystick %s: %w", quoted(args), err)
	}
	return answer{cmd.ProcessState.ExitCode(), out.String(), complaint.String()}, ctx.Err()
}

// ask runs a command at the server as one of the people.
func (s *stage) ask(ctx context.Context, who string, args ...string) (answer, error) {
	return s.run(ctx, who, append(args, "--server", s.url(""))...)
}

// must runs a command at the server that has to succeed, and reads its JSON into the answer, if there is one.
func (s *stage) must(ctx context.Context, who string, into any, args ...string) error {
	if into != nil {
		args = append(args, "--format", "json")
	}
	got, err := s.ask(ctx, who, args...)
	if err != nil {
		return err
	}
	if got.code != 0 {
		return fmt.Errorf("tallystick %s, as %s: exit code %d: %s", quoted(args), who, got.code, got.complaint())
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal([]byte(got.out), into); err != nil {
		return fmt.Errorf("tallystick %s: %w", quoted(args), err)
	}
	return nil
}

// all runs commands at the server that have to succeed.
func (s *stage) all(ctx context.Context, who string, commands [][]string) error {
	for _, args := range commands {
		if err := s.must(ctx, who, nil, args...); err != nil {
			return err
		}
	}
	return nil
}

// write writes a file of the play.
func (s *stage) write(name, content string) error {
	path := s.path(name)
	if err := durable.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return durable.WriteFile(path, 0o644, text(content))
}

// refused runs a command at the server that has to be refused in words that contain said, and returns
// those words.
func (s *stage) refused(ctx context.Context, who, said string, args ...string) (string, error) {
	got, err := s.ask(ctx, who, args...)
	if err != nil {
		return "", err
	}
	if got.code != 1 || !strings.Contains(got.complaint(), said) {
		return "", fmt.Errorf("tallystick %s, as %s: exit code %d and %q, where a refusal was due that says %q", quoted(args), who, got.code, got.complaint(), said)
	}
	return got.complaint(), nil
}

// passphrase makes the passphrase of one of the people, in a file that the user of this machine alone can read.
func (s *stage) passphrase(who string) (string, error) {
	path := s.path("people", who, "passphrase")
	if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	return path, durable.WriteFile(path, 0o600, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, rand.Text())
		return err
	})
}

// quoted writes arguments as a shell takes them.
func quoted(args []string) string {
	var b strings.Builder
	for i, arg := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		if arg == "" || strings.ContainsAny(arg, " '\"$&|;<>()*?") {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		b.WriteString(arg)
	}
	return b.String()
}
