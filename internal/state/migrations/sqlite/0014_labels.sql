-- Labels: outcomes of predictions that are known later. Times are microseconds since 1970 in UTC, or
-- milliseconds as *_ms.

-- +goose Up

CREATE TABLE labels (
    model       TEXT    NOT NULL,
    prediction  TEXT    NOT NULL,
    event       INTEGER NOT NULL REFERENCES events (sequence),
    place       INTEGER NOT NULL, -- in its batch
    value       TEXT    NOT NULL, -- JSON; null takes back what was said before
    time_us     INTEGER NOT NULL, -- of the outcome
    stated_us   INTEGER NOT NULL, -- of several, the one stated last counts
    recorded_ms INTEGER NOT NULL,
    source      TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    PRIMARY KEY (model, prediction, event, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE label_batches (
    event       INTEGER PRIMARY KEY REFERENCES events (sequence),
    model       TEXT    NOT NULL,
    batch       TEXT    NOT NULL, -- as its sender calls it; may be empty
    sent_digest TEXT    NOT NULL,
    labels      INTEGER NOT NULL,
    corrected   INTEGER NOT NULL,
    duplicates  INTEGER NOT NULL,
    rejected    INTEGER NOT NULL,
    recorded_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX label_batches_by_name ON label_batches (model, batch);
