package capture

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/body"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
)

// keptPayload bounds the memory of a payload that the next batch may use again.
const keptPayload = 1 << 20

// Accept takes a batch in and returns when it is durable. It writes into the records: their ids, their
// salts, and what was found out about their versions.
//
// An error means that nothing was taken: Invalid for too large a batch, a Conflict for an id that came with
// other records before, and with journal.FullError in its chain for want of room. Only after
// journal.ErrOutcomeUnknown it may have been taken: send it again under the same id.
func (c *Capture) Accept(ctx context.Context, b Batch) (Answer, error) {
	if len(b.Records) == 0 || len(b.Records) > MaxRecords {
		return Answer{}, tallystick.Errorf(tallystick.Invalid, "the batch has %d records", len(b.Records)).WithHint("send 1 to %d at once", MaxRecords)
	}
	if len(b.ID) > maxID {
		return Answer{}, tallystick.Errorf(tallystick.Invalid, "the id of the batch has %d bytes", len(b.ID)).WithHint("use up to %d, such as a UUID", maxID)
	}
	id, err := b.journalID()
	if err != nil {
		return Answer{}, err
	}
	payload, _ := c.payloads.Get().(*journal.Payload)
	if payload == nil {
		payload = new(journal.Payload)
	}
	taken, err := c.examine(ctx, b.Records, payload)
	if err != nil {
		return Answer{}, fmt.Errorf("take predictions in: %w", err)
	}
	answer, err := c.take(ctx, id, b, taken)
	if err != nil || answer.Repeated {
		taken.bodies.Undo()
	}
	if payload.Len() <= keptPayload && !errors.Is(err, journal.ErrOutcomeUnknown) {
		payload.Reset()
		c.payloads.Put(payload)
	}
	return answer, err
}

// take makes a batch durable that was examined, unless it is there already.
func (c *Capture) take(ctx context.Context, id journal.BatchID, b Batch, taken *examined) (Answer, error) {
	if b.ID != "" {
		s, first, err := c.claim(ctx, id)
		if err != nil {
			return Answer{}, err
		}
		if !first {
			return c.repeat(ctx, id, s.receipt, b, taken)
		}
		defer func() { c.settle(id, s) }()
		before, err := c.recall(ctx, id)
		switch {
		case err != nil:
			return Answer{}, err
		case before != nil && before.id != id:
			return Answer{}, errOther()
		case before != nil:
			return c.repeat(ctx, id, before.receipt, b, taken)
		}
		answer, err := c.append(ctx, id, b, taken)
		s.receipt = answer.Receipt
		return answer, err
	}
	return c.append(ctx, id, b, taken)
}

// examined is what was found out about the records of a batch.
type examined struct {
	ids      []prediction.ID  // in the order of the records; zero if rejected, or given by the journal's first time
	own      []bool           // the id came with the record
	payload  *journal.Payload // of those that are good
	rejected []Rejection
	bodies   *body.Choice
}

// count returns how many records are good.
func (e *examined) count() int { return len(e.ids) - len(e.rejected) }

// examine completes and encodes the records that are good.
func (c *Capture) examine(ctx context.Context, records []prediction.Record, into *journal.Payload) (*examined, error) {
	e := &examined{ids: make([]prediction.ID, len(records)), own: make([]bool, len(records)), payload: into}
	err := c.config.DB.Read(ctx, func(tx *state.Tx) error {
		now, asked := c.config.Now(), newResolver(c.config.Catalog, tx)
		e.bodies = c.bodies.Begin(tx, now)
		var encoding, whole []byte
		for i := range records {
			r := &records[i]
			e.own[i] = !r.ID.IsZero()
			r.Complete(now)
			err := r.Validate()
			if err == nil {
				err = asked.resolve(r)
			}
			if err == nil {
				err = e.bodies.Decide(r)
			}
			if err == nil {
				encoding, err = r.Append(encoding[:0])
			}
			if code := tallystick.CodeOf(err); code == tallystick.Internal {
				return err
			} else if err != nil {
				message, hint := tallystick.Words(err)
				e.rejected = append(e.rejected, Rejection{Index: i, Code: code, Message: message, Hint: hint})
				continue
			}
			e.ids[i] = r.ID
			kept := encoding
			if r.RequestBody != nil || r.ResponseBody != nil {
				whole = prediction.Kept{Encoding: encoding, Bodies: r.Bodies()}.Append(whole[:0])
				kept = whole
			}
			if e.payload.Len() == 0 { // the others are much like it
				room := (binary.MaxVarintLen16 + len(kept)) * (len(records) - i)
				e.payload.Grow(min(room+room/16, journal.MaxPayload))
			}
			if e.payload.Add(kept); e.payload.Len() > journal.MaxPayload {
				return tallystick.Errorf(tallystick.Invalid, "the records of the batch have more than %d MiB", journal.MaxPayload>>20).
					WithHint("send fewer at once")
			}
		}
		return nil
	})
	return e, err
}

// append makes the good records durable. Once the journal has them in hand, nobody who goes away can leave
// it in doubt whether they are there.
func (c *Capture) append(ctx context.Context, id journal.BatchID, b Batch, e *examined) (Answer, error) {
	answer := Answer{IDs: e.ids, Rejected: e.rejected}
	if e.count() == 0 {
		return answer, nil
	}
	if err := ctx.Err(); err != nil {
		return Answer{}, err
	}
	before := c.config.Journal.Head().Sequence
	receipt, err := c.config.Journal.Append(context.WithoutCancel(ctx), journal.Batch{ID: id, Payload: e.payload})
	if err != nil {
		return Answer{}, fmt.Errorf("take predictions in: %w", err)
	}
	if receipt.Sequence <= before { // the journal remembers what we have forgotten
		return c.repeat(ctx, id, receipt, b, e)
	}
	answer.Receipt = receipt
	c.latencies.observe(b.Records, e.ids, c.config.Now())
	return answer, nil
}
