package capture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/tallystick/tallystick/internal/durable"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
)

// A cut ends before the frame that would take it beyond one of these, so that it fits into memory.
const (
	cutRecords = 16_384
	cutBytes   = 8 << 20 // of encodings
)

// cut is a row of frames of one shard, or the beginning of a shard that tells of a gap.
type cut struct {
	plan
	gap     *journal.Entry
	batches []journal.Entry
	models  map[string][][]byte // records as they are kept, by model, in the order of the journal
	records int
	bytes   int
	past    uint64 // sequence up to which frames were met that are on record already
}

// plan says which frames a cut has: those behind After up to To. It is written down before a segment is,
// so that a cut which was broken off is made again with the same frames, and its files are the same.
type plan struct {
	Shard journal.Shard `json:"shard"`
	After uint64        `json:"after"` // the cursor of the shard
	To    uint64        `json:"to"`
}

// gather reads the next cut from the journal.
func (c *Capture) gather(ctx context.Context) (*cut, error) {
	planned, err := c.planned()
	if err != nil {
		return nil, err
	}
	next := &cut{models: map[string][][]byte{}}
	cursors := map[journal.Shard]uint64{}
	on := func(shard journal.Shard) (to uint64, err error) {
		to, known := cursors[shard]
		if !known {
			err = c.config.DB.Read(ctx, func(tx *state.Tx) error {
				to, err = cursor(tx, shard.String())
				return err
			})
			cursors[shard] = to
		}
		return to, err
	}
	for entry, err := range c.config.Journal.Read(ctx, 0) {
		if err != nil {
			return nil, err
		}
		after, err := on(entry.Shard)
		if err != nil {
			return nil, err
		}
		begun := next.To > 0
		switch {
		case entry.Sequence <= after:
			next.past = entry.Sequence
			continue
		case begun && (entry.Shard != next.Shard || entry.Beginning != nil):
			return next, nil
		case entry.Beginning != nil && entry.Beginning.Gap != nil:
			next.gap, next.plan = &entry, plan{Shard: entry.Shard, After: after, To: entry.Sequence}
			return next, nil
		case entry.Beginning != nil:
			continue
		case begun && planned.Shard == entry.Shard && planned.After == after && entry.Sequence > planned.To,
			begun && (next.records+entry.Count > cutRecords || next.bytes+len(entry.Payload) > cutBytes):
			return next, nil
		}
		if entry.Salvaged != nil {
			before, err := on(entry.Salvaged.Shard)
			if err != nil {
				return nil, err
			}
			if entry.Salvaged.Sequence <= before { // it was cut before the damage
				if !begun {
					next.past = entry.Sequence
				}
				continue
			}
		}
		if err := next.add(entry); err != nil {
			return nil, err
		}
		next.plan = plan{Shard: entry.Shard, After: after, To: entry.Sequence}
	}
	return next, nil
}

func (n *cut) add(entry journal.Entry) error {
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
			return fmt.Errorf("frame %d of shard %s: %w", entry.Sequence, entry.Shard, err)
		}
		model := string(v.Bytes(v.Field(prediction.TagModel)))
		n.models[model] = append(n.models[model], record)
		n.records++
	}
	n.bytes += len(entry.Payload)
	n.batches = append(n.batches, entry)
	return nil
}

// planned returns the plan that was written down last, the zero plan if there is none that can be read:
// without one, all that is lost is that a cut which was broken off has other files the second time.
func (c *Capture) planned() (p plan, err error) {
	data, err := os.ReadFile(c.config.Plan)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("read the plan of a cut: %w", err)
	}
	if json.Unmarshal(data, &p) != nil {
		return plan{}, nil
	}
	return p, nil
}

// write makes the plan durable.
func (p plan) write(path string) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return durable.WriteFile(path, 0o600, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
