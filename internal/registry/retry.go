package registry

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	maxKey     = 128                // bytes
	maxAnswer  = 1 << 20            // bytes of a stored answer
	keyLasts   = 7 * 24 * time.Hour // a retry after that is a new command
	sweepBatch = 1024               // old keys forgotten at most by a group: as many as it can bring
)

// Retry makes a command safe to repeat: the same key with the same request is carried out once, and
// answered alike each time, for a week. The zero Retry asks for none of that.
type Retry struct {
	Key     string            // the caller's choice, unique among the principal's own
	Request tallystick.Digest // of all that was asked
}

func (r Retry) validate() error {
	if len(r.Key) > maxKey {
		return tallystick.Errorf(tallystick.Invalid, "the idempotency key is %d bytes long, the limit is %d", len(r.Key), maxKey)
	}
	return nil
}

// seen returns how the command of this key ended, if there was one. Another request under the same
// key is an Invalid error.
func (r Retry) seen(tx *state.Tx, principal string) (done Done, known bool, err error) {
	if r.Key == "" {
		return Done{}, false, nil
	}
	var request string
	err = tx.QueryRow("SELECT request, answer, changes, event_id, event FROM requests WHERE principal = ? AND request_key = ? AND time_ms > ?",
		principal, r.Key, tx.Now().Add(-keyLasts).UnixMilli()).
		Scan(&request, &done.Answer, &done.Changes, &done.Receipt.ID, &done.Receipt.Sequence)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Done{}, false, nil
	case err != nil:
		return Done{}, false, fmt.Errorf("look up idempotency key: %w", err)
	case request != string(r.Request):
		return Done{}, false, tallystick.Errorf(tallystick.Invalid, "the idempotency key %q came with another request before", r.Key).
			WithHint("use a new key for each new request")
	}
	done.Repeated = true
	return done, true, nil
}

// recall adds the answer to a repeated command, if that was told and not kept.
func (c Command) recall(tx *state.Tx, done *Done) error {
	telling, ok := c.Likely.(Telling)
	if !ok || done.Answer != nil {
		return nil
	}
	telling = reflect.New(reflect.TypeOf(telling).Elem()).Interface().(Telling)
	at, err := trail.Recall(tx, done.Receipt.Sequence, telling)
	if err != nil {
		return fmt.Errorf("recall what was answered: %w", err)
	}
	done.Told = telling.Answer(at)
	return nil
}

// remember keeps how the command ended.
func (r Retry) remember(tx *state.Tx, principal string, done Done) error {
	if r.Key == "" {
		return nil
	}
	if err := sweep(tx); err != nil {
		return fmt.Errorf("forget idempotency keys: %w", err)
	}
	_, err := r.store(tx, principal, done, `DO UPDATE SET request = excluded.request, answer = excluded.answer, changes = excluded.changes,
		event_id = excluded.event_id, event = excluded.event, time_ms = excluded.time_ms`)
	return err
}

// claim keeps how the command is going to end, unless its key is there already.
func (r Retry) claim(tx *state.Tx, principal string, done Done) (fresh bool, err error) {
	if err := sweep(tx); err != nil {
		return false, fmt.Errorf("forget idempotency keys: %w", err)
	}
	return r.store(tx, principal, done, "DO NOTHING")
}

// store adds the row of the key, or does on conflict what it is told, and reports whether it has written.
func (r Retry) store(tx *state.Tx, principal string, done Done, conflict string) (written bool, err error) {
	result, err := tx.Exec(`INSERT INTO requests (principal, request_key, request, answer, changes, event_id, event, time_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (principal, request_key) `+conflict,
		principal, r.Key, string(r.Request), done.Answer, done.Changes, done.Receipt.ID, done.Receipt.Sequence, tx.Now().UnixMilli())
	if err != nil {
		return false, fmt.Errorf("store idempotency key: %w", err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

type sweptKey struct{}

// sweep forgets keys that are too old: the first of a group for all.
func sweep(tx *state.Tx) error {
	if _, swept := tx.Memo()[sweptKey{}]; swept {
		return nil
	}
	tx.Memo()[sweptKey{}] = true
	old := tx.Now().Add(-keyLasts).UnixMilli()
	var some bool // as a rule there are none, and to look is much less than to delete none
	if err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM requests WHERE time_ms <= ?)", old).Scan(&some); err != nil || !some {
		return err
	}
	_, err := tx.Exec("DELETE FROM requests WHERE time_ms <= ? AND (principal, request_key) IN (SELECT principal, request_key FROM requests WHERE time_ms <= ? ORDER BY time_ms LIMIT ?)", old, old, sweepBatch)
	return err
}

// encode returns v as JSON, as the doors send it.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	if b.Len() > maxAnswer {
		return nil, fmt.Errorf("encode answer: %d bytes, the limit is %d", b.Len(), maxAnswer)
	}
	return b.Bytes(), nil
}
