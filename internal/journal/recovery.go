package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/tallystick/tallystick"
)

// recovery opens a journal: it finds the store that the mark names, reads all of it and compares.
type recovery struct {
	options Options
	engine  engine
	mark    *mark
	says    marked // the mark
	state   markState
	memory  *memory

	store store
}

// close lets go of what has been opened, when there is no journal to do so.
func (r *recovery) close() error {
	var errs []error
	if r.store != nil {
		errs = append(errs, r.store.close())
	}
	if r.engine != nil {
		errs = append(errs, r.engine.close())
	}
	return errors.Join(append(errs, r.mark.close())...)
}

func (r *recovery) run(ctx context.Context) (*Journal, error) {
	r.engine = &sqliteEngine{r.options}
	names, err := r.engine.shards(ctx)
	if err != nil {
		return nil, err
	}
	if (r.state == markNew || r.state == markBlank) && len(names) == 0 {
		return r.begin(ctx, Beginning{}, 1, nil)
	}
	name := r.says.shard
	if r.state != markHeld && r.state != markHalf {
		name = names[len(names)-1]
	}
	if r.store, err = r.engine.open(ctx, name); err != nil {
		return nil, err
	}
	found := r.replay(ctx, name)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if fault := r.judge(found); fault != nil {
		return nil, tallystick.Errorf(tallystick.Unavailable, "the journal is damaged: %w", fault)
	}
	if err := r.store.ready(ctx); err != nil {
		return nil, err
	}
	head := marked{found.position, max(found.start.Trimmed, found.start.Sequence)}
	return r.journal(head, found.stored)
}

// journal makes the journal of the store, which ends at head, and brings the mark up to it.
func (r *recovery) journal(head marked, stored int64) (*Journal, error) {
	if err := r.mark.write(head); err != nil {
		return nil, err
	}
	j := newJournal(r.options, r.store, head, r.memory)
	j.stored = stored
	j.mark = r.mark
	j.closers = []func() error{r.store.close, r.engine.close, r.mark.close}
	return j, nil
}

// replayed is what has been read of a store, as far as it is in order.
type replayed struct {
	position
	start  Start
	stored int64
	frames int
	atMark Hash  // of the frame at the sequence that the mark names, if it was met
	fault  error // why it ends, if not because there is nothing more
}

// replay reads the store from its beginning to its end, or to the first fault.
func (r *recovery) replay(ctx context.Context, name Shard) (p replayed) {
	if r.store == nil {
		p.fault = fmt.Errorf("%w: it is missing", errDamaged)
		return p
	}
	if p.start, p.fault = r.store.Start(ctx); p.fault != nil {
		return p
	}
	p.sequence, p.hash = p.start.Sequence, p.start.Hash
	for _, entries := range p.start.Receipts {
		if p.fault = r.memory.unpack(entries); p.fault != nil {
			return p
		}
	}
	p.met(r.says.sequence)
	for {
		b, err := r.store.Read(ctx, p.sequence+1)
		if err != nil {
			p.fault = err
			return p
		}
		if b.Frames == nil {
			if p.frames == 0 {
				p.shard = name
			}
			if p.shard != name {
				p.fault = fmt.Errorf("%w: it ends with a frame of shard %s", errDamaged, p.shard)
			}
			return p
		}
		for f, err := range b.frames() {
			if err == nil {
				err = p.follows(&f)
			}
			if err != nil {
				p.fault = err
				return p
			}
			p.shard, p.sequence, p.hash = f.shard, f.sequence, f.hash
			p.frames++
			p.met(r.says.sequence)
			r.remember(&f)
		}
		p.stored += int64(len(b.Frames))
	}
}

// met keeps the hash of the frame that the mark speaks of.
func (p *replayed) met(sequence uint64) {
	if p.sequence == sequence {
		p.atMark = p.hash
	}
}

// follows checks that f comes next.
func (p *replayed) follows(f *frame) error {
	switch {
	case f.previous != p.hash:
		return fmt.Errorf("%w: the frame of sequence %d does not follow that of %d", errDamaged, f.sequence, p.sequence)
	case f.kind == kindShard && f.sequence > p.sequence:
		return nil // the one frame that may leave something out
	case f.sequence != p.sequence+1:
		return fmt.Errorf("%w: after sequence %d comes %d", errDamaged, p.sequence, f.sequence)
	case f.shard != p.shard && p.frames > 0:
		return fmt.Errorf("%w: sequence %d is of shard %s, the one before of %s", errDamaged, f.sequence, f.shard, p.shard)
	}
	return nil
}

func (r *recovery) remember(f *frame) {
	if f.kind == kindBatch {
		r.memory.add(f.batch, Receipt{f.shard, f.sequence, f.hash})
	}
}

// judge compares what was read with the mark, and returns what is wrong with what had been acknowledged.
func (r *recovery) judge(p replayed) error {
	switch {
	case p.fault != nil:
		return p.fault
	case r.state == markBlank && p.frames == 1 && p.sequence == 1:
		return nil // a creation that was cut off before the mark was written
	case r.state != markHeld && r.state != markHalf:
		return fmt.Errorf("%w: its mark is lost", errDamaged)
	case p.sequence < r.says.sequence:
		return fmt.Errorf("%w: it ends at sequence %d, and %d was acknowledged", errDamaged, p.sequence, r.says.sequence)
	case p.atMark != r.says.hash:
		return fmt.Errorf("%w: the frame of sequence %d is not the one that was acknowledged", errDamaged, r.says.sequence)
	}
	return nil
}

// begin makes a store of its own for a new shard, of which the first frame has the sequence, and opens it.
func (r *recovery) begin(ctx context.Context, b Beginning, sequence uint64, start *Start) (*Journal, error) {
	now := r.options.Now()
	b.Shard = newShard(now)
	frame, hash, err := b.frame(sequence, now)
	if err != nil {
		return nil, err
	}
	head := marked{position: position{b.Shard, sequence, hash}}
	var blocks iter.Seq2[Block, error] = func(yield func(Block, error) bool) {
		yield(Block{sequence, sequence, hash, frame}, nil)
	}
	if err := r.engine.create(ctx, b.Shard, Start{}, blocks); err != nil {
		return nil, err
	}
	if r.store, err = r.engine.open(ctx, b.Shard); err != nil {
		return nil, err
	}
	if err := r.store.ready(ctx); err != nil {
		return nil, err
	}
	return r.journal(head, int64(len(frame)))
}
