package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	startWait = time.Minute
	stopWait  = 30 * time.Second
)

// process is a running server.
type process struct {
	cmd     *exec.Cmd
	address string
	ready   time.Duration // from the start until it answered that it is ready
	said    *bytes.Buffer // what it has logged; read once it has ended
}

// start starts a server and returns once it is ready.
func start(ctx context.Context, o options) (*process, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	s := &process{address: "http://" + address, said: new(bytes.Buffer)}
	s.cmd = exec.CommandContext(ctx, o.program, "serve", "--listen", address, "--workspace", filepath.Join(o.dir, "workspace"), "--log", "warn") //nolint:gosec // the program that is measured
	s.cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+absolute(filepath.Join(o.dir, "state")))
	s.cmd.Stdout, s.cmd.Stderr = s.said, s.said
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(os.Interrupt) }
	s.cmd.WaitDelay = stopWait
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for time.Since(began) < startWait {
		if answers(ctx, s.address+"/readyz") {
			s.ready = time.Since(began)
			return s, nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil, fmt.Errorf("the server is not ready after %s: %w\n%s", startWait, s.stop(), s.said)
}

func absolute(path string) string {
	if all, err := filepath.Abs(path); err == nil {
		return all
	}
	return path
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func answers(ctx context.Context, address string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// memory returns the most memory that the server has had resident, in MiB.
func (s *process) memory() (int, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if rest, found := strings.CutPrefix(lines.Text(), "VmHWM:"); found {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return n / 1024, err
		}
	}
	return 0, fmt.Errorf("the system does not tell: %w", lines.Err())
}

// ticks is how the system counts processor time (USER_HZ, which Linux has fixed).
const ticks = 100

// processor returns the processor time that the server has used.
func (s *process) processor() (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:])) // from the third field on
	if len(fields) < 13 {
		return 0, fmt.Errorf("the system tells %d fields of a process", len(fields))
	}
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticks, err
}

// How long a server is waited for that still does what it does after a start, and what counts as rest.
const (
	settleWait = 3 * time.Minute
	settleLook = time.Second
	settleRest = settleLook / 20 // of the processor
)

// settle waits until the server rests, so that nothing that it does by itself is counted as part of an answer.
func (s *process) settle(ctx context.Context) error {
	before, err := s.processor()
	for waited := time.Duration(0); err == nil && waited < settleWait; waited += settleLook {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settleLook):
		}
		var now time.Duration
		if now, err = s.processor(); now-before <= settleRest {
			break
		}
		before = now
	}
	return err
}

// used is what the server has used since it was started.
type used struct {
	processor time.Duration
	rows      int // taken from the database; 0 if the server does not tell
}

func (s *process) used(ctx context.Context) (u used, err error) {
	if u.processor, err = s.processor(); err != nil {
		return u, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address+"/metrics", nil)
	if err != nil {
		return u, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return u, err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if rest, found := strings.CutPrefix(lines.Text(), "tallystick_database_rows_read_total "); found {
			n, err := strconv.ParseFloat(rest, 64)
			u.rows = int(n)
			return u, err
		}
	}
	return u, lines.Err()
}

// stop ends the server in good order.
func (s *process) stop() error {
	_ = s.cmd.Process.Signal(os.Interrupt) // it may have ended
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("the server: %w\n%s", err, s.said)
		}
		return nil
	case <-time.After(stopWait):
		return fmt.Errorf("the server does not stop: %w", s.cmd.Process.Kill())
	}
}
