package access

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestCache shows that answers come from memory, for as long as is said and no longer: a change made
// behind the store's back, as by another process, is seen after that.
func TestCache(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada", Scientist)
	_, ada := b.login(t, "ada")
	token := b.mustToken(t, ada, NewToken{})
	b.clock.advance(cacheLasts)
	b.authenticate(t, token)
	err := b.db.Write(t.Context(), func(tx *state.Tx) error {
		_, err := tx.Exec("UPDATE tokens SET revoked_ms = 1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.clock.advance(cacheLasts - 1)
	b.authenticate(t, token)
	b.clock.advance(1)
	_, err = b.Authenticate(t.Context(), token.Reveal())
	wantCode(t, "after the memory has ended", err, tallystick.Unauthorized)
}

// TestCacheTicket has an answer of the database come late, after a change that it does not know of.
func TestCacheTicket(t *testing.T) {
	t.Parallel()
	c := &clock{at: noon}
	cache := newCache(c.now)
	s := NewSecret(TokenSecret, noon)
	_, ticket, _ := cache.get(s, noon)
	cache.distrust()
	c.advance(cacheLasts)
	cache.put(s, holder{state: Active}, c.now(), ticket)
	if _, _, ok := cache.get(s, c.now()); ok {
		t.Error("an answer from before a change is believed after it")
	}
	_, ticket, _ = cache.get(s, c.now())
	cache.put(s, holder{state: Active}, c.now(), ticket)
	if h, _, ok := cache.get(s, c.now()); !ok || h.state != Active {
		t.Error("an answer is not remembered")
	}
	for i := range maxCached + 10 {
		cache.put(NewSecret(TokenSecret, noon.Add(time.Duration(i))), holder{}, c.now(), ticket)
	}
	if len(cache.entries) > maxCached {
		t.Errorf("%d are remembered", len(cache.entries))
	}
}

// TestRevocationAmongMany presents tokens from many goroutines while they are revoked: once a revocation
// is acknowledged, nobody who asks afterwards is let in.
func TestRevocationAmongMany(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada", Scientist)
	_, ada := b.login(t, "ada")
	for round := range 15 {
		token := b.mustToken(t, ada, NewToken{})
		b.clock.advance(cacheLasts)
		var revoked, stop atomic.Bool
		var group sync.WaitGroup
		for range 6 {
			group.Go(func() {
				for !stop.Load() {
					after := revoked.Load()
					if _, err := b.Authenticate(t.Context(), token.Reveal()); err == nil && after {
						t.Error("let in after the revocation was acknowledged")
						return
					}
					if after {
						return
					}
				}
			})
		}
		_, err := b.as(t, ada, func(tx *state.Tx) (trail.Change, error) { return b.RevokeToken(tx, ada, token.ID()) })
		revoked.Store(true)
		if err != nil {
			stop.Store(true)
			t.Error(fmt.Errorf("round %d: %w", round, err))
		}
		group.Wait()
	}
}
