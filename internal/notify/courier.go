package notify

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/dial"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	patience   = 8               // attempts in vain after which a subscription is failing
	firstDelay = 5 * time.Second // after the first attempt in vain; doubled after each
	lastDelay  = time.Hour
	gather     = 50 * time.Millisecond // in which several changes are one look at the trail
	passEvery  = 1000                  // events that are passed over before the cursor is moved for it
	faultWait  = 2 * time.Second       // after a fault of the database
)

// CourierConfig says what a courier needs. All but Client, Mail, Base and Now are required.
type CourierConfig struct {
	Store  *Store
	Trail  *trail.Reader
	Source string       // origin of the ledger
	Client *dial.Client // for all that goes out; nil: nothing does
	Mail   *MailServer  // nil: there is no e-mail
	Base   string       // URL at which people find this server, for links
	Logger *slog.Logger
	Now    func() time.Time // nil means time.Now

	delay func(attempts int) time.Duration // nil means delay; for tests
}

// Courier tells subscriptions of events. One works at a time: the process that holds the ledger.
type Courier struct {
	config CourierConfig
	feed   *feed
	topics []Topic
	counts counts

	mu      sync.Mutex
	workers map[string]*worker // under mu; by id of the subscription
}

// worker serves one subscription.
type worker struct {
	wake chan struct{}
}

// NewCourier returns a courier that does nothing yet.
func NewCourier(config CourierConfig) *Courier {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.delay == nil {
		config.delay = delay
	}
	return &Courier{config: config, feed: newFeed(config.Trail), topics: Topics(), workers: map[string]*worker{}}
}

// delay returns how long to wait after so many attempts in vain: doubled each time, up to an hour, and
// spread by a quarter, so that receivers that were down together are not asked together.
func delay(attempts int) time.Duration {
	d := lastDelay
	if attempts < 12 {
		d = min(lastDelay, firstDelay<<max(attempts-1, 0))
	}
	return d*3/4 + rand.N(d/2) //nolint:gosec // G404: nobody gains by guessing it
}

// Check returns an error unless an address may be spoken to, as far as that can be told without doing
// it.
func (c *Courier) Check(channel Channel, a Address) error {
	switch {
	case channel == Email && c.config.Mail == nil:
		return tallystick.Errorf(tallystick.Invalid, "this server sends no e-mail").WithHint("start it with --smtp URL and --smtp-from ADDRESS")
	case channel == Email:
		return nil
	case c.config.Client == nil:
		return tallystick.Errorf(tallystick.Invalid, "this server sends nothing out").WithHint("start it with --notify-to HOST")
	}
	err := c.config.Client.Check(a.URL)
	if tallystick.CodeOf(err) == tallystick.Forbidden {
		words, _ := tallystick.Words(err)
		return tallystick.Errorf(tallystick.Invalid, "%s", words).WithHint("the operator allows it with `tallystick serve --notify-to HOST`")
	}
	return err
}

// Run tells subscriptions until ctx ends. Faults of the database are logged and tried again.
func (c *Courier) Run(ctx context.Context) error {
	changed, stop := c.config.Store.config.DB.Watch()
	defer stop()
	sweeping := time.NewTicker(orphanAge)
	defer sweeping.Stop()
	c.sweep(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	ended := make(chan string)
	for {
		err := c.employ(ctx, func(id string, w *worker) {
			group.Go(func() {
				c.serve(ctx, id, w)
				select {
				case ended <- id:
				case <-ctx.Done():
				}
			})
		})
		var again <-chan time.Time
		if err != nil && ctx.Err() == nil {
			c.config.Logger.WarnContext(ctx, "subscriptions cannot be read", slog.Any("error", err))
			again = time.After(faultWait)
		}
		select {
		case <-ctx.Done():
			return nil
		case id := <-ended:
			c.mu.Lock()
			delete(c.workers, id)
			c.mu.Unlock()
			continue // it may have been resumed meanwhile
		case <-sweeping.C:
			c.sweep(ctx)
			continue
		case <-again:
		case <-changed:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(gather):
		}
	}
}

// employ sees that every active subscription has a worker, and wakes all.
func (c *Courier) employ(ctx context.Context, start func(id string, w *worker)) error {
	all, err := c.config.Store.Subscriptions(ctx, "", maxPage)
	if err != nil {
		return err
	}
	c.counts.observe(all)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range all {
		w, employed := c.workers[s.ID]
		switch {
		case employed:
			select {
			case w.wake <- struct{}{}:
			default:
			}
		case s.State == Active:
			w = &worker{wake: make(chan struct{}, 1)}
			c.workers[s.ID] = w
			start(s.ID, w)
		}
	}
	return nil
}

// serve tells one subscription until it is paused or gone, or ctx ends.
func (c *Courier) serve(ctx context.Context, id string, w *worker) {
	for ctx.Err() == nil {
		s, next, err := c.due(ctx, id)
		if tallystick.CodeOf(err) == tallystick.NotFound || err == nil && s.State != Active {
			return
		}
		var wait <-chan time.Time
		switch {
		case err != nil:
			if ctx.Err() == nil {
				c.config.Logger.WarnContext(ctx, "a subscription is not told", slog.String("subscription", s.Name), slog.Any("error", err))
			}
			wait = time.After(faultWait)
		case next == nil:
		case s.Delivery.Next != nil && s.Delivery.Next.After(c.config.Now()):
			wait = time.After(s.Delivery.Next.Sub(c.config.Now()))
		default:
			if err := c.tell(ctx, s, *next); err != nil && ctx.Err() == nil {
				c.config.Logger.WarnContext(ctx, "the state of a notification is not written; it is delivered again", slog.String("subscription", s.Name), slog.Any("error", err))
				wait = time.After(faultWait)
				break
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-wait:
		}
	}
}

// due returns a subscription and the next event that it is to be told of, nil if there is none yet or it is
// not active. What was changed before that event holds for it: the subscription is read again once the
// event is known.
func (c *Courier) due(ctx context.Context, id string) (Subscription, *item, error) {
	for {
		s, err := c.config.Store.Subscription(ctx, id)
		if err != nil || s.State != Active {
			return s, nil, err
		}
		next, err := c.next(ctx, &s)
		if err != nil || next == nil {
			return s, nil, err
		}
		now, err := c.config.Store.Subscription(ctx, id)
		if err != nil || now.State != Active {
			return now, nil, err
		}
		if now.Delivery.Position == s.Delivery.Position && now.tells(c.topics, *next) {
			return now, next, nil
		}
	}
}

// next returns the next event that s is to be told of, nil if there is none yet. It moves the cursor
// over many that it is not told of.
func (c *Courier) next(ctx context.Context, s *Subscription) (*item, error) {
	at := s.Delivery.Position
	pass := func(to uint64) error {
		if to == s.Delivery.Position {
			return nil
		}
		err := c.config.Store.config.DB.Write(ctx, func(tx *state.Tx) error {
			return progress{s.ID, s.Delivery.Position}.pass(tx, to)
		})
		if err == nil {
			s.Delivery.Position = to
		}
		return err
	}
	for {
		items, err := c.feed.after(ctx, at)
		if err != nil || len(items) == 0 {
			return nil, err
		}
		for i := range items {
			if s.tells(c.topics, items[i]) {
				return &items[i], nil
			}
			at = items[i].Sequence
		}
		if at-s.Delivery.Position >= passEvery && s.Delivery.Attempts == 0 {
			if err := pass(at); err != nil {
				return nil, err
			}
		}
	}
}

// tell makes one attempt and writes down what came of it. An error is one of ours: the attempt may have
// succeeded, and is made again.
func (c *Courier) tell(ctx context.Context, s Subscription, i item) error {
	started := c.config.Now()
	n := Notification{
		Number: s.Delivery.Number + 1, Sequence: i.Sequence, Event: i.ID, Type: i.Type.Short(), State: delivered, Attempts: 1, First: started, Last: started,
	}
	attempt, cancel := context.WithTimeout(ctx, attemptTime)
	status, failed := c.attempt(attempt, s, i, n.Number)
	cancel()
	if failed != nil && ctx.Err() != nil {
		return ctx.Err() // the server stops; that is no fault of the receiver
	}
	n.Status = status
	c.counts.attempted(failed == nil, c.config.Now().Sub(started))
	if failed != nil {
		words, _ := tallystick.Words(failed.err)
		n.State, n.Fault = pending, line(words, maxFault)
	}
	return c.config.Store.config.DB.Write(context.WithoutCancel(ctx), func(tx *state.Tx) error {
		p := progress{s.ID, s.Delivery.Position}
		var moved bool
		var err error
		now := c.config.Now()
		if failed == nil {
			moved, err = p.done(tx, n, now)
		} else {
			attempts := s.Delivery.Attempts + 1
			var failing *time.Time
			if attempts >= patience || failed.gone {
				failing = &now
			}
			moved, err = p.failed(tx, attempts, now.Add(max(failed.wait, c.config.delay(attempts))), failing, n.Fault)
		}
		if err != nil || !moved { // the subscription is gone, or somebody has skipped this one
			return err
		}
		return n.store(tx, s.ID)
	})
}

// sweep removes the files of subscriptions that are gone.
func (c *Courier) sweep(ctx context.Context) {
	named, err := c.config.Store.named(ctx)
	if err == nil {
		err = c.config.Store.config.Vault.sweep(named, c.config.Now())
	}
	if err != nil && ctx.Err() == nil {
		c.config.Logger.WarnContext(ctx, "files of removed subscriptions stay", slog.Any("error", err))
	}
}
