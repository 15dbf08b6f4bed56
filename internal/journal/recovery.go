package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	gaps  []Gap // that the beginnings in the store tell of
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
	if r.options.URL != "" {
		e, err := openPostgres(ctx, r.options)
		if err != nil {
			r.engine = nil
			return nil, err
		}
		r.engine = e
	}
	names, err := r.engine.shards(ctx)
	if err != nil {
		return nil, err
	}
	if (r.state == markNew || r.state == markBlank) && len(names) == 0 {
		return r.begin(ctx)
	}
	name := r.says.shard
	if !r.held() && len(names) > 0 {
		name = names[len(names)-1]
	}
	if err := r.reopen(ctx, name); err != nil {
		return nil, err
	}
	p := r.replay(ctx, name)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.fault != nil && !errors.Is(p.fault, errDamaged) {
		return nil, p.fault
	}
	fault := r.judge(p)
	if fault == nil {
		if fault = r.store.ready(ctx); fault != nil && !errors.Is(fault, errDamaged) {
			return nil, fault
		}
	}
	if fault != nil {
		if errors.Is(fault, errOther) { // nothing of it is what was acknowledged
			p = replayed{start: p.start, began: p.began, position: position{sequence: p.start.Sequence, hash: p.start.Hash}}
		}
		return r.replace(ctx, name, p, fault)
	}
	if err := r.putAside(ctx, name); err != nil {
		return nil, err
	}
	if r.state == markHalf {
		r.options.Logger.WarnContext(ctx, "half of the mark is damaged; the other half and the journal agree", slog.String("journal", r.options.Dir))
		if err := r.mark.settle(r.says); err != nil { // serve writes the other slot
			return nil, err
		}
	}
	return r.serve(p)
}

// held reports whether the mark says anything.
func (r *recovery) held() bool { return r.state == markHeld || r.state == markHalf }

// lost reports whether anything that was acknowledged is missing from what is in order, or may be.
func (r *recovery) lost(p replayed) bool { return !r.held() || r.known(p) < r.says.sequence }

// known returns the sequence up to which everything is either in order or trimmed.
func (r *recovery) known(p replayed) uint64 {
	return max(p.sequence, p.start.Trimmed, r.says.trimmed)
}

// serve makes the journal of a store that is in order and ready.
func (r *recovery) serve(p replayed) (*Journal, error) {
	return r.journal(marked{position: p.position, trimmed: max(p.start.Trimmed, p.start.Sequence)}, p.stored)
}

// journal makes the journal of the store, which ends at head, and brings the mark up to it.
func (r *recovery) journal(head marked, stored int64) (*Journal, error) {
	if err := r.mark.settle(head); err != nil {
		return nil, err
	}
	head.settled = head.sequence
	j := newJournal(r.options, r.store, head, r.memory)
	j.stored = stored
	j.gaps = r.gaps
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
	began  bool  // start could be read
	atMark Hash  // of the frame at the sequence that the mark names, if it was met
	fault  error // why it ends, if not because there is nothing more
}

// replay reads the store from its beginning to its end, or to the first fault.
func (r *recovery) replay(ctx context.Context, name Shard) (p replayed) {
	p.sequence = r.says.trimmed
	if r.store == nil {
		p.fault = fmt.Errorf("%w: it is missing", errDamaged)
		return p
	}
	if p.start, p.fault = r.store.Start(ctx); p.fault != nil {
		return p
	}
	p.began = true
	p.sequence, p.hash = p.start.Sequence, p.start.Hash
	for _, entries := range p.start.Receipts {
		if err := r.memory.unpack(entries); err != nil {
			r.options.Logger.ErrorContext(ctx, "batches that were trimmed are not known by their ids any more", slog.String("journal", r.options.Dir), slog.Any("error", err))
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
			if p.fault = r.store.check(ctx); p.fault == nil && p.shard != name {
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

// remember keeps what a journal must know of its frames.
func (r *recovery) remember(f *frame) {
	if f.kind == kindShard {
		if b, err := f.beginning(); err == nil && b.Gap != nil {
			r.gaps = append(r.gaps, *b.Gap)
		}
	}
	if f.kind == kindSalvaged {
		inner, _, err := decode(f.payload)
		if err != nil {
			return // its reader will be told
		}
		f = &inner
	}
	if f.kind == kindBatch {
		r.memory.add(f.batch, Receipt{f.shard, f.sequence, f.hash})
	}
}

// errOther says that the store is whole and not the one that was acknowledged.
var errOther = fmt.Errorf("%w: another history", errDamaged)

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
		return fmt.Errorf("%w: the frame of sequence %d is not the one that was acknowledged", errOther, r.says.sequence)
	}
	return nil
}

// begin makes a new journal.
func (r *recovery) begin(ctx context.Context) (*Journal, error) {
	now := r.options.Now()
	b := Beginning{Shard: newShard(now)}
	frame, hash, err := b.frame(1, now)
	if err != nil {
		return nil, err
	}
	blocks := func(yield func(Block, error) bool) { yield(Block{1, 1, hash, frame}, nil) }
	if err := r.engine.create(ctx, b.Shard, Start{}, blocks); err != nil {
		return nil, err
	}
	if err := r.reopen(ctx, b.Shard); err != nil {
		return nil, err
	}
	if err := r.store.ready(ctx); err != nil {
		return nil, err
	}
	return r.serve(replayed{position: position{b.Shard, 1, hash}, stored: int64(len(frame)), frames: 1})
}
