package access

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/tallystick/tallystick"
)

// A name may be tried freeAttempts times; after that each failure in a row doubles the time until the
// next attempt counts, up to longestDelay. That is 100 failures a day and no more (NIST SP 800-63B-4
// section 3.2.2 allows 100 in a row), and whoever owns the name is never locked out for longer. A
// success, or a day of quiet, forgets the failures.
const (
	freeAttempts  = 5
	firstDelay    = time.Second
	longestDelay  = 15 * time.Minute
	attemptMemory = 24 * time.Hour
	maxAttempts   = 10_000 // names remembered
)

// attempts limits how often a passphrase is tried. Names that do not exist are limited like others, so
// that the limit does not tell which do.
type attempts struct {
	mu    sync.Mutex
	names map[[sha256.Size]byte]attempt
}

type attempt struct {
	failures int
	last     time.Time
	next     time.Time // when another attempt counts
}

func newAttempts() *attempts {
	return &attempts{names: make(map[[sha256.Size]byte]attempt)}
}

// begin counts an attempt as failed until succeed is called, so that many at once are no way around. It
// is an Unavailable error if it comes too early.
func (a *attempts) begin(name string, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := sha256.Sum256([]byte(name))
	is, known := a.names[key]
	if known && now.Sub(is.last) >= attemptMemory {
		is = attempt{}
	}
	if now.Before(is.next) {
		wait := is.next.Sub(now).Round(time.Second) + time.Second
		return tallystick.Errorf(tallystick.Unavailable, "too many attempts to sign in by this name have failed").
			WithHint("try again in %s", wait)
	}
	if !known && len(a.names) >= maxAttempts {
		a.forgetLeast()
	}
	is.failures++
	is.last = now
	if over := is.failures - freeAttempts; over >= 0 {
		is.next = now.Add(min(longestDelay, firstDelay<<min(over, 20)))
	}
	a.names[key] = is
	return nil
}

// succeed forgets the failures of a name.
func (a *attempts) succeed(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.names, sha256.Sum256([]byte(name)))
}

// forgetLeast makes room. Names with many failures stay longest, so that trying many others is no way
// to have a limit lifted.
func (a *attempts) forgetLeast() {
	var least [sha256.Size]byte
	var found attempt
	for key, is := range a.names {
		if found.failures == 0 || is.failures < found.failures || is.failures == found.failures && is.last.Before(found.last) {
			least, found = key, is
		}
	}
	delete(a.names, least)
}
