-- Labels: outcomes of predictions that are known later. Times are microseconds since 1970 in UTC, or
-- milliseconds as *_ms.

-- +goose Up

CREATE TABLE labels (
    model       TEXT COLLATE "C" NOT NULL,
    prediction  TEXT COLLATE "C" NOT NULL,
    event       BIGINT NOT NULL REFERENCES events (sequence),
    place       BIGINT NOT NULL, -- in its batch
    value       TEXT COLLATE "C" NOT NULL, -- JSON; null takes back what was said before
    time_us     BIGINT NOT NULL, -- of the outcome
    stated_us   BIGINT NOT NULL, -- of several, the one stated last counts
    recorded_ms BIGINT NOT NULL,
    source      TEXT COLLATE "C" NOT NULL,
    note        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (model, prediction, event, place)
);

CREATE TABLE label_batches (
    event       BIGINT PRIMARY KEY REFERENCES events (sequence),
    model       TEXT COLLATE "C" NOT NULL,
    batch       TEXT COLLATE "C" NOT NULL, -- as its sender calls it; may be empty
    sent_digest TEXT COLLATE "C" NOT NULL,
    labels      BIGINT NOT NULL,
    corrected   BIGINT NOT NULL,
    duplicates  BIGINT NOT NULL,
    rejected    BIGINT NOT NULL,
    recorded_ms BIGINT NOT NULL
);

CREATE INDEX label_batches_by_name ON label_batches (model, batch);
