// Package postgrestest gives tests databases on a PostgreSQL server: the one that .ci/postgres has
// started and of which TALLYSTICK_TEST_POSTGRES is the URL. Tests are skipped where it is not set.
//
// Where it is, TALLYSTICK_TEST_STATE=postgres makes whole suites that otherwise use a file run on it.
package postgrestest

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

const variable = "TALLYSTICK_TEST_POSTGRES"

// New makes an empty database, which is dropped when the test ends, and returns its URL.
func New(t testing.TB) string {
	t.Helper()
	server := os.Getenv(variable)
	if server == "" {
		t.Skip("needs a PostgreSQL server: eval \"$(.ci/postgres start DIR)\"")
	}
	name := "test_" + strings.ToLower(rand.Text())
	t.Cleanup(func() { Exec(t, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	return create(t, server, name)
}

// IfChosen does as New if TALLYSTICK_TEST_STATE is "postgres"; else it returns "", which in a
// state.Config means a file.
func IfChosen(t testing.TB) string {
	t.Helper()
	if os.Getenv("TALLYSTICK_TEST_STATE") != "postgres" {
		return ""
	}
	return New(t)
}

func create(t testing.TB, server, name string) string {
	t.Helper()
	Exec(t, server, "CREATE DATABASE "+name)
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// Exec runs statements on a connection of their own.
func Exec(t testing.TB, url, query string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(ctx, query)
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Cluster is a server of one test's own, which it may kill.
type Cluster struct {
	dir string
}

// NewCluster starts a server and returns it with the URL of an empty database.
func NewCluster(t testing.TB) (*Cluster, string) {
	t.Helper()
	if os.Getenv(variable) == "" {
		t.Skip("needs a PostgreSQL server: eval \"$(.ci/postgres start DIR)\"")
	}
	root, err := os.MkdirTemp("", "postgres-*") // a short path, which that of a socket must be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(root); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(root, 0o755); err != nil { //nolint:gosec // the server runs as another user
		t.Fatal(err)
	}
	c := &Cluster{dir: filepath.Join(root, "c")}
	out := c.run(t, "start")
	t.Cleanup(func() { c.Stop(t, "immediate") })
	_, rest, _ := strings.Cut(out, variable+"='")
	server, _, found := strings.Cut(rest, "'")
	if !found {
		t.Fatalf("the server says %q", out)
	}
	return c, create(t, server, "state")
}

// Stop stops the server: "fast", or "immediate", as a crash does. It may have stopped already.
func (c *Cluster) Stop(t testing.TB, mode string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(c.dir, "data", "postmaster.pid")); err == nil {
		c.run(t, "stop", mode)
	}
}

// Restart starts a server that has stopped.
func (c *Cluster) Restart(t testing.TB) {
	t.Helper()
	c.run(t, "restart")
}

func (c *Cluster) run(t testing.TB, action string, args ...string) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	script := filepath.Join(filepath.Dir(file), "..", "..", "..", ".ci", "postgres")
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), script, append([]string{action, c.dir}, args...)...) //nolint:gosec // G204: a script of ours
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", script, action, err, problems.String())
	}
	return string(out)
}
