package capture

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
)

// maxID bounds the id of a batch, in bytes.
const maxID = 256

// nameSize is how much of a journal's batch id says what the sender calls the batch. The rest says what is
// in it: 80 bits keep one sender from meeting another's name, 48 tell two contents of one sender apart.
const nameSize = 10

// maxKnown bounds the batches with ids that are in the journal; it remembers no more itself.
const maxKnown = 262_144

// fullPause is the time after which some of them may have gone from the journal.
const fullPause = 10 * time.Second

type name [nameSize]byte

func nameOf(id journal.BatchID) name { return name(id[:nameSize]) }

// sent is a batch that has an id. Whoever meets one that is under way waits until done is closed.
type sent struct {
	id      journal.BatchID
	receipt journal.Receipt // zero if it was not taken after all
	done    chan struct{}
}

// journalID returns the id under which the journal knows the batch, made of who sends it, of what he calls
// it and of its content as it was sent; zero if it has none.
func (b Batch) journalID() (id journal.BatchID, err error) {
	if b.ID == "" {
		return id, nil
	}
	called, content := sha256.New(), sha256.New()
	var size []byte
	add := func(h hash.Hash, part []byte) {
		size = binary.AppendUvarint(size[:0], uint64(len(part)))
		h.Write(size)
		h.Write(part)
	}
	add(called, []byte(b.Sender))
	add(called, []byte(b.ID))
	var sent []byte
	for i := range b.Records {
		sent = appendSent(sent[:0], &b.Records[i])
		add(content, sent)
	}
	copy(id[:nameSize], called.Sum(nil))
	copy(id[nameSize:], content.Sum(nil))
	return id, nil
}

// appendSent appends what was sent of a record: its encoding, with something in the place of the id and the time
// that it lacks, and without the salt, which does not stay. What has no encoding is there as JSON.
func appendSent(dst []byte, sent *prediction.Record) []byte {
	const noID, noTime, asJSON = 1, 2, 4
	r, lacks := *sent, byte(0)
	r.Salt = prediction.Salt{}
	if r.ID.IsZero() {
		lacks |= noID
		r.ID = prediction.ID{1}
	}
	if r.Time.IsZero() {
		lacks |= noTime
		r.Time = 1
	}
	if encoding, err := r.Append(append(dst, lacks)); err == nil {
		return encoding
	}
	return sent.AppendJSON(append(dst, asJSON))
}

func errFull() error {
	return tallystick.Errorf(tallystick.Unavailable, "%d batches wait in the journal: %w", maxKnown, &journal.FullError{Stored: true, RetryAfter: fullPause}).
		WithHint("send the batch again in %d seconds", int(fullPause.Seconds()))
}

func errOther() error {
	return tallystick.Errorf(tallystick.Conflict, "the id of the batch has come before, with other records").
		WithHint("give each batch an id of its own, and repeat it unchanged")
}

// claim says what is known of the batch: where it is, or that the caller is the first, who then must settle
// it. One that is under way is waited for. The same name for other content is a Conflict.
func (c *Capture) claim(ctx context.Context, id journal.BatchID) (s *sent, first bool, err error) {
	for {
		c.mu.Lock()
		s, known := c.known[nameOf(id)]
		full := !known && len(c.known) >= maxKnown
		if !known && !full {
			s = &sent{id: id, done: make(chan struct{})}
			c.known[nameOf(id)] = s
		}
		c.mu.Unlock()
		switch {
		case full:
			return nil, false, errFull()
		case !known:
			return s, true, nil
		case s.id != id:
			return nil, false, errOther()
		}
		select {
		case <-s.done:
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
		if s.receipt != (journal.Receipt{}) {
			return s, false, nil
		}
	}
}

// settle lets go those who wait for a batch, and forgets it if nothing was taken.
func (c *Capture) settle(id journal.BatchID, s *sent) {
	if s.receipt == (journal.Receipt{}) {
		c.mu.Lock()
		if c.known[nameOf(id)] == s {
			delete(c.known, nameOf(id))
		}
		c.mu.Unlock()
	}
	close(s.done)
}

// repeat answers a batch that is in the journal already.
func (c *Capture) repeat(ctx context.Context, id journal.BatchID, at journal.Receipt, b Batch, e *examined) (Answer, error) {
	ids, err := c.idsAt(ctx, id, at)
	if err != nil {
		return Answer{}, fmt.Errorf("batch %.64q, which has come before: %w", b.ID, err)
	}
	if len(ids) != e.count() {
		return Answer{}, errOtherwise(b)
	}
	answer := Answer{Receipt: at, IDs: make([]prediction.ID, len(e.ids)), Rejected: e.rejected, Repeated: true}
	for i, id := range e.ids {
		if id.IsZero() {
			continue
		}
		if e.own[i] && id != ids[0] {
			return Answer{}, errOtherwise(b)
		}
		answer.IDs[i], b.Records[i].ID, ids = ids[0], ids[0], ids[1:]
	}
	return answer, nil
}

// errOtherwise says that some records would be judged otherwise than they were, because a model or a
// version has been registered in between, so that places and ids cannot be told.
func errOtherwise(b Batch) error {
	return tallystick.Errorf(tallystick.Conflict, "batch %.64q has come before, and not all of it was taken that would be taken now", b.ID).
		WithHint("what was rejected then can be sent under another id")
}

// placeOf returns where a batch was when its receipt was given.
func placeOf(entry journal.Entry) journal.Receipt {
	if entry.Salvaged != nil {
		return *entry.Salvaged
	}
	return entry.Receipt
}

// idsAt returns the ids of the records of a batch that is in the journal or was.
func (c *Capture) idsAt(ctx context.Context, id journal.BatchID, at journal.Receipt) (ids []prediction.ID, err error) {
	for entry, err := range c.config.Journal.Read(ctx, at.Sequence) {
		if err != nil {
			return nil, err
		}
		if placeOf(entry) == at {
			return idsOf(entry)
		}
		if entry.Sequence > at.Sequence && entry.Shard == at.Shard {
			break
		}
	}
	k, err := c.recall(ctx, id)
	if err != nil || k != nil && k.id == id {
		return k.ids(), err
	}
	return nil, tallystick.Errorf(tallystick.Conflict, "its records are no longer in the journal, and their ids are not kept").
		WithHint("it is safe where it is; do not send it again")
}

// kept is a batch that is in segments.
type kept struct {
	id      journal.BatchID
	receipt journal.Receipt
	raw     []byte
}

func (k *kept) ids() (ids []prediction.ID) {
	if k == nil {
		return nil
	}
	for id := range slices.Chunk(k.raw, len(prediction.ID{})) {
		ids = append(ids, prediction.ID(id))
	}
	return ids
}

// recall returns the batch in segments that its sender calls as this one, nil if there is none.
func (c *Capture) recall(ctx context.Context, id journal.BatchID) (k *kept, err error) {
	called := nameOf(id)
	err = c.config.DB.Read(ctx, func(tx *state.Tx) error {
		var batch, shard, head string
		var found kept
		err := tx.QueryRow("SELECT batch, shard, sequence, head, ids FROM prediction_batches WHERE name = ?", hex.EncodeToString(called[:])).
			Scan(&batch, &shard, &found.receipt.Sequence, &head, &found.raw)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		k = &found
		return errors.Join(err, unhex(found.id[:], batch), found.receipt.Shard.UnmarshalText([]byte(shard)), found.receipt.Head.UnmarshalText([]byte(head)))
	})
	if err == nil && k != nil && len(k.raw)%len(prediction.ID{}) != 0 {
		err = errors.New("the ids are cut off")
	}
	if err != nil {
		return nil, fmt.Errorf("read a batch that has come before: %w", err)
	}
	return k, nil
}

func unhex(into []byte, text string) error {
	if hex.DecodedLen(len(text)) != len(into) {
		return fmt.Errorf("%q is no id", text)
	}
	_, err := hex.Decode(into, []byte(text))
	return err
}

func idsOf(entry journal.Entry) (ids []prediction.ID, err error) {
	var v prediction.View
	for record, err := range journal.Records(entry.Payload) {
		var k prediction.Kept
		if err == nil {
			k, err = prediction.ParseKept(record)
		}
		if err == nil {
			err = v.Decode(k.Encoding)
		}
		if err != nil {
			return nil, fmt.Errorf("frame %d: %w", entry.Sequence, err)
		}
		ids = append(ids, prediction.ID(v.Bytes(v.Field(prediction.TagID))))
	}
	return ids, nil
}
