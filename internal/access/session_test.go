package access

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.add(t, "ada@example.org", Scientist)
	b.invite(t, "grace")
	b.add(t, "ci", Service)
	session, p, err := b.Login(t.Context(), "Ada@Example.org", goodPassphrase)
	if err != nil || p.ID != u.ID || p.Session != session.ID() || p.Token != "" || p.Kind != KindPerson {
		t.Fatalf("%+v, %v", p, err)
	}
	events := b.events(t, trail.SessionOpened)
	if len(events) != 1 || events[0].Actor != u.ID {
		t.Errorf("%+v", events)
	}
	var messages []string
	for name, passphrase := range map[string]string{
		"ada@example.org": goodPassphrase + "!", "grace": goodPassphrase, "ci": goodPassphrase, "nobody": goodPassphrase, "no name": goodPassphrase,
		"": "", "ada@example.org ": goodPassphrase, u.ID: goodPassphrase,
	} {
		_, _, err := b.Login(t.Context(), name, passphrase)
		wantCode(t, name, err, tallystick.Unauthorized)
		messages = append(messages, err.Error())
	}
	for _, m := range messages {
		if m != messages[0] {
			t.Errorf("%q and %q tell who there is", m, messages[0])
		}
	}
}

// TestCredentialIsTheTrails puts another hash in the place of a person's.
func TestCredentialIsTheTrails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada", Admin)
	const mine = "mallory's own passphrase"
	hash, err := b.hasher.hash(t.Context(), mine)
	if err != nil {
		t.Fatal(err)
	}
	err = b.db.Write(t.Context(), func(tx *state.Tx) error {
		_, err := tx.Exec("UPDATE credentials SET passphrase = ?", hash)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = b.Login(t.Context(), "ada", mine)
	wantCode(t, "a passphrase that is not on the trail", err, tallystick.Unauthorized)
}

// TestSessionEnds looks at the moments around both ends of a session.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada", Scientist)
	authenticate := func(s Secret) error {
		_, err := b.Authenticate(t.Context(), s.Reveal())
		return err
	}

	idle, _ := b.login(t, "ada")
	b.clock.advance(sessionIdle - time.Millisecond)
	wantCode(t, "just before idle", authenticate(idle), "")
	b.clock.advance(sessionIdle - time.Millisecond)
	wantCode(t, "used since", authenticate(idle), "")
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.clock.advance(sessionIdle)
	wantCode(t, "idle", authenticate(idle), tallystick.Unauthorized)
	wantCode(t, "idle, asked again", authenticate(idle), tallystick.Unauthorized)

	busy, _ := b.login(t, "ada")
	opened := b.clock.now()
	for b.clock.now().Sub(opened) < sessionLasts-time.Minute {
		b.clock.advance(time.Minute)
		wantCode(t, "busy", authenticate(busy), "")
	}
	b.clock.advance(time.Minute - time.Millisecond)
	wantCode(t, "at its last moment", authenticate(busy), "")
	b.clock.advance(time.Millisecond)
	wantCode(t, "at its end", authenticate(busy), tallystick.Unauthorized)
}

// TestSessionOverRestart goes on with a session in another process, which knows of its use what was
// flushed.
func TestSessionOverRestart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada", Scientist)
	session, p := b.login(t, "ada")
	b.clock.advance(sessionIdle / 2)
	b.authenticate(t, session)
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.clock.advance(sessionIdle - time.Minute)
	other := New(b.config)
	if _, err := other.Authenticate(t.Context(), session.Reveal()); err != nil {
		t.Error(err)
	}
	open, err := other.Sessions(t.Context(), p.ID)
	if err != nil || len(open) != 1 || open[0].LastUsed == nil || !open[0].LastUsed.Equal(noon.Add(sessionIdle/2)) {
		t.Errorf("%+v, %v", open, err)
	}
}

func TestCloseSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "root", Admin)
	b.add(t, "ada", Scientist)
	b.add(t, "grace", Scientist)
	_, root := b.login(t, "root")
	first, ada := b.login(t, "ada")
	second, _ := b.login(t, "ada")
	_, grace := b.login(t, "grace")
	closeBy := func(by Principal, s Secret) (trail.Change, error) {
		return b.as(t, by, func(tx *state.Tx) (trail.Change, error) { return b.CloseSession(tx, by, s.ID()) })
	}
	_, err := closeBy(grace, first)
	wantCode(t, "somebody else's", err, tallystick.Forbidden)
	_, err = closeBy(ada, NewSecret(SessionSecret, noon))
	wantCode(t, "one that is not there", err, tallystick.NotFound)
	for _, test := range []struct {
		by Principal
		s  Secret
	}{{ada, first}, {root, second}} {
		b.remember(t, test.s)
		if change, err := closeBy(test.by, test.s); change == nil || err != nil {
			t.Fatalf("%v, %v", change, err)
		}
		_, err = b.Authenticate(t.Context(), test.s.Reveal())
		wantCode(t, "a closed session", err, tallystick.Unauthorized)
		if change, err := closeBy(test.by, test.s); change != nil || err != nil {
			t.Errorf("closed twice: %v, %v", change, err)
		}
	}
}

func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada", Scientist)
	for range maxSessions {
		b.login(t, "ada")
	}
	_, _, err := b.Login(t.Context(), "ada", goodPassphrase)
	wantCode(t, "one more", err, tallystick.Conflict)
	b.clock.advance(sessionLasts)
	b.login(t, "ada")
}

// TestBruteForce guesses one person's passphrase for an hour, every second, while the person is
// signed in; then lets the person in.
func TestBruteForce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.add(t, "ada", Scientist)
	session, _ := b.login(t, "ada")
	tried := 0
	const guesses = 3600
	for i := range guesses {
		b.clock.advance(time.Second)
		_, _, err := b.Login(t.Context(), "ada", goodPassphrase+" ")
		switch tallystick.CodeOf(err) {
		case tallystick.Unauthorized:
			tried++
		case tallystick.Unavailable:
			if !strings.Contains(err.Error(), "try again in") {
				t.Fatal(err)
			}
		default:
			t.Fatal(err)
		}
		if i%1800 == 0 {
			b.authenticate(t, session)
		}
	}
	if tried < 10 || tried > 20 {
		t.Errorf("%d of %d guesses were tried", tried, guesses)
	}
	b.clock.advance(longestDelay)
	b.login(t, "ada")
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	told, events := 0, b.events(t, trail.LoginRefused)
	for _, e := range events {
		data, err := e.Data()
		if err != nil || data["user"] != u.ID || e.Outcome != tallystick.Denied {
			t.Fatalf("%v, %v", data, err)
		}
		n, _ := data["count"].(float64)
		told += int(n)
	}
	if told != guesses {
		t.Errorf("the events tell of %d refusals, there were %d", told, guesses)
	}
	if most := 61 * refusalsEach * 2; len(events) > most {
		t.Errorf("%d events, want at most %d", len(events), most)
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRefusals()
	told := 0
	for i := range 3 * maxRefusals {
		told += r.count(refusal{newID(userPrefix, noon.Add(time.Duration(i))), reasonToken}, noon).count
	}
	if len(r.counts) > maxRefusals+1 {
		t.Errorf("%d are remembered", len(r.counts))
	}
	for _, d := range r.due(noon.Add(refusalsPeriod)) {
		told += d.count
	}
	if told != 3*maxRefusals || len(r.counts) != 0 {
		t.Errorf("%d are told of, %d are left", told, len(r.counts))
	}
}

// TestRefusalsWait has refusals told late, as the trail cannot be written when they are due.
func TestRefusalsWait(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const guesses = 20
	for range guesses {
		_, _, err := b.Login(t.Context(), "nobody", goodPassphrase)
		if err == nil {
			t.Fatal("let in")
		}
	}
	b.clock.advance(refusalsPeriod)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Flush(ended); err == nil {
		t.Fatal("flushed without a database")
	}
	b.clock.advance(refusalsPeriod)
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, e := range b.events(t, trail.LoginRefused) {
		data, err := e.Data()
		if err != nil || data["user"] != nil {
			t.Errorf("%v, %v", data, err)
		}
		n, _ := data["count"].(float64)
		told += int(n)
	}
	if told != guesses {
		t.Errorf("the events tell of %d refusals, there were %d", told, guesses)
	}
}

// TestRevokedTokenIsTold presents a token that was revoked, which somebody should know of.
func TestRevokedTokenIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada", Scientist)
	_, ada := b.login(t, "ada")
	token := b.mustToken(t, ada, NewToken{})
	b.must(t, func(tx *state.Tx) (trail.Change, error) { return b.RevokeToken(tx, ada, token.ID()) })
	for range 10 {
		_, err := b.Authenticate(t.Context(), token.Reveal())
		wantCode(t, "a revoked token", err, tallystick.Unauthorized)
	}
	events := b.events(t, trail.LoginRefused)
	if len(events) != refusalsEach || events[0].Resource.ID != ada.ID {
		t.Errorf("%d events: %+v", len(events), events)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	bench := setup(b)
	bench.add(b, "ada", Scientist, Validator)
	_, ada := bench.login(b, "ada")
	text := bench.mustToken(b, ada, NewToken{}).Reveal()
	bench.clock.advance(cacheLasts)
	run := func(b *testing.B) {
		for b.Loop() {
			if _, err := bench.Authenticate(b.Context(), text); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("cached", run)
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			bench.cache.distrust()
			if _, err := bench.Authenticate(b.Context(), text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPassphrase(b *testing.B) {
	h := newHasher()
	for b.Loop() {
		if _, err := h.hash(b.Context(), goodPassphrase); err != nil {
			b.Fatal(err)
		}
	}
}
