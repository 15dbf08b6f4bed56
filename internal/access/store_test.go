package access

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
)

const origin = "tallystick.test/access"

// bench is a store over a new database, with a clock that stands still.
type bench struct {
	*Store
	db       *state.DB
	recorder *trail.Recorder
	reader   *trail.Reader
	clock    *clock
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func setup(t testing.TB) bench {
	t.Helper()
	c := &clock{at: noon}
	dir := filepath.Join(t.TempDir(), "w")
	db, err := state.Open(t.Context(), state.Config{URL: postgrestest.IfChosen(t), Path: filepath.Join(dir, "state.db"), Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	recorder, err := trail.NewRecorder(trail.RecorderConfig{DB: db, Source: origin, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	s := New(Config{DB: db, Recorder: recorder, Now: c.now, BootstrapFile: filepath.Join(dir, "bootstrap")})
	s.hasher.cost = cost{memory: 8, passes: 1, threads: 1} // the tests' time goes to what they test
	return bench{s, db, recorder, trail.NewReader(db, origin), c}
}

// as carries out what propose returns, as the registry does.
func (b bench) as(t testing.TB, p Principal, propose func(tx *state.Tx) (trail.Change, error)) (trail.Change, error) {
	t.Helper()
	var change trail.Change
	err := b.db.Write(t.Context(), func(tx *state.Tx) (err error) {
		change, err = propose(tx)
		if err != nil || change == nil {
			return err
		}
		_, err = b.recorder.Commit(tx, trail.Act{Actor: p.Actor()}, change)
		return err
	})
	return change, err
}

func (b bench) must(t testing.TB, propose func(tx *state.Tx) (trail.Change, error)) trail.Change {
	t.Helper()
	change, err := b.as(t, Local("root"), propose)
	if err != nil {
		t.Fatal(err)
	}
	return change
}

// add adds a user, and redeems the link of a person.
func (b bench) add(t testing.TB, name string, roles ...Role) User {
	t.Helper()
	link := NewSecret(EnrolmentSecret, b.clock.now())
	b.must(t, func(tx *state.Tx) (trail.Change, error) {
		return b.AddUser(tx, NewUser{Name: name, Roles: roles, Link: link})
	})
	if !slices.Contains(roles, Service) {
		if _, err := b.Redeem(t.Context(), link.Reveal(), goodPassphrase); err != nil {
			t.Fatal(err)
		}
	}
	u, err := b.User(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (b bench) token(t testing.TB, by Principal, n NewToken) (Secret, error) {
	t.Helper()
	n.Secret = NewSecret(TokenSecret, b.clock.now())
	_, err := b.as(t, by, func(tx *state.Tx) (trail.Change, error) { return b.CreateToken(tx, by, n) })
	return n.Secret, err
}

func (b bench) mustToken(t testing.TB, by Principal, n NewToken) Secret {
	t.Helper()
	s, err := b.token(t, by, n)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (b bench) login(t testing.TB, name string) (Secret, Principal) {
	t.Helper()
	s, p, err := b.Login(t.Context(), name, goodPassphrase)
	if err != nil {
		t.Fatal(err)
	}
	return s, p.Principal
}

// remember presents secrets until the store answers from memory.
func (b bench) remember(t testing.TB, secrets ...Secret) {
	t.Helper()
	b.clock.advance(cacheLasts) // since the last change
	for _, s := range secrets {
		b.authenticate(t, s)
		if _, _, ok := b.cache.get(s, b.clock.now()); !ok {
			t.Fatalf("%s is not remembered", s)
		}
	}
}

func (b bench) authenticate(t testing.TB, s Secret) Principal {
	t.Helper()
	p, err := b.Authenticate(t.Context(), s.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (b bench) events(t testing.TB, kind trail.Type) []trail.Event {
	t.Helper()
	events, err := b.reader.Events(t.Context(), trail.Filter{Type: kind, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func (b bench) replay(t testing.TB) error {
	t.Helper()
	scratch, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "r", "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = scratch.Close() }()
	_, err = trail.Replayer{Changes: Changes(), Tables: Tables()}.Check(t.Context(), b.reader, scratch)
	return err
}

func wantCode(t testing.TB, what string, err error, want tallystick.Code) {
	t.Helper()
	if tallystick.CodeOf(err) != want {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

// TestRandomWalk lets admins, people and programs do what they please, for which the trail accounts; then
// it touches every table by hand, for which the trail does not.
func TestRandomWalk(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			walk(t, b, rand.New(rand.NewPCG(seed, 1)), 250)
			if err := b.replay(t); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func walk(t *testing.T, b bench, random *rand.Rand, steps int) {
	t.Helper()
	ctx := t.Context()
	if _, err := b.OfferBootstrap(ctx, trail.Actor{ID: "tallystick", Kind: KindProgram}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Exchange(ctx, b.bootstrapText(t), "root", goodPassphrase); err != nil {
		t.Fatal(err)
	}
	names := []string{"root", "ada", "grace", "ci", "alan", "nightly", "edsger"}
	services := []string{"ci", "nightly"}
	var links, secrets []Secret
	pick := func(from []Secret) (s Secret, ok bool) {
		if len(from) == 0 {
			return Secret{}, false
		}
		return from[random.IntN(len(from))], true
	}
	done := map[trail.Type]int{}
	for range steps {
		b.clock.advance(time.Duration(random.IntN(600)) * time.Second)
		name := names[random.IntN(len(names))]
		role := Roles()[random.IntN(len(Roles()))]
		var change trail.Change
		var err error
		act := func(propose func(tx *state.Tx) (trail.Change, error)) {
			change, err = b.as(t, Local("root"), propose)
		}
		switch link := NewSecret(EnrolmentSecret, b.clock.now()); random.IntN(12) {
		case 0:
			roles := []Role{role}
			if slices.Contains(services, name) {
				roles = []Role{Service}
			}
			act(func(tx *state.Tx) (trail.Change, error) {
				return b.AddUser(tx, NewUser{Name: name, Roles: roles, Link: link})
			})
			links = append(links, link)
		case 1:
			act(func(tx *state.Tx) (trail.Change, error) { return b.Grant(tx, name, role) })
		case 2:
			act(func(tx *state.Tx) (trail.Change, error) { return b.Revoke(tx, name, role) })
		case 3:
			if random.IntN(8) == 0 {
				act(func(tx *state.Tx) (trail.Change, error) { return b.Disable(tx, name) })
			}
		case 4:
			act(func(tx *state.Tx) (trail.Change, error) { return b.Enrol(tx, name, link) })
			links = append(links, link)
		case 5, 6:
			if link, ok := pick(links); ok {
				_, err = b.Redeem(ctx, link.Reveal(), goodPassphrase)
			}
		case 7, 8:
			var s Secret
			if s, _, err = b.Login(ctx, name, goodPassphrase); err == nil {
				secrets = append(secrets, s)
			}
		case 9, 10:
			by := Local("root")
			if s, ok := pick(secrets); ok && random.IntN(3) > 0 {
				if p, err := b.Authenticate(ctx, s.Reveal()); err == nil {
					by = p
				}
			}
			n := NewToken{Label: "for " + name, Lasts: time.Duration(1+random.IntN(48)) * time.Hour}
			if random.IntN(2) == 0 || by.ID == "root" {
				n.User = services[random.IntN(2)]
			}
			if random.IntN(2) == 0 {
				n.Scopes = []Action{CatalogRead, TokenRevoke}
			}
			var s Secret
			if s, err = b.token(t, by, n); err == nil {
				secrets = append(secrets, s)
			}
		case 11:
			if s, ok := pick(secrets); ok {
				act(func(tx *state.Tx) (trail.Change, error) {
					if s.Kind() == SessionSecret {
						return b.CloseSession(tx, Local("root"), s.ID())
					}
					return b.RevokeToken(tx, Local("root"), s.ID())
				})
			}
		}
		if code := tallystick.CodeOf(err); code == tallystick.Internal {
			t.Fatal(err)
		}
		if change != nil && err == nil {
			kind, _ := change.Subject()
			done[kind]++
		}
	}
	for _, kind := range []trail.Type{trail.UserAdded, trail.UserGranted, trail.UserRevoked, trail.EnrolmentCreated} {
		if done[kind] == 0 {
			t.Errorf("the walk has no %s", kind.Short())
		}
	}
	for _, kind := range []trail.Type{trail.EnrolmentRedeemed, trail.SessionOpened, trail.TokenCreated} {
		if len(b.events(t, kind)) == 0 {
			t.Errorf("the walk has no %s", kind.Short())
		}
	}
}

// TestReplayFindsTouches gives rights behind the trail's back, in every way there is.
func TestReplayFindsTouches(t *testing.T) {
	t.Parallel()
	hash := string(tallystick.DigestOf([]byte("mine")))
	for name, test := range map[string]struct{ change, want string }{
		"untouched":             {"SELECT 1", ""},
		"names exchanged":       {"UPDATE users SET name = 'mallory' WHERE name = 'ada'", "its name is"},
		"name erased":           {"UPDATE users SET name = NULL WHERE name = 'ada'", "its name is"},
		"a disabled user back":  {"UPDATE users SET state = 'active' WHERE state = 'disabled'", "its state is"},
		"another passphrase":    {"UPDATE users SET credential_digest = '" + hash + "' WHERE name = 'ada'", "its credential_digest is"},
		"a program as a person": {"UPDATE users SET kind = 'person' WHERE kind = 'service'", "its kind is"},
		"a role":                {"INSERT INTO grants (user_id, role, granted_ms, event) SELECT id, 'admin', 0, 1 FROM users WHERE name = 'ada'", "stands in the database and not on the trail"},
		"a role taken":          {"DELETE FROM grants WHERE role = 'scientist'", "stands on the trail and not in the database"},
		"another token":         {"UPDATE tokens SET secret_digest = '" + hash + "'", "its secret_digest is"},
		"a wider token":         {"UPDATE tokens SET scopes = ''", "its scopes is"},
		"a longer token":        {"UPDATE tokens SET expires_ms = expires_ms + 1", "its expires_ms is"},
		"a token of another":    {"UPDATE tokens SET user_id = (SELECT id FROM users WHERE name = 'root')", "its user_id is"},
		"another minter":        {"UPDATE tokens SET minter = 'local'", "its minter is"},
		"a token back":          {"UPDATE tokens SET revoked_ms = NULL", "its revoked_ms is"},
		"another session":       {"UPDATE sessions SET secret_digest = '" + hash + "'", "its secret_digest is"},
		"a session back":        {"UPDATE sessions SET closed_ms = NULL WHERE closed_ms IS NOT NULL", "its closed_ms is"},
		"another link":          {"UPDATE enrolments SET secret_digest = '" + hash + "'", "its secret_digest is"},
		"a link back":           {"UPDATE enrolments SET ended_ms = NULL", "its ended_ms is"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.add(t, "root", Admin)
			b.add(t, "ada", Scientist)
			b.add(t, "ci", Service)
			b.add(t, "alan", Viewer)
			_, ada := b.login(t, "ada")
			token := b.mustToken(t, ada, NewToken{Scopes: []Action{CatalogRead}, Label: "laptop"})
			_, alan := b.login(t, "alan")
			b.must(t, func(tx *state.Tx) (trail.Change, error) { return b.RevokeToken(tx, ada, token.ID()) })
			b.must(t, func(tx *state.Tx) (trail.Change, error) { return b.Disable(tx, alan.ID) })
			err := b.db.Write(t.Context(), func(tx *state.Tx) error {
				rows, err := tx.Query(test.change)
				if err != nil {
					return err
				}
				for rows.Next() {
				}
				return rows.Err()
			})
			if err != nil {
				t.Fatal(err)
			}
			switch err := b.replay(t); {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), test.want)):
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// TestNothingSecretIsKept looks for secrets, passphrases and names where they must not be: in the whole
// database file, and in leaves.
func TestNothingSecretIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada@example.org", Scientist)
	session, p := b.login(t, "ada@example.org")
	token := b.mustToken(t, p, NewToken{Label: "my laptop at home"})
	err := b.db.Read(t.Context(), func(tx *state.Tx) error {
		rows, err := tx.Query("SELECT leaf, disclosures FROM events")
		if err != nil {
			return err
		}
		for rows.Next() {
			var leaf, disclosures []byte
			if err := rows.Scan(&leaf, &disclosures); err != nil {
				return err
			}
			for _, personal := range []string{"ada@example.org", "my laptop", goodPassphrase, "argon2id"} {
				if strings.Contains(string(leaf), personal) {
					t.Errorf("%q stands in the clear in %s", personal, leaf)
				}
			}
			for _, secret := range []string{session.Reveal()[22:], token.Reveal()[22:], goodPassphrase, "argon2id"} {
				if strings.Contains(string(leaf)+string(disclosures), secret) {
					t.Errorf("%q stands on the trail", secret)
				}
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{token, b.events(t, trail.TokenCreated)} {
		raw, err := json.Marshal(v)
		if err != nil || strings.Contains(string(raw), token.Reveal()[22:]) {
			t.Errorf("%s, %v", raw, err)
		}
	}
}

// TestErasure erases a name as a privacy officer will: what the user did stays, and the trail still
// accounts for it.
func TestErasure(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.add(t, "ada@example.org", Scientist)
	err := b.db.Write(context.WithoutCancel(t.Context()), func(tx *state.Tx) error {
		_, err := tx.Exec("UPDATE events SET disclosures = ? WHERE sequence = 1", []byte("[]"))
		if err == nil {
			_, err = tx.Exec("UPDATE users SET name = NULL WHERE id = ?", u.ID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.replay(t); err != nil {
		t.Error(err)
	}
	again, err := b.User(t.Context(), u.ID)
	if err != nil || again.Name != "" || again.State != Active {
		t.Errorf("%+v, %v", again, err)
	}
	names, err := b.Names(t.Context(), []string{u.ID, "root"})
	if err != nil || len(names) != 0 {
		t.Errorf("%v, %v", names, err)
	}
}
