package access

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
)

func (b bench) bootstrapText(t testing.TB) string {
	t.Helper()
	raw, err := os.ReadFile(b.config.BootstrapFile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

var program = trail.Actor{ID: "tallystick", Kind: KindProgram}

func TestBootstrap(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	if offered, err := b.OfferBootstrap(ctx, program); !offered || err != nil {
		t.Fatalf("%v, %v", offered, err)
	}
	if offered, err := b.OfferBootstrap(ctx, program); offered || err != nil {
		t.Errorf("on the second start: %v, %v", offered, err)
	}
	info, err := os.Stat(b.config.BootstrapFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	first := b.bootstrapText(t)
	if err := b.RenewBootstrap(ctx, program); err != nil {
		t.Fatal(err)
	}
	second := b.bootstrapText(t)
	_, err = b.Exchange(ctx, first, "ada", goodPassphrase)
	wantCode(t, "a secret that was replaced", err, tallystick.Conflict)
	_, err = b.Exchange(ctx, second, "ada", "short")
	wantCode(t, "a bad passphrase", err, tallystick.Invalid)
	_, err = b.Exchange(ctx, second, "a b", goodPassphrase)
	wantCode(t, "a bad name", err, tallystick.Invalid)
	_, err = b.Redeem(ctx, second, goodPassphrase)
	wantCode(t, "the secret as a link", err, tallystick.Unauthorized)
	_, err = b.Authenticate(ctx, second)
	wantCode(t, "the secret as a token", err, tallystick.Unauthorized)

	b.clock.advance(bootstrapLasts - time.Millisecond)
	u, err := b.Exchange(ctx, second, "ada", goodPassphrase)
	if err != nil || u.State != Active || !slices.Equal(u.Roles, []Role{Admin}) {
		t.Fatalf("%+v, %v", u, err)
	}
	if _, err := os.Stat(b.config.BootstrapFile); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	_, err = b.Exchange(ctx, second, "grace", goodPassphrase)
	wantCode(t, "a second time", err, tallystick.Conflict)
	wantCode(t, "another secret, with an admin", b.RenewBootstrap(ctx, program), tallystick.Conflict)
	if _, p := b.login(t, "ada"); p.Allows(UserManage, trail.Resource{}) != nil {
		t.Error("the first admin may not manage users")
	}
	events := b.events(t, trail.BootstrapExchanged)
	if len(events) != 1 || events[0].Actor != u.ID || events[0].Resource.ID != u.ID {
		t.Errorf("%+v", events)
	}
	if err := b.replay(t); err != nil {
		t.Error(err)
	}
}

func TestBootstrapEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.OfferBootstrap(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	b.clock.advance(bootstrapLasts)
	_, err := b.Exchange(t.Context(), b.bootstrapText(t), "ada", goodPassphrase)
	wantCode(t, "at its end", err, tallystick.Conflict)
	if err == nil || !strings.Contains(err.Error(), "user bootstrap --renew") {
		t.Errorf("%v does not say how to have another", err)
	}
	if offered, err := b.OfferBootstrap(t.Context(), program); offered || err != nil {
		t.Errorf("a start after it ended: %v, %v", offered, err)
	}
}

// TestExchangeTogether has many exchange one secret: one becomes the admin.
func TestExchangeTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.OfferBootstrap(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	secret := b.bootstrapText(t)
	var errs [8]error
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { _, errs[i] = b.Exchange(t.Context(), secret, fmt.Sprint("admin-", i), goodPassphrase) })
	}
	group.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			wantCode(t, "a loser", err, tallystick.Conflict)
		}
	}
	users, err := b.Users(t.Context(), UserFilter{})
	if won != 1 || len(users) != 1 || err != nil {
		t.Errorf("%d have won, there are %d users, %v", won, len(users), err)
	}
}
