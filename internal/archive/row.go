package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
)

// row is a segment as it is registered.
type row struct {
	segment, model string
	file           tallystick.Digest // empty once it was removed
	root           tallystick.Digest
	records        int64
	event, removed uint64
}

const rowColumns = "segment, model, file_digest, root_digest, records, event, removed"

func scanRow(s state.Scanner) (r row, err error) {
	var file, root string
	err = s.Scan(&r.segment, &r.model, &file, &root, &r.records, &r.event, &r.removed)
	r.file, r.root = tallystick.Digest(file), tallystick.Digest(root)
	return r, err
}

// candidates returns the segments that can hold an id, in the order in which they were registered.
func candidates(tx *state.Tx, id prediction.ID) ([]row, error) {
	nodes := capture.Nodes(id)
	args := make([]any, 0, len(nodes)+2)
	for _, n := range nodes {
		args = append(args, n)
	}
	found, err := state.Collect(tx, scanRow, "SELECT "+rowColumns+" FROM prediction_segments WHERE id_node IN (?"+strings.Repeat(", ?", len(nodes)-1)+
		") AND last_id >= ? AND first_id <= ? ORDER BY event", append(args, id.String(), id.String())...)
	if err != nil {
		return nil, fmt.Errorf("look for the segments around prediction %s: %w", id, err)
	}
	return found, nil
}

// pseudonym is what stands for the id of an erased record. Who has the id can make it, nobody else.
func pseudonym(id prediction.ID) tallystick.Digest {
	sum := sha256.Sum256(append([]byte("tallystick erased prediction\n"), id[:]...))
	return tallystick.Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// erased returns the event by which a record was erased, 0 if it was not.
func erased(tx *state.Tx, id prediction.ID) (event uint64, err error) {
	if err := tx.QueryRow("SELECT coalesce(max(event), 0) FROM prediction_erasures WHERE id_hash = ?", string(pseudonym(id))).Scan(&event); err != nil {
		return 0, fmt.Errorf("look whether prediction %s was erased: %w", id, err)
	}
	return event, nil
}

// around returns the segments that can hold an id, or the event by which it was erased.
func (a *Archive) around(ctx context.Context, id prediction.ID) (rows []row, gone uint64, err error) {
	err = a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) error {
		if gone, err = erased(tx, id); err != nil || gone > 0 {
			return err
		}
		rows, err = candidates(tx, id)
		return err
	})
	return rows, gone, err
}
