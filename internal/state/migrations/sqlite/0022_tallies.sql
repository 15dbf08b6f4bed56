-- What was counted of predictions, by minute, hour and day. These tables follow from no event: they are counted again from
-- records, or left out, and no judgement differs.

-- +goose Up

-- How far the counting of a model by some rules has come.
CREATE TABLE tally_series (
    series      TEXT    NOT NULL PRIMARY KEY,
    model       TEXT    NOT NULL,
    rules       TEXT    NOT NULL, -- JSON
    since_event INTEGER NOT NULL, -- segments of later events are counted
    until_event INTEGER NOT NULL, -- up to this one
    seen_event  INTEGER NOT NULL, -- up to which erasures and removals are carried out
    minutes_us  INTEGER NOT NULL, -- from when on there are minutes
    hours_us    INTEGER NOT NULL,
    used_ms     INTEGER NOT NULL  -- when a monitor last had these rules
) STRICT, WITHOUT ROWID;

CREATE INDEX tally_series_by_model ON tally_series (model);

CREATE TABLE tallies (
    series      TEXT    NOT NULL,
    grain_us    INTEGER NOT NULL, -- a minute, an hour or a day
    from_us     INTEGER NOT NULL,
    version     TEXT    NOT NULL, -- of the predictions; empty: they name none
    environment TEXT    NOT NULL,
    slice       TEXT    NOT NULL, -- condition; empty: all of them
    predictions INTEGER NOT NULL,
    data        BLOB    NOT NULL,
    PRIMARY KEY (series, grain_us, from_us, version, environment, slice)
) STRICT;

-- Times of which there are no tallies.
CREATE TABLE tally_holes (
    series   TEXT    NOT NULL,
    first_us INTEGER NOT NULL,
    last_us  INTEGER NOT NULL,
    PRIMARY KEY (series, first_us, last_us)
) STRICT, WITHOUT ROWID;

-- Up to which segments a monitor has judged again what came late; follows from no event either.
CREATE TABLE monitor_cursors (
    monitor TEXT    NOT NULL PRIMARY KEY,
    event   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX prediction_erasures_by_event ON prediction_erasures (event);
CREATE INDEX prediction_segments_removed  ON prediction_segments (model, removed) WHERE removed > 0;
