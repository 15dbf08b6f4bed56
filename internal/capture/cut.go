package capture

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// How long a batch that is in segments is known to those who send it again, and how many are.
const (
	remembered     = 72 * time.Hour
	mostRemembered = "65536"
)

// cutLongest is how long one cut may take: it waits for the disk and the database alone.
const cutLongest = 5 * time.Minute

// Cut puts everything that is in the journal now into segments: one file a model and cut, registered
// with an event each in one transaction, and trimmed from the journal only then. A gap becomes an event of
// its own. Whatever it was cut off at, the next Cut goes on from there. It does not run after those who go on
// sending: what comes meanwhile goes along if there is room in the last cut, and stays otherwise.
//
// When ctx ends, the cut of some tens of thousands of records that is under way is completed, and the error says that
// others are left: on a machine that is so busy that each takes longer than the caller gives, they would never end.
func (c *Capture) Cut(ctx context.Context) error {
	c.cutting.Lock()
	defer c.cutting.Unlock()
	newest := c.config.Journal.Head().Sequence
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("put predictions into segments: not all of them: %w", err)
		}
		whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), cutLongest)
		to, err := c.cut(whole)
		cancel()
		if err != nil {
			return fmt.Errorf("put predictions into segments: %w", err)
		}
		if to == 0 || to >= newest {
			return nil
		}
	}
}

// cut makes one cut, and returns the last frame of it; 0 if there was nothing to cut.
func (c *Capture) cut(ctx context.Context) (to uint64, err error) {
	next, err := c.gather(ctx)
	if err != nil {
		return 0, err
	}
	switch {
	case next.gap != nil:
		err = c.register(ctx, next, []trail.Change{gapFound(next.gap)})
	case next.records > 0:
		var sealed []trail.Change
		if sealed, err = c.write(ctx, next); err == nil {
			c.reach("put")
			err = c.register(ctx, next, sealed)
		}
	}
	if err != nil {
		return 0, err
	}
	c.reach("registered")
	c.forget(next)
	return next.To, c.config.Journal.Trim(ctx, max(next.past, next.To))
}

// write puts the segments of a cut into the store.
func (c *Capture) write(ctx context.Context, next *cut) (sealed []trail.Change, err error) {
	if err := next.plan.write(c.config.Plan); err != nil {
		return nil, fmt.Errorf("write the plan of a cut: %w", err)
	}
	first := next.batches[0].Sequence
	for _, model := range slices.Sorted(maps.Keys(next.models)) {
		name := fmt.Sprintf("%s.%d-%d.%s", next.Shard, first, next.To, tallystick.DigestOf([]byte(model)).Hex()[:12])
		var file bytes.Buffer
		file.Grow(fileRoom(next.models[model]))
		summary, err := segment.Write(&file, name, records(next.models[model]))
		if err != nil {
			return nil, fmt.Errorf("segment %s of %s: %w", name, model, err)
		}
		if _, err := c.config.Segments.PutAs(ctx, &file, summary.Digest); err != nil {
			return nil, fmt.Errorf("segment %s of %s: %w", name, model, err)
		}
		sealed = append(sealed, &SegmentSealed{
			Model: model, Segment: name, File: summary.Digest, Bytes: summary.Bytes, Root: summary.Parts[0].Root, Records: summary.Count,
			Shard: next.Shard.String(), First: first, Last: next.To,
			FirstTime: summary.FirstTime, LastTime: summary.LastTime, FirstID: summary.FirstID, LastID: summary.LastID,
		})
	}
	return sealed, nil
}

// fileRoom returns how many bytes a segment of the records is likely to have: half of theirs and some.
func fileRoom(all [][]byte) (n int) {
	for _, record := range all {
		n += len(record)
	}
	return n/2 + 64<<10
}

func records(all [][]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// register records the changes of a cut, and what whoever sends one of its batches again is told.
func (c *Capture) register(ctx context.Context, next *cut, changes []trail.Change) error {
	return c.config.DB.Write(ctx, func(tx *state.Tx) error {
		is, err := cursor(tx, next.Shard.String())
		if err != nil {
			return err
		}
		if is != next.After { // nobody else cuts this journal
			return tallystick.Errorf(tallystick.Internal, "the cursor of shard %s is at %d, not at %d", next.Shard, is, next.After)
		}
		for _, change := range changes {
			if s, ok := change.(*SegmentSealed); ok {
				if s.Previous, err = lastRoot(tx, s.Model); err != nil {
					return err
				}
			}
			if _, err := c.config.Recorder.Commit(tx, trail.Act{Actor: c.config.Actor}, change); err != nil {
				return err
			}
		}
		return next.remember(tx)
	})
}

// lastRoot returns the root of the newest segment of a model, empty if there is none.
func lastRoot(tx *state.Tx, model string) (root tallystick.Digest, err error) {
	found, err := state.Collect(tx, func(row state.Scanner) (text string, err error) { return text, row.Scan(&text) },
		"SELECT root_digest FROM prediction_segments WHERE model = ? ORDER BY event DESC "+state.Limit, model, 1)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return tallystick.Digest(found[0]), nil
}

func (n *cut) remember(tx *state.Tx) error {
	for _, entry := range n.batches {
		if entry.Batch == (journal.BatchID{}) {
			continue
		}
		found, err := idsOf(entry)
		if err != nil {
			return err
		}
		var ids []byte
		for _, id := range found {
			ids = append(ids, id[:]...)
		}
		called, at := nameOf(entry.Batch), placeOf(entry)
		_, err = tx.Exec(`INSERT INTO prediction_batches (name, batch, shard, sequence, head, ids, time_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (name) DO NOTHING`, hex.EncodeToString(called[:]), hex.EncodeToString(entry.Batch[:]), at.Shard.String(), int64(at.Sequence), at.Head.String(), ids, tx.Now().UnixMilli())
		if err != nil {
			return err
		}
	}
	_, err := tx.Exec("DELETE FROM prediction_batches WHERE time_ms < ? OR time_ms < (SELECT time_ms FROM prediction_batches ORDER BY time_ms DESC LIMIT 1 OFFSET "+mostRemembered+")",
		tx.Now().Add(-remembered).UnixMilli())
	return err
}

// forget lets go of the batches of a cut: the database knows them now.
func (c *Capture) forget(next *cut) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, entry := range next.batches {
		delete(c.known, nameOf(entry.Batch))
	}
}

func (c *Capture) reach(stage string) {
	if c.config.reached != nil {
		c.config.reached(stage)
	}
}

// maxLost bounds the ranges that an event lists.
const maxLost = 100

func gapFound(entry *journal.Entry) *GapFound {
	gap := entry.Beginning.Gap
	found := &GapFound{
		Shard: entry.Shard.String(), Sequence: entry.Sequence, GapShard: gap.Shard.String(), From: gap.From, To: gap.To,
		Salvaged: int64(gap.Salvaged), Unsure: gap.Unsure, What: gap.What, Quarantine: gap.Quarantine,
	}
	for _, lost := range gap.Lost[:min(len(gap.Lost), maxLost)] {
		found.Lost = append(found.Lost, fmt.Sprintf("%d-%d", lost.From, lost.To))
	}
	return found
}
