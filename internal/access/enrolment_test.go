package access

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func (b bench) invite(t testing.TB, name string) Secret {
	t.Helper()
	link := NewSecret(EnrolmentSecret, b.clock.now())
	b.must(t, func(tx *state.Tx) (trail.Change, error) {
		return b.AddUser(tx, NewUser{Name: name, Roles: []Role{Viewer}, Link: link})
	})
	return link
}

// TestRedeemTogether has many redeem one link at one time, with passphrases of their own: one wins, and
// it is that one's passphrase that counts.
func TestRedeemTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	link := b.invite(t, "ada")
	const people = 12
	var group sync.WaitGroup
	var errs [people]error
	passphrase := func(i int) string { return goodPassphrase + strings.Repeat("x", i) }
	for i := range people {
		group.Go(func() { _, errs[i] = b.Redeem(t.Context(), link.Reveal(), passphrase(i)) })
	}
	group.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("%d and %d have redeemed one link", winner, i)
		case err == nil:
			winner = i
		default:
			wantCode(t, "a loser", err, tallystick.Conflict)
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	if n := len(b.events(t, trail.EnrolmentRedeemed)); n != 1 {
		t.Errorf("%d events", n)
	}
	if _, _, err := b.Login(t.Context(), "ada", passphrase(winner)); err != nil {
		t.Error(err)
	}
	_, _, err := b.Login(t.Context(), "ada", passphrase((winner+1)%people))
	wantCode(t, "a loser's passphrase", err, tallystick.Unauthorized)
}

func TestLinkEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	link := b.invite(t, "ada")
	b.clock.advance(linkLasts - time.Millisecond)
	e, err := b.Enrolment(t.Context(), link.Reveal())
	if err != nil || e.User.Name != "ada" || !e.Expires.Equal(noon.Add(24*time.Hour)) {
		t.Fatalf("%+v, %v", e, err)
	}
	_, err = b.Redeem(t.Context(), link.Reveal(), "too short")
	wantCode(t, "a bad passphrase", err, tallystick.Invalid)
	b.clock.advance(time.Millisecond)
	_, err = b.Redeem(t.Context(), link.Reveal(), goodPassphrase)
	wantCode(t, "at its end", err, tallystick.Conflict)

	another := NewSecret(EnrolmentSecret, b.clock.now())
	b.must(t, func(tx *state.Tx) (trail.Change, error) { return b.Enrol(tx, "ada", another) })
	third := NewSecret(EnrolmentSecret, b.clock.now())
	b.must(t, func(tx *state.Tx) (trail.Change, error) { return b.Enrol(tx, "ada", third) })
	_, err = b.Redeem(t.Context(), another.Reveal(), goodPassphrase)
	wantCode(t, "a link that was replaced", err, tallystick.Conflict)
	b.clock.advance(linkLasts - time.Millisecond)
	if _, err := b.Redeem(t.Context(), third.Reveal(), goodPassphrase); err != nil {
		t.Errorf("at its last moment: %v", err)
	}
	_, err = b.Redeem(t.Context(), third.Reveal(), goodPassphrase)
	wantCode(t, "a second time", err, tallystick.Conflict)

	known := third
	known.value[0] ^= 1
	for name, presented := range map[string]string{
		"an unknown link":         NewSecret(EnrolmentSecret, noon).Reveal(),
		"another secret":          known.Reveal(),
		"a token":                 NewSecret(TokenSecret, noon).Reveal(),
		"nothing":                 "",
		"a bootstrap in its name": strings.Replace(third.Reveal(), "tle", "tlb", 1),
	} {
		_, err := b.Redeem(t.Context(), presented, goodPassphrase)
		wantCode(t, name, err, tallystick.Unauthorized)
	}
}

// TestNewPassphrase has a person who is signed in set another passphrase by a link.
func TestNewPassphrase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada", Scientist)
	session, p := b.login(t, "ada")
	token := b.mustToken(t, p, NewToken{})
	link := NewSecret(EnrolmentSecret, b.clock.now())
	b.must(t, func(tx *state.Tx) (trail.Change, error) { return b.Enrol(tx, "ada", link) })
	b.remember(t, session)
	const other = "gravel lamp Friday otter"
	if _, err := b.Redeem(t.Context(), link.Reveal(), other); err != nil {
		t.Fatal(err)
	}
	_, err := b.Authenticate(t.Context(), session.Reveal())
	wantCode(t, "a session from before", err, tallystick.Unauthorized)
	_, _, err = b.Login(t.Context(), "ada", goodPassphrase)
	wantCode(t, "the old passphrase", err, tallystick.Unauthorized)
	if _, _, err := b.Login(t.Context(), "ada", other); err != nil {
		t.Error(err)
	}
	b.authenticate(t, token) // which does not rest on the passphrase
}
