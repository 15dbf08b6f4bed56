package body

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/selection"
	"github.com/tallystick/tallystick/internal/state"
)

// maxPlaces bounds the strata of a day that are counted by themselves.
const maxPlaces = 100_000

// Keeper decides at the door which bodies stay. It counts what its rules kept today, by the clock of the house and
// not of the sender, in memory: after a restart it begins anew, and so keeps rather more than less. Its methods may be
// called by many goroutines.
type Keeper struct {
	catalog *catalog.Catalog
	key     []byte

	mu     sync.Mutex
	day    int64 // since 1970
	counts map[place]int64
	totals map[ruleName]int64
}

// ruleName names a rule.
type ruleName struct{ model, name string }

// place is where a rule counts what it keeps.
type place struct {
	ruleName
	stratum string // as JSON
}

// NewKeeper returns a keeper. Under the key the digests of inputs are made that are not kept; without one they have
// none.
func NewKeeper(c *catalog.Catalog, key []byte) *Keeper {
	return &Keeper{catalog: c, key: key, counts: map[place]int64{}, totals: map[ruleName]int64{}}
}

// Choice is what is decided for the records of one batch. It reads the rules of a model once.
type Choice struct {
	keeper *Keeper
	tx     *state.Tx
	day    int64
	rules  map[string][]*selection.Chooser // by model
	kept   []place
}

// Begin returns a choice that reads what it needs in tx.
func (k *Keeper) Begin(tx *state.Tx, now time.Time) *Choice {
	return &Choice{keeper: k, tx: tx, day: now.Unix() / int64(24*time.Hour/time.Second)}
}

// Decide leaves r with its bodies and the name of the rule that keeps them, or with what says that they were dropped
// and, if its sender gave no digest of the input, a keyed one. r must be valid and have its salt and version; one
// without bodies costs nothing. A body of which only the digest came is an Invalid error.
func (c *Choice) Decide(r *prediction.Record) error {
	r.BodyRule = ""
	for _, b := range [...]**prediction.Body{&r.RequestBody, &r.ResponseBody} {
		switch {
		case *b == nil:
		case (*b).Data == nil:
			return tallystick.Errorf(tallystick.Invalid, "a body has a digest and no bytes").WithHint("send it as text or base64, or leave it out")
		case len((*b).Data) == 0:
			*b = nil
		}
	}
	if r.RequestBody == nil && r.ResponseBody == nil {
		return nil
	}
	rule, err := c.rule(r)
	if err != nil {
		return err
	}
	input := r.RequestBody
	if r.InputDigest != "" {
		input = nil
	}
	if rule != "" {
		r.BodyRule = rule
		if input != nil {
			r.InputDigest = tallystick.DigestOf(input.Data)
		}
		return nil
	}
	r.BodyRule, r.RequestBody, r.ResponseBody = prediction.Dropped, nil, nil
	if input != nil && c.keeper.key != nil {
		r.InputDigest, r.InputKeyed = c.keeper.Sum(input.Data), true
	}
	return nil
}

// Sum returns the digest of an input that is not kept: HMAC-SHA-256 under the key.
func (k *Keeper) Sum(input []byte) tallystick.Digest {
	mac := hmac.New(sha256.New, k.key)
	mac.Write(input)
	return tallystick.Digest("sha256:" + hex.EncodeToString(mac.Sum(nil)))
}

// rule returns the first rule, by name, that keeps the bodies of a record, empty if none does.
func (c *Choice) rule(r *prediction.Record) (string, error) {
	rules, known := c.rules[r.Model]
	if !known {
		var err error
		if rules, err = c.read(r.Model); err != nil {
			return "", err
		}
		if c.rules == nil {
			c.rules = map[string][]*selection.Chooser{}
		}
		c.rules[r.Model] = rules
	}
	for _, rule := range rules {
		if !rule.Holds(r) {
			continue
		}
		_, stratum := rule.Stratum(r)
		if at, kept := c.keeper.take(c.day, rule, stratum, rule.Draw(r.Salt[:]) < rule.Terms.Share); kept {
			c.kept = append(c.kept, at)
			return rule.Name, nil
		}
	}
	return "", nil
}

// read returns the rules of a model.
func (c *Choice) read(model string) ([]*selection.Chooser, error) {
	rules, err := Rules(c.tx, model)
	if err != nil || len(rules) == 0 {
		return nil, err
	}
	m, err := c.keeper.catalog.ModelIn(c.tx, model)
	if err != nil {
		return nil, err
	}
	var all []*selection.Chooser
	for _, r := range rules {
		if r.Removed {
			continue
		}
		chooser, err := selection.New(selection.Rule{Purpose: "body", Model: model, Name: r.Name, Terms: r.Terms}, m.Tier)
		if err != nil {
			return nil, err
		}
		all = append(all, chooser)
	}
	return all, nil
}

// take counts one more record that a rule keeps, unless it keeps no more today: those that were drawn, and those of a
// stratum that has too few.
func (k *Keeper) take(day int64, rule *selection.Chooser, stratum string, drawn bool) (at place, kept bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.day != day {
		k.day = day
		clear(k.counts)
		clear(k.totals)
	}
	at = place{ruleName{rule.Model, rule.Name}, stratum}
	if _, known := k.counts[at]; !known && len(k.counts) >= maxPlaces {
		at.stratum = selection.Rest
	}
	if k.totals[at.ruleName] >= rule.Terms.Most || !drawn && k.counts[at] >= rule.Terms.AtLeast {
		return at, false
	}
	k.counts[at]++
	k.totals[at.ruleName]++
	return at, true
}

// Undo counts back what was kept of a batch that was not taken in after all.
func (c *Choice) Undo() {
	k := c.keeper
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, at := range c.kept {
		if k.day == c.day {
			k.counts[at]--
			k.totals[at.ruleName]--
		}
	}
	c.kept = nil
}
