package rollup

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/state"
)

// series is how far the counting of a model by some rules has come.
type series struct {
	name    string
	model   string
	rules   written
	since   int64 // event after which segments are counted
	until   int64 // event up to which they are
	seen    int64 // event up to which erasures and removals are carried out
	minutes int64 // from when on there are minutes, in microseconds
	hours   int64
	used    int64 // when a monitor last had its rules, in milliseconds
}

const seriesColumns = "series, model, rules, since_event, until_event, seen_event, minutes_us, hours_us, used_ms"

func scanSeries(row state.Scanner) (s series, err error) {
	var rules []byte
	if err = row.Scan(&s.name, &s.model, &rules, &s.since, &s.until, &s.seen, &s.minutes, &s.hours, &s.used); err == nil {
		err = json.Unmarshal(rules, &s.rules)
	}
	return s, err
}

func seriesIn(tx *state.Tx, name string) (series, error) {
	return scanSeries(tx.QueryRow("SELECT "+seriesColumns+" FROM tally_series WHERE series = ?", name))
}

const seriesFresh = time.Hour // for which a series is not told again that it is in use

// enrol returns the series of a model by rules. One that is new begins so that the time of which minutes are kept is
// covered, if its segments came on record in the order of their times.
func (s *Store) enrol(ctx context.Context, model string, r *Rules) (is series, err error) {
	name, document, err := r.series(model)
	if err != nil {
		return is, err
	}
	now := s.now()
	minutes, hours := hour.of(now.Add(-MinutesKept).UnixMicro()), day.of(now.Add(-HoursKept).UnixMicro())
	err = s.db.Read(ctx, func(tx *state.Tx) error {
		is, err = seriesIn(tx, name)
		return err
	})
	switch {
	case err == nil && is.minutes >= minutes && is.hours >= hours && is.used > now.Add(-seriesFresh).UnixMilli():
		return is, nil
	case err == nil:
		is.minutes, is.hours, is.used = max(is.minutes, minutes), max(is.hours, hours), now.UnixMilli()
		err = s.db.Write(ctx, func(tx *state.Tx) error { return is.advance(tx) })
	case errors.Is(err, sql.ErrNoRows):
		is = series{name: name, model: model, rules: r.written(), minutes: minutes, hours: hours, used: now.UnixMilli()}
		err = s.db.Write(ctx, func(tx *state.Tx) error { return is.begin(tx, document) })
	}
	if err != nil {
		return is, fmt.Errorf("series of %s: %w", model, err)
	}
	return is, nil
}

// begin puts a new series on record.
func (is *series) begin(tx *state.Tx, document []byte) error {
	if err := tx.QueryRow("SELECT coalesce(max(event), 0) FROM prediction_segments WHERE model = ? AND last_us < ?", is.model, day.of(is.minutes)).Scan(&is.since); err != nil {
		return err
	}
	if err := tx.QueryRow("SELECT coalesce(max(sequence), 0) FROM events").Scan(&is.seen); err != nil {
		return err
	}
	is.until = is.since
	_, err := tx.Exec("INSERT INTO tally_series ("+seriesColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (series) DO NOTHING",
		is.name, is.model, string(document), is.since, is.until, is.seen, is.minutes, is.hours, is.used)
	return err
}

// advance says that the series is in use, and removes the minutes and hours that are too old.
func (is *series) advance(tx *state.Tx) error {
	if _, err := tx.Exec("UPDATE tally_series SET used_ms = ?, minutes_us = ?, hours_us = ? WHERE series = ?", is.used, is.minutes, is.hours, is.name); err != nil {
		return err
	}
	for _, old := range []struct {
		grain
		before int64
	}{{minute, is.minutes}, {hour, is.hours}} {
		if _, err := tx.Exec("DELETE FROM tallies WHERE series = ? AND grain_us = ? AND from_us < ?", is.name, int64(old.grain), old.before); err != nil {
			return err
		}
	}
	return nil
}

// errMoved says that somebody else has counted meanwhile.
var errMoved = errors.New("somebody else has counted meanwhile")

// move changes a series if it stands where it did.
func (is *series) move(tx *state.Tx, until, seen int64) error {
	result, err := tx.Exec("UPDATE tally_series SET until_event = ?, seen_event = ? WHERE series = ? AND until_event = ? AND seen_event = ?", until, seen, is.name, is.until, is.seen)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, errMoved)
	}
	return nil
}
