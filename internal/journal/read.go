package journal

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/tallystick/tallystick"
)

// Entry is one frame of the journal: a batch, or the beginning of a shard.
type Entry struct {
	Receipt
	Time    time.Time // when it was written, by the clock of then
	Batch   BatchID
	Count   int    // of records
	Payload []byte // the records, see Records; the caller's to keep
	// Beginning is set for the first frame of a shard, which has no records.
	Beginning *Beginning
	// Salvaged is set for a batch that was read from a damaged range: where it was before. It has a frame
	// of its own behind the beginning that tells of the gap.
	Salvaged *Receipt
}

// Read yields the entries from the sequence on, or from the first that is not trimmed, up to the newest
// that is durable. It holds one block in memory and hinders no Append. Every frame is checked again; an
// error ends it.
func (j *Journal) Read(ctx context.Context, from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		status, _ := j.Status()
		next := max(from, status.Trimmed+1)
		var previous Hash // of the frame before next, if that was read
		for {
			head := j.Head()
			if next > head.Sequence {
				return
			}
			b, err := j.log.Read(ctx, next)
			if err == nil && b.Frames == nil {
				err = fmt.Errorf("%w: nothing from sequence %d on, which was written", errDamaged, next)
			}
			if err != nil {
				yield(Entry{}, fmt.Errorf("read journal %q: %w", j.options.Dir, err))
				return
			}
			for f, err := range b.frames() {
				var e Entry
				if err == nil && f.sequence < next {
					continue
				}
				if err == nil && f.sequence > head.Sequence {
					break
				}
				if err == nil {
					err = j.comesNext(&f, next, previous)
				}
				if err == nil {
					e, err = f.entry()
				}
				if err != nil {
					damaged := tallystick.Errorf(tallystick.Unavailable, "the journal %q is damaged at sequence %d: %w", j.options.Dir, next, err)
					yield(Entry{}, damaged.WithHint("start again: what is damaged is then put aside and reported"))
					return
				}
				if !yield(e, nil) {
					return
				}
				next, previous = f.sequence+1, f.hash
			}
		}
	}
}

// comesNext checks that nothing is missing between a frame and those that were read before: it may have
// been trimmed meanwhile, or be what the first frame of a shard tells of.
func (j *Journal) comesNext(f *frame, next uint64, previous Hash) error {
	if f.sequence > next && f.kind != kindShard {
		if status, _ := j.Status(); status.Trimmed+1 < f.sequence {
			return fmt.Errorf("%w: sequence %d follows on %d", errDamaged, f.sequence, next-1)
		}
	} else if previous != (Hash{}) && f.previous != previous {
		return fmt.Errorf("%w: sequence %d does not follow the frame before it", errDamaged, f.sequence)
	}
	return nil
}

// frames yields the frames of a block and ends with an error if it is not made of them.
func (b *Block) frames() iter.Seq2[frame, error] {
	return func(yield func(frame, error) bool) {
		rest, sequence, hash := b.Frames, b.First, Hash{}
		for n := 0; len(rest) > 0; n++ {
			f, size, err := decode(rest)
			switch {
			case err != nil:
			case f.sequence != sequence:
				err = fmt.Errorf("%w: sequence %d where %d should be", errDamaged, f.sequence, sequence)
			case n > 0 && f.previous != hash:
				err = fmt.Errorf("%w: the frame of sequence %d does not follow the one before", errDamaged, sequence)
			}
			if err != nil {
				yield(f, err)
				return
			}
			if !yield(f, nil) {
				return
			}
			rest, sequence, hash = rest[size:], sequence+1, f.hash
		}
		if sequence != b.Last+1 || hash != b.Hash {
			yield(frame{}, fmt.Errorf("%w: a block of sequences %d to %d ends with %d", errDamaged, b.First, b.Last, sequence-1))
		}
	}
}

func (f *frame) entry() (e Entry, err error) {
	e = Entry{Receipt: Receipt{f.shard, f.sequence, f.hash}, Time: f.time, Batch: f.batch, Count: int(f.count), Payload: f.payload}
	switch f.kind {
	case kindShard:
		e.Payload = nil
		e.Beginning, err = f.beginning()
	case kindSalvaged:
		inner, size, err := decode(f.payload)
		if err != nil || size != len(f.payload) {
			return e, fmt.Errorf("a salvaged frame: %w", err)
		}
		e.Time, e.Batch, e.Count, e.Payload = inner.time, inner.batch, int(inner.count), inner.payload
		e.Salvaged = &Receipt{inner.shard, inner.sequence, inner.hash}
	}
	return e, err
}
