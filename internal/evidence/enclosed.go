package evidence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// MaxEnclosed is the largest piece of evidence, in bytes, that a transaction may enclose: others wait for its end.
const MaxEnclosed = 256 << 10

// Enclose stores data in the transaction of the event that names its digest, so that both are durable by one commit. It is no
// error if it is there already.
func Enclose(tx *state.Tx, data []byte) error {
	if len(data) > MaxEnclosed {
		return fmt.Errorf("enclose evidence: %d bytes, more than %d", len(data), MaxEnclosed)
	}
	_, err := tx.Exec("INSERT INTO enclosed_evidence (digest, body) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING", string(tallystick.DigestOf(data)), data)
	return err
}

// Enclosed returns the bytes of d that an event of db encloses, having compared them with it, or else what Get returns.
func (s *Store) Enclosed(ctx context.Context, db *state.DB, d tallystick.Digest) (data []byte, err error) {
	err = db.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT body FROM enclosed_evidence WHERE digest = ?", string(d)).Scan(&data)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return s.Get(ctx, d)
	case err != nil:
		return nil, fmt.Errorf("read evidence: %w", err)
	case tallystick.DigestOf(data) != d:
		return nil, fmt.Errorf("read evidence: %s, which an event encloses, is damaged", d)
	}
	return data, nil
}
