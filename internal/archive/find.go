package archive

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// tries is how often files are looked up again that were replaced by others between the database and the store.
const tries = 5

// Find returns the prediction with an id; of several, the one that was registered first. One that is not there is a
// NotFound error, which says so if it was erased or may have been removed because its time was over.
func (a *Archive) Find(ctx context.Context, id prediction.ID) (*Found, error) {
	return a.seek(ctx, id, (*segment.File).At)
}

// FindWithBodies is Find with the bytes of the bodies that are kept of the prediction, held against their digests.
func (a *Archive) FindWithBodies(ctx context.Context, id prediction.ID) (*Found, error) {
	return a.seek(ctx, id, (*segment.File).AtWithBodies)
}

// reader reads a row of a file.
type reader func(f *segment.File, row int64) (segment.Entry, error)

func (a *Archive) seek(ctx context.Context, id prediction.ID, read reader) (*Found, error) {
	if err := a.fresh(ctx); err != nil {
		return nil, err
	}
	var err error
	for range tries {
		var found *Found
		if found, err = a.find(ctx, id, read); !errors.As(err, new(replaced)) {
			return found, err
		}
	}
	return nil, err
}

// replaced is the error for a file that is named but not there: it was replaced, or the store has lost it.
type replaced struct{ error }

func (r replaced) Unwrap() error { return r.error }

func (a *Archive) find(ctx context.Context, id prediction.ID, read reader) (*Found, error) {
	rows, gone, err := a.around(ctx, id)
	if err != nil {
		return nil, err
	}
	none := tallystick.Errorf(tallystick.NotFound, "there is no prediction %s", id)
	if gone > 0 {
		return nil, tallystick.Errorf(tallystick.NotFound, "prediction %s was erased", id).WithHint("event %d on the trail says by whom, and why", gone)
	}
	seen := map[tallystick.Digest]bool{}
	for _, r := range rows {
		if r.removed > 0 {
			none = none.WithHint("predictions of %s of that time were removed, because they had been kept for long enough: event %d", r.model, r.removed)
			continue
		}
		if seen[r.file] {
			continue
		}
		seen[r.file] = true
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		found, err := a.findIn(r.file, id, rows, read)
		if tallystick.CodeOf(err) != tallystick.NotFound || errors.As(err, new(replaced)) {
			return found, err
		}
	}
	return nil, none
}

// findIn looks into one file.
func (a *Archive) findIn(digest tallystick.Digest, id prediction.ID, rows []row, read reader) (*Found, error) {
	f, err := a.files.take(digest)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return nil, replaced{missing(digest)}
	}
	if err != nil {
		return nil, err
	}
	defer a.files.release(f)
	at, err := f.Find(id)
	if err != nil {
		return nil, err
	}
	entry, err := read(f.File, at)
	if err != nil {
		return nil, err
	}
	record, err := prediction.Decode(entry.Encoding)
	if err != nil {
		return nil, err
	}
	record.Attach(entry.Bodies)
	proof, err := f.Prove(at)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.segment == proof.Segment && r.file == digest {
			return r.found(record, entry.Leaf, proof)
		}
	}
	return nil, fmt.Errorf("segment file %s: prediction %s is in its segment %s, in which the trail has no such id", digest, id, proof.Segment)
}

// found holds a record against the root of its segment.
func (r row) found(record prediction.Record, leaf prediction.Leaf, proof *segment.Proof) (*Found, error) {
	if proof.Root != r.root || proof.Count != r.records || record.Model != r.model {
		return nil, fmt.Errorf("segment file %s: segment %s has the root %s, event %d registered %s", r.file, r.segment, proof.Root, r.event, r.root)
	}
	return &Found{
		Record: record, Leaf: tallystick.Digest("sha256:" + hex.EncodeToString(leaf[:])), Segment: r.segment, Root: r.root, Event: r.event, File: r.file,
		Inclusion: proof.Inclusion,
	}, nil
}
