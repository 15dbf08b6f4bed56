-- Predictions: their segments, gaps of the journal, how far each shard of it is in segments, and the
-- batches that may come again. Times are microseconds since 1970 in UTC, or milliseconds as *_ms.

-- +goose Up

CREATE TABLE prediction_segments (
    segment        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    model          TEXT COLLATE "C" NOT NULL,
    file_digest    TEXT COLLATE "C" NOT NULL,
    bytes          BIGINT NOT NULL,
    root_digest    TEXT COLLATE "C" NOT NULL,
    previous_root  TEXT COLLATE "C" NOT NULL, -- empty for the first of the model
    records        BIGINT NOT NULL,
    shard          TEXT COLLATE "C" NOT NULL,
    first_sequence BIGINT NOT NULL,
    last_sequence  BIGINT NOT NULL,
    first_us       BIGINT NOT NULL,
    last_us        BIGINT NOT NULL,
    first_id       TEXT COLLATE "C" NOT NULL,
    last_id        TEXT COLLATE "C" NOT NULL,
    event          BIGINT NOT NULL REFERENCES events (sequence)
);

CREATE INDEX prediction_segments_by_model ON prediction_segments (model, event);
CREATE INDEX prediction_segments_by_id    ON prediction_segments (last_id, first_id);

CREATE TABLE prediction_gaps (
    event         BIGINT PRIMARY KEY REFERENCES events (sequence),
    shard         TEXT COLLATE "C" NOT NULL, -- that begins behind the gap
    sequence      BIGINT NOT NULL,
    gap_shard     TEXT COLLATE "C" NOT NULL,
    from_sequence BIGINT NOT NULL,
    to_sequence   BIGINT NOT NULL, -- 0 if nobody knows
    salvaged      BIGINT NOT NULL,
    unsure        BIGINT NOT NULL CHECK (unsure IN (0, 1))
);

CREATE TABLE prediction_cursors (
    shard    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL, -- up to which everything is in segments
    event    BIGINT NOT NULL REFERENCES events (sequence)
);

-- Follows from no event: what a sender is told who sends a batch again.
CREATE TABLE prediction_batches (
    name     TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- who sent it and what he calls it, as a digest
    batch    TEXT COLLATE "C" NOT NULL, -- the same with the content
    shard    TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    head     TEXT COLLATE "C" NOT NULL,
    ids      BYTEA    NOT NULL, -- of its records, 16 bytes each
    time_ms  BIGINT NOT NULL
);

CREATE INDEX prediction_batches_by_time ON prediction_batches (time_ms);
