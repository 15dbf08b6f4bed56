package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"time"
)

// leap is how far the sequences go on when nobody knows how far they had come.
const leap = 1 << 32

// replace makes a new store of what is in order in a damaged one, says in the first frame of a new shard
// what is missing, lets what else could be read follow, and puts the damaged store aside. A crash on the
// way leaves the old store in its place until the mark names the new one.
func (r *recovery) replace(ctx context.Context, name Shard, p replayed, what error) (*Journal, error) {
	now := r.options.Now()
	b := Beginning{Shard: newShard(now), Behind: Receipt{p.shard, p.sequence, p.hash}}
	s := &salvage{engine: r.engine, name: name, after: r.known(p), to: r.says.sequence}
	sequence := max(p.sequence, r.says.sequence)
	if r.lost(p) {
		b.Gap = &Gap{Shard: name, From: s.after + 1, To: r.says.sequence, What: what.Error(), Quarantine: r.engine.aside(name)}
		if !r.held() {
			s.to = math.MaxUint64
		}
		highest, err := s.count(ctx)
		if err != nil {
			return nil, err
		}
		sequence = max(sequence, highest)
		b.Gap.Salvaged = s.frames
		if r.held() {
			b.Gap.Lost = shorten(s.present.without(b.Gap.From, b.Gap.To))
		} else {
			sequence += leap
			if highest > s.after {
				b.Gap.Lost = shorten(s.present.without(b.Gap.From, highest))
			}
		}
		b.Gap.Unsure = r.held() && r.known(p) >= r.says.settled
		if !p.began {
			b.Gap.What += "; the ids of batches that had been trimmed are forgotten"
		}
	}
	start := p.start
	if !p.began {
		start = Start{Sequence: r.says.trimmed, Trimmed: r.says.trimmed}
	}
	c := &copying{
		head:  marked{position: position{p.shard, p.sequence, p.hash}, trimmed: start.Trimmed},
		clock: now,
	}
	blocks, err := c.blocks(ctx, r.store, start, p, b, sequence+1, s)
	if err != nil {
		return nil, err
	}
	if err := r.engine.create(ctx, b.Shard, start, blocks); err != nil {
		return nil, fmt.Errorf("begin a new shard: %w", err)
	}
	if err := r.reopen(ctx, b.Shard); err != nil {
		return nil, err
	}
	if err := r.mark.settle(c.head); err != nil {
		return nil, err
	}
	if err := r.putAside(ctx, b.Shard); err != nil {
		return nil, err
	}
	if b.Gap != nil {
		r.options.Logger.ErrorContext(ctx, "the journal has a gap", slog.String("journal", r.options.Dir), slog.Any("gap", b.Gap))
	} else {
		r.options.Logger.WarnContext(ctx, "the journal was damaged, and nothing acknowledged is missing", slog.String("journal", r.options.Dir),
			slog.Any("damage", what), slog.String("quarantine", r.engine.aside(name)))
	}
	// What was written is read once more, so that nothing is believed that cannot be read.
	r.says, r.state, r.memory = c.head, markHeld, newMemory(r.options.Remember)
	r.gaps = nil
	again := r.replay(ctx, b.Shard)
	if err := r.judge(again); err != nil {
		return nil, fmt.Errorf("the new shard: %w", err)
	}
	if err := r.store.ready(ctx); err != nil {
		return nil, err
	}
	return r.serve(again)
}

// reopen closes the store that is open and opens another.
func (r *recovery) reopen(ctx context.Context, name Shard) (err error) {
	if r.store != nil {
		err = r.store.close()
		r.store = nil
		if err != nil && !errors.Is(err, errDamaged) {
			r.options.Logger.WarnContext(ctx, "close what is damaged", slog.Any("error", err))
		}
	}
	r.store, err = r.engine.open(ctx, name)
	return err
}

// putAside puts aside all stores but one.
func (r *recovery) putAside(ctx context.Context, but Shard) error {
	names, err := r.engine.shards(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == but {
			continue
		}
		if err := r.engine.putAside(ctx, name); err != nil {
			return fmt.Errorf("put aside shard %s: %w", name, err)
		}
	}
	return nil
}

// salvage is the frames of a damaged store that are behind those in order.
type salvage struct {
	engine    engine
	name      Shard
	after, to uint64 // sequences in (after, to] count
	present   ranges
	frames    int
}

// each calls fn with every such frame once.
func (s *salvage) each(ctx context.Context, fn func(found)) error {
	s.present, s.frames = nil, 0
	for b, err := range s.engine.salvage(ctx, s.name) {
		if err != nil {
			return err
		}
		for _, f := range findFrames(b) {
			if f.sequence > s.after && f.sequence <= s.to && s.present.add(f.sequence) {
				if f.kind == kindBatch {
					s.frames++
				}
				fn(f)
			}
		}
	}
	return nil
}

func (s *salvage) count(ctx context.Context) (highest uint64, err error) {
	err = s.each(ctx, func(f found) { highest = max(highest, f.sequence) })
	return highest, err
}

// copying writes what a new store is made of.
type copying struct {
	head  marked // where it has come to
	clock time.Time
	pack  packer
}

// blocks yields the blocks that are in order, then the beginning, then what was salvaged.
func (c *copying) blocks(ctx context.Context, old store, start Start, p replayed, b Beginning, sequence uint64, s *salvage) (iter.Seq2[Block, error], error) {
	first, hash, err := b.frame(sequence, c.clock)
	if err != nil {
		return nil, err
	}
	return func(yield func(Block, error) bool) {
		for next := start.Sequence + 1; p.frames > 0 && next <= p.sequence; {
			kept, err := old.Read(ctx, next)
			if err == nil {
				err = kept.cut(p.position)
			}
			if !yield(kept, err) || err != nil {
				return
			}
			next = kept.Last + 1
		}
		c.head.position = position{b.Shard, sequence, hash}
		if !yield(Block{sequence, sequence, hash, first}, nil) || b.Gap == nil || b.Gap.Salvaged == 0 {
			return
		}
		stopped := false
		flush := func() {
			for _, block := range c.pack.blocks {
				stopped = stopped || !yield(block, nil)
			}
			c.pack.reset()
		}
		err := s.each(ctx, func(f found) {
			if f.kind != kindBatch && f.kind != kindSalvaged || stopped {
				return
			}
			raw := newFrame(kindSalvaged, BatchID{}, int(f.count), f.raw)
			if f.kind == kindSalvaged { // it was salvaged before: once is enough
				raw = newFrame(kindSalvaged, BatchID{}, int(f.count), f.payload)
			}
			c.head.sequence++
			c.head.hash = place(raw, b.Shard, c.head.sequence, c.clock, c.head.hash)
			c.pack.add(raw, c.head.position)
			if c.pack.size >= groupBytes {
				flush()
			}
		})
		if flush(); err != nil && !stopped {
			yield(Block{}, err)
		}
	}, nil
}

// cut removes the frames behind a position from a block. What the block says of itself is made to agree
// with its frames, which prove themselves.
func (b *Block) cut(at position) error {
	rest := b.Frames
	for n := b.First; n <= at.sequence && len(rest) > 0; n++ {
		f, size, err := decode(rest)
		if err != nil {
			return err
		}
		b.Last, b.Hash, rest = f.sequence, f.hash, rest[size:]
	}
	b.Frames = b.Frames[:len(b.Frames)-len(rest)]
	return nil
}
