package workspace_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

func onServer(t *testing.T) workspace.Config {
	t.Helper()
	cfg := config(t.TempDir())
	cfg.Database = postgrestest.New(t)
	return cfg
}

// TestStateOnServer makes a workspace with its state on a server, seals in two processes' turns, rotates
// a key, and checks everything.
func TestStateOnServer(t *testing.T) {
	t.Parallel()
	cfg := onServer(t)
	first, second := open(t, cfg), open(t, cfg)
	var group sync.WaitGroup
	for _, w := range []*workspace.Workspace{first, second} {
		group.Go(func() {
			for range 3 {
				record(t, w, "m")
				if _, err := w.Seal(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	found, err := open(t, cfg).CheckAll(t.Context())
	if err != nil || !found.OK() || found.Events != 9 || found.Unsealed != 0 { // workspace, two keys, six models
		t.Errorf("check: %+v, %v", found, err)
	}
	for _, line := range found.Lines {
		if line.Subject == "state.db" {
			t.Errorf("the check speaks of a file: %+v", line)
		}
	}
	if _, err := os.Stat(filepath.Join(cfg.Dir, "state.db")); err == nil {
		t.Error("there is a file for the state too")
	}
	_, err = first.Backup(t.Context(), filepath.Join(t.TempDir(), "backup"))
	if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), "pg_dump") {
		t.Errorf("backup: %v", err)
	}
	postgrestest.Exec(t, cfg.Database, "ALTER TABLE events DISABLE TRIGGER USER; UPDATE events SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), '\"low\"', '\"nil\"'), 'UTF8') WHERE sequence = 5")
	found, err = first.CheckAll(t.Context())
	if err != nil || found.OK() {
		t.Errorf("check of a changed event: %+v, %v", found, err)
	}
}

func TestStateStaysWhereItIs(t *testing.T) {
	t.Parallel()
	server := onServer(t)
	open(t, server)
	withoutServer := server
	withoutServer.Database = ""
	file := config(t.TempDir())
	open(t, file)
	moved := file
	moved.Database = postgrestest.New(t)
	stranger := config(t.TempDir())
	stranger.Database = server.Database
	sealed := onServer(t)
	if _, err := open(t, sealed).Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	sealed.Database = postgrestest.New(t)
	for name, test := range map[string]struct {
		cfg  workspace.Config
		want string
	}{
		"without its server":            {withoutServer, "on a PostgreSQL server"},
		"on a server though in a file":  {moved, "in its own file"},
		"another workspace's database":  {stranger, "the trail of another workspace"},
		"an empty database, and sealed": {sealed, "the database is empty"},
	} {
		if w, err := workspace.Open(t.Context(), test.cfg); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				_ = w.Close()
			}
		}
	}
}

// TestKeepSealedThroughCrash crashes the database server under a server that records and seals into a
// real ledger.
func TestKeepSealedThroughCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	t.Parallel()
	cluster, url := postgrestest.NewCluster(t)
	cfg := config(t.TempDir())
	cfg.Database = url
	w := open(t, cfg)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- w.KeepSealed(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	var acknowledged []string
	for round := range 3 {
		for n := 0; n < 20; {
			r, err := w.Recorder.Record(t.Context(), trail.Entry{
				Type: trail.ModelRegistered, Actor: alice, Resource: trail.Resource{Type: "model", ID: "m"}, Outcome: tallystick.Success,
				Data: map[string]any{"model": "m", "tier": "low", "owner": "alice"},
			})
			if err == nil {
				acknowledged = append(acknowledged, r.ID)
				n++
			}
		}
		if round < 2 {
			cluster.Stop(t, "immediate")
			cluster.Restart(t)
		}
	}
	deadline := time.Now().Add(2 * time.Minute)
	for {
		n, _, err := w.Trail.Unsealed(t.Context())
		if err == nil && n == 0 {
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("sealing has ended: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d events not sealed, %v", n, err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("sealing: %v", err)
	}
	for _, id := range acknowledged {
		if e, err := w.Trail.Event(t.Context(), id); err != nil || e.Index == nil {
			t.Errorf("event %s: %v", id, err)
		}
	}
	if found, err := w.CheckAll(t.Context()); err != nil || !found.OK() {
		t.Errorf("check: %+v, %v", found, err)
	}
}
