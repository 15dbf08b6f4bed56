package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
	stopWait  = 2 * time.Minute // it cuts what is in the journal
	maxAnswer = 64 << 20        // bytes
)

// process is a running server.
type process struct {
	cmd     *exec.Cmd
	dir     string
	address string
	said    *bytes.Buffer // what it has logged; read once it has ended
}

// start starts a server and returns once it is ready.
func start(ctx context.Context, o options) (*process, error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	s := &process{dir: dir, address: "http://" + address, said: new(bytes.Buffer)}
	s.cmd = exec.CommandContext(ctx, o.program, "serve", "--listen", address, "--workspace", s.file("workspace"), "--log", "warn") //nolint:gosec // the program that is measured
	s.cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+s.file("state"))
	s.cmd.Stdout, s.cmd.Stderr = s.said, s.said
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(os.Interrupt) }
	s.cmd.WaitDelay = stopWait
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for began := time.Now(); time.Since(began) < startWait; time.Sleep(5 * time.Millisecond) {
		if _, err := s.get(ctx, "/readyz"); err == nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("the server is not ready after %s: %w", startWait, s.stop())
}

// file returns the path of a file of the server.
func (s *process) file(names ...string) string {
	return filepath.Join(append([]string{s.dir}, names...)...)
}

func readAll(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, maxAnswer)) }

func (s *process) get(ctx context.Context, path string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address+path, nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := readAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(answer.Status)
	}
	return string(body), err
}

// memory returns what the server has resident now, and has had at most, in MiB.
func (s *process) memory() (now, most int, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		for name, into := range map[string]*int{"VmRSS:": &now, "VmHWM:": &most} {
			if len(fields) == 3 && fields[0] == name {
				kib, err := strconv.Atoi(fields[1])
				if err != nil {
					return 0, 0, err
				}
				*into = kib / 1024
			}
		}
	}
	return now, most, nil
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

// stop ends the server in good order.
func (s *process) stop() error {
	_ = s.cmd.Process.Signal(os.Interrupt) // it may have ended
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil || s.said.Len() > 0 {
			return fmt.Errorf("the server: %v\n%s", err, s.said) //nolint:errorlint // it may have ended well, and have warned of something
		}
		return nil
	case <-time.After(stopWait):
		return fmt.Errorf("the server does not stop: %w", s.cmd.Process.Kill())
	}
}
