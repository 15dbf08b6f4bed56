package obligation

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/internal/state"
)

// seal says how far the trail is sealed, and how far witnesses have seen it.
type seal struct {
	checkpoint       trace  // the newest
	sealed, cosigned uint64 // sequence of the newest event under it, and under what witnesses have cosigned
	witnesses        string // their names
}

func (o *Office) newestSeal(tx *state.Tx) (s seal, err error) {
	var origin string
	var size int64
	var root []byte
	err = tx.QueryRow("SELECT origin, size, root, time_ms FROM checkpoints ORDER BY time_ms DESC, origin LIMIT 1").Scan(&origin, &size, &root, &s.checkpoint.at)
	if errors.Is(err, sql.ErrNoRows) {
		return seal{}, nil
	}
	if err != nil {
		return seal{}, fmt.Errorf("read the checkpoint: %w", err)
	}
	s.checkpoint.name, s.checkpoint.digest = fmt.Sprintf("%d entries", size), fmt.Sprintf("sha256:%x", root)
	if s.sealed, err = lastUnder(tx, origin, size); err != nil || o.config.Cosigned == nil {
		return s, err
	}
	// What cannot be read as cosigned is not: the check of the workspace says why.
	signed, err := o.config.Cosigned()
	if err != nil || signed.Origin != origin || len(signed.WitnessNames()) == 0 {
		return s, nil //nolint:nilerr // as said
	}
	s.witnesses = strings.Join(signed.WitnessNames(), ", ")
	s.cosigned, err = lastUnder(tx, origin, int64(signed.Size))
	return s, err
}

// lastUnder returns the sequence of the last event in a tree of that size, 0 if there is none.
func lastUnder(tx *state.Tx, origin string, size int64) (uint64, error) {
	var sequence, index, count int64
	err := tx.QueryRow("SELECT first_sequence, first_index, count FROM seals WHERE origin = ? AND first_index < ? ORDER BY first_sequence DESC LIMIT 1", origin, size).Scan(&sequence, &index, &count)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read what is sealed: %w", err)
	}
	return uint64(sequence + min(count, size-index) - 1), nil
}
