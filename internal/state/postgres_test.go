package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
)

func TestPostgresRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare string // SQL
		query   string // of the URL
		code    tallystick.Code
		message string
	}{
		"tables of another application": {"CREATE TABLE orders (id int)", "", tallystick.Invalid, "another application"},
		"events of another application": {"CREATE TABLE events (id int)", "", tallystick.Invalid, "another application"},
		"synchronous_commit off":        {"DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET synchronous_commit = off'; END $$", "", tallystick.Invalid, "synchronous_commit"},
		"a URL that switches it off":    {"SELECT 1", "&synchronous_commit=off", tallystick.Invalid, "synchronous_commit"},
		"no schema":                     {"DROP SCHEMA public", "", tallystick.Invalid, "search_path"},
		"no such user":                  {"SELECT 1", "&user=nobody_there", tallystick.Invalid, "refuses the user"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := postgrestest.New(t)
			postgrestest.Exec(t, url, test.prepare)
			db, err := Open(t.Context(), Config{URL: url + test.query})
			if err == nil {
				db.Close()
				t.Fatal("opened")
			}
			if tallystick.CodeOf(err) != test.code || !strings.Contains(err.Error(), test.message) {
				t.Errorf("error %q with code %q, want %q with %q", err, tallystick.CodeOf(err), test.message, test.code)
			}
		})
	}
}

func TestPostgresRefusesNewer(t *testing.T) {
	t.Parallel()
	url := postgrestest.New(t)
	open(t, Config{URL: url})
	postgrestest.Exec(t, url, "INSERT INTO migrations (version_id, is_applied) VALUES (9999, true)")
	if _, err := Open(t.Context(), Config{URL: url}); tallystick.CodeOf(err) != tallystick.Conflict || !strings.Contains(err.Error(), "schema 9999") {
		t.Errorf("a newer schema: %v", err)
	}
}

// TestPostgresRefusesToForget opens a database on a server that does not sync.
func TestPostgresRefusesToForget(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	t.Parallel()
	cluster, url := postgrestest.NewCluster(t)
	postgrestest.Exec(t, url, "ALTER SYSTEM SET fsync = off")
	cluster.Stop(t, "fast")
	cluster.Restart(t)
	db, err := Open(t.Context(), Config{URL: url})
	if err == nil {
		db.Close()
	}
	if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), "fsync off") {
		t.Errorf("fsync off: %v", err)
	}
}

// TestPasswordIsNotTold opens what cannot be opened, in each way that there is, and looks for the
// password in the error.
func TestPasswordIsNotTold(t *testing.T) {
	t.Parallel()
	const password = "kneipp-4711"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	listener.Close()
	for _, raw := range []string{
		"postgres://tally:" + password + "@" + closed + "/state",
		"postgres://tally@" + closed + "/state?password=" + password,
		"postgres://tally:" + password + "@" + closed + "/state?sslmode=" + password,
		"postgres://tally:" + password + "@" + closed + "/state?connect_timeout=soon",
		"postgres://tally:" + password + "@" + closed + ":port/state",
		"postgres://tally:" + password + "@[" + closed + "/state",
		"postgres://tally:" + password + "%zz@" + closed + "/state",
		"mysql://tally:" + password + "@" + closed + "/state",
		"tally:" + password + "@" + closed,
	} {
		var logged strings.Builder
		db, err := Open(t.Context(), Config{URL: raw, Logger: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		if err == nil {
			db.Close()
			t.Errorf("%s: opened", raw)
		} else if all := fmt.Sprintf("%v %+v %#v %s", err, err, err, logged.String()); strings.Contains(all, password) {
			t.Errorf("%s: the password is told: %s", raw, all)
		} else if code := tallystick.CodeOf(err); code != tallystick.Invalid && code != tallystick.Unavailable {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// TestConnectionLost ends the writer's connection before, while and after a group runs: no caller is
// told something false, and the database goes on without being opened again.
func TestConnectionLost(t *testing.T) {
	t.Parallel()
	url := postgrestest.New(t)
	db := open(t, Config{URL: url})
	kill := "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

	postgrestest.Exec(t, url, kill) // idle connections
	if err := db.Write(t.Context(), insert("after a loss")); err != nil {
		t.Errorf("the write after the connection was lost: %v", err)
	}
	if got := notes(t, db); len(got) != 1 {
		t.Errorf("notes %q", got)
	}

	first := true
	errs := together(t, db, insert("neighbour"), func(tx *Tx) error {
		if first {
			first = false
			postgrestest.Exec(t, url, kill)
		}
		return insert("lost once")(tx)
	}, insert("last"))
	if err := errors.Join(errs...); err != nil {
		t.Errorf("a loss before the commit: %v", err)
	}
	if diff := cmp.Diff([]string{"after a loss", "neighbour", "lost once", "last"}, notes(t, db)); diff != "" {
		t.Error(diff)
	}
}

// TestConnectionLostInCommit cuts the connection to the server when the commit is on its way, and when
// its answer is.
func TestConnectionLostInCommit(t *testing.T) {
	t.Parallel()
	for name, committed := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := postgrestest.New(t)
			p := newProxy(t, direct)
			db := open(t, Config{URL: p.url})
			p.cut.Store(map[bool]int32{false: cutRequest, true: cutAnswer}[committed])
			errs := together(t, db, insert("one"), insert("two"))
			for _, err := range errs {
				if !errors.Is(err, ErrOutcomeUnknown) || tallystick.CodeOf(err) != tallystick.Unavailable {
					t.Errorf("a commit without an answer: %v", err)
				}
			}
			if err := db.Write(t.Context(), insert("next")); err != nil {
				t.Fatal(err)
			}
			want := []string{"next"}
			if committed {
				want = []string{"one", "two", "next"}
			}
			if diff := cmp.Diff(want, notes(t, db)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const (
	cutNothing int32 = iota
	cutRequest       // drop a connection instead of handing on its commit
	cutAnswer        // drop a connection after handing on its commit
)

// proxy stands between a database and its users.
type proxy struct {
	url string
	cut atomic.Int32
}

func newProxy(t *testing.T, direct string) *proxy {
	t.Helper()
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	server := u.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	u.Host = listener.Addr().String()
	p := &proxy{url: u.String()}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client, server)
		}
	}()
	return p
}

func (p *proxy) serve(client net.Conn, address string) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	var silent atomic.Bool
	go func() {
		defer client.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if silent.Load() { // the server has answered: it has committed
				return
			}
			if n > 0 {
				_, _ = client.Write(buffer[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		if strings.Contains(string(buffer[:n]), "; COMMIT") {
			if p.cut.CompareAndSwap(cutRequest, cutNothing) {
				return
			}
			if p.cut.CompareAndSwap(cutAnswer, cutNothing) {
				silent.Store(true)
			}
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// TestServerCrash crashes the server while many callers write, and starts it again: everything that was
// acknowledged is there, and the database goes on.
func TestServerCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	t.Parallel()
	cluster, url := postgrestest.NewCluster(t)
	db := open(t, Config{URL: url, BusyTimeout: 20 * time.Second})
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	refused := map[string]bool{}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	acks := make(chan struct{}, 1)
	for caller := range 8 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				note := fmt.Sprintf("%d/%d", caller, n)
				err := db.Write(t.Context(), insert(note))
				mu.Lock()
				switch {
				case err == nil:
					acknowledged[note] = true
					select {
					case acks <- struct{}{}:
					default:
					}
				case !errors.Is(err, ErrOutcomeUnknown):
					refused[note] = true
				}
				mu.Unlock()
			}
		})
	}
	await := func() {
		for range 50 {
			<-acks
		}
	}
	for range 3 {
		await()
		cluster.Stop(t, "immediate")
		cluster.Restart(t)
	}
	await()
	stop()
	wg.Wait()
	present := map[string]bool{}
	for _, note := range notes(t, db) {
		present[note] = true
	}
	for note := range acknowledged {
		if !present[note] {
			t.Errorf("note %s was acknowledged and is not there", note)
		}
	}
	for note := range refused {
		if present[note] {
			t.Errorf("note %s was refused and is there", note)
		}
	}
	t.Logf("%d acknowledged, %d refused", len(acknowledged), len(refused))
}

func TestBusyServer(t *testing.T) {
	t.Parallel()
	url := postgrestest.New(t)
	one := open(t, Config{URL: url})
	other := open(t, Config{URL: url, BusyTimeout: 20 * time.Millisecond})
	release := hold(t, one)
	err := other.Write(t.Context(), insert("too soon"))
	if tallystick.CodeOf(err) != tallystick.Unavailable || errors.Is(err, ErrOutcomeUnknown) || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("while another process writes: %v", err)
	}
	release()
	if err := other.Write(t.Context(), insert("then")); err != nil {
		t.Error(err)
	}
}

// TestWatchOthers sees what another process has committed.
func TestWatchOthers(t *testing.T) {
	t.Parallel()
	url := postgrestest.New(t)
	one, other := open(t, Config{URL: url}), open(t, Config{URL: url})
	changed, stop := one.Watch()
	defer stop()
	<-changed // that it listens
	if err := other.Write(t.Context(), insert("news")); err != nil {
		t.Fatal(err)
	}
	<-changed
	postgrestest.Exec(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'")
	<-changed // that it listens again
}

// TestSettings are those that a session must have, whatever the server and the URL say.
func TestSettings(t *testing.T) {
	t.Parallel()
	url := postgrestest.New(t)
	db := open(t, Config{URL: url + "&synchronous_commit=local&lock_timeout=0&default_transaction_isolation=serializable", BusyTimeout: 7 * time.Second})
	settings := func(tx *Tx) error {
		for name, want := range map[string]string{"synchronous_commit": "on", "lock_timeout": "7s", "transaction_isolation": "read committed", "statement_timeout": "1min", "idle_in_transaction_session_timeout": "1min"} {
			var got string
			if err := tx.QueryRow("SELECT current_setting(?)", name).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %q, %v, want %q", name, got, err, want)
			}
		}
		return nil
	}
	if err := db.Write(t.Context(), settings); err != nil {
		t.Error(err)
	}
}

// TestPostgresCheck finds what somebody with the rights of an owner has done.
func TestPostgresCheck(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ change, want string }{
		"nothing":                {"SELECT 1", ""},
		"a trigger switched off": {"ALTER TABLE events DISABLE TRIGGER events_stay", "the trigger events_stay of events is switched off"},
		"a dangling reference":   {"SET session_replication_role = replica; INSERT INTO intents VALUES (7)", "intents row 7 refers to nothing in events"},
		"a constraint made again without a look": {
			"ALTER TABLE events DROP CONSTRAINT events_sequence_check; INSERT INTO events VALUES (-1, '', ''); ALTER TABLE events ADD CHECK (sequence >= 1) NOT VALID",
			"events: a row breaks events_sequence_check",
		},
		"an index that lacks a row": {
			`CREATE EXTENSION amcheck; INSERT INTO events VALUES (1, '', '');
				UPDATE pg_index SET indisready = false, indislive = false WHERE indexrelid = 'retired_keys_pkey'::regclass;
				INSERT INTO retired_keys VALUES ('a', 1); UPDATE pg_index SET indisready = true, indislive = true WHERE indexrelid = 'retired_keys_pkey'::regclass`,
			"is damaged",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := postgrestest.New(t)
			db := open(t, Config{URL: url})
			postgrestest.Exec(t, url, test.change)
			err := db.Check(t.Context())
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("check says %v, want %q", err, test.want)
			}
		})
	}
}

func TestPostgresBackupSaysHow(t *testing.T) {
	t.Parallel()
	db := open(t, Config{URL: postgrestest.New(t)})
	err := db.Backup(t.Context(), t.TempDir()+"/copy")
	var known *tallystick.Error
	if !errors.As(err, &known) || known.Code != tallystick.Invalid || !strings.Contains(known.Hint, "pg_dump") {
		t.Errorf("backup: %v", err)
	}
}
