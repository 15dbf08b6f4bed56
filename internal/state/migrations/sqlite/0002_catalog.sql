-- The catalog: whose models there are, their versions, and what was found of them.
-- Times are milliseconds since 1970 in UTC; digests are "sha256:" and 64 digits.

-- +goose Up

CREATE TABLE models (
    name       TEXT    PRIMARY KEY,
    owner      TEXT    NOT NULL,
    tier       TEXT    NOT NULL CHECK (tier IN ('low', 'limited', 'high')),
    created_ms INTEGER NOT NULL,
    event      INTEGER NOT NULL REFERENCES events (sequence) -- the last that changed the row
) STRICT, WITHOUT ROWID;

-- A version never changes.
CREATE TABLE versions (
    model      TEXT    NOT NULL REFERENCES models (name),
    version    TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    event      INTEGER NOT NULL REFERENCES events (sequence),
    PRIMARY KEY (model, version)
) STRICT, WITHOUT ROWID;

-- One row for each audit that the gate has judged.
CREATE TABLE evaluations (
    id            TEXT    PRIMARY KEY,
    model         TEXT    NOT NULL,
    version       TEXT    NOT NULL,
    data_digest   TEXT    NOT NULL,
    report_digest TEXT    NOT NULL,
    policy_digest TEXT    NOT NULL,
    verdict       TEXT    NOT NULL CHECK (verdict IN ('pass', 'fail')),
    event         INTEGER NOT NULL UNIQUE REFERENCES events (sequence),
    FOREIGN KEY (model, version) REFERENCES versions (model, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX evaluations_by_data ON evaluations (data_digest, event);

-- Thresholds that were fixed. Fixing the same ones again changes nothing: the first moment counts.
CREATE TABLE criteria (
    digest     TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    event_id   TEXT    NOT NULL,
    event      INTEGER NOT NULL UNIQUE REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;
