-- Predictions: their segments, gaps of the journal, how far each shard of it is in segments, and the
-- batches that may come again. Times are microseconds since 1970 in UTC, or milliseconds as *_ms.

-- +goose Up

CREATE TABLE prediction_segments (
    segment        TEXT    NOT NULL PRIMARY KEY,
    model          TEXT    NOT NULL,
    file_digest    TEXT    NOT NULL,
    bytes          INTEGER NOT NULL,
    root_digest    TEXT    NOT NULL,
    previous_root  TEXT    NOT NULL, -- empty for the first of the model
    records        INTEGER NOT NULL,
    shard          TEXT    NOT NULL,
    first_sequence INTEGER NOT NULL,
    last_sequence  INTEGER NOT NULL,
    first_us       INTEGER NOT NULL,
    last_us        INTEGER NOT NULL,
    first_id       TEXT    NOT NULL,
    last_id        TEXT    NOT NULL,
    event          INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX prediction_segments_by_model ON prediction_segments (model, event);
CREATE INDEX prediction_segments_by_id    ON prediction_segments (last_id, first_id);

CREATE TABLE prediction_gaps (
    event         INTEGER PRIMARY KEY REFERENCES events (sequence),
    shard         TEXT    NOT NULL, -- that begins behind the gap
    sequence      INTEGER NOT NULL,
    gap_shard     TEXT    NOT NULL,
    from_sequence INTEGER NOT NULL,
    to_sequence   INTEGER NOT NULL, -- 0 if nobody knows
    salvaged      INTEGER NOT NULL,
    unsure        INTEGER NOT NULL CHECK (unsure IN (0, 1))
) STRICT;

CREATE TABLE prediction_cursors (
    shard    TEXT    NOT NULL PRIMARY KEY,
    sequence INTEGER NOT NULL, -- up to which everything is in segments
    event    INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

-- Follows from no event: what a sender is told who sends a batch again.
CREATE TABLE prediction_batches (
    name     TEXT    NOT NULL PRIMARY KEY, -- who sent it and what he calls it, as a digest
    batch    TEXT    NOT NULL, -- the same with the content
    shard    TEXT    NOT NULL,
    sequence INTEGER NOT NULL,
    head     TEXT    NOT NULL,
    ids      BLOB    NOT NULL, -- of its records, 16 bytes each
    time_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX prediction_batches_by_time ON prediction_batches (time_ms);
