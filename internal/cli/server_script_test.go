package cli

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// serving is the server of a script.
type serving struct {
	address string
	cmd     *exec.Cmd
}

const servingKey = "server"

// cmdServer starts `tallystick serve` on a free port, or on the one that it had, and points
// TALLYSTICK_SERVER at it; kills it without warning; or stops it in good order.
func cmdServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 || len(args) > 1 && args[0] != "start" {
		ts.Fatalf("usage: server start ARG...|kill|stop")
	}
	s := ts.Value(servingKey).(*serving)
	switch args[0] {
	case "start":
		s.start(ts, args[1:])
	case "kill":
		ts.Check(s.cmd.Process.Kill())
		_ = s.cmd.Wait() // that it was killed
		ts.Setenv("TALLYSTICK_SERVER", "")
	case "stop":
		ts.Check(s.cmd.Process.Signal(syscall.SIGTERM))
		ts.Check(s.cmd.Wait())
		ts.Setenv("TALLYSTICK_SERVER", "")
	default:
		ts.Fatalf("server cannot %s", args[0])
	}
}

func (s *serving) start(ts *testscript.TestScript, args []string) {
	if s.address == "" {
		s.address = "127.0.0.1:0"
	}
	cmd := exec.Command("tallystick", append([]string{"serve", "--listen", s.address}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = os.Environ()
	for name := range homes("") {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	stderr, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	s.cmd = cmd
	ts.Defer(func() { _ = cmd.Process.Kill() }) // it may have ended
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.Msg != "listening" {
			ts.Logf("server: %s", lines.Text())
			continue
		}
		s.address = line.Address
		ts.Setenv("TALLYSTICK_SERVER", "http://"+line.Address)
		go func() {
			for lines.Scan() { // so that the server is never held up
			}
		}()
		return
	}
	_ = cmd.Wait()
	ts.Fatalf("the server ended before it listened")
}
