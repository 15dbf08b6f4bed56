-- The catalog: whose models there are, their versions, and what was found of them.
-- Times are milliseconds since 1970 in UTC; digests are "sha256:" and 64 digits.

-- +goose Up

CREATE TABLE models (
    name       TEXT   COLLATE "C" PRIMARY KEY,
    owner      TEXT   COLLATE "C" NOT NULL,
    tier       TEXT   COLLATE "C" NOT NULL CHECK (tier IN ('low', 'limited', 'high')),
    created_ms BIGINT NOT NULL,
    event      BIGINT NOT NULL REFERENCES events (sequence) -- the last that changed the row
);

-- A version never changes.
CREATE TABLE versions (
    model      TEXT   COLLATE "C" NOT NULL REFERENCES models (name),
    version    TEXT   COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL,
    event      BIGINT NOT NULL REFERENCES events (sequence),
    PRIMARY KEY (model, version)
);

-- One row for each audit that the gate has judged.
CREATE TABLE evaluations (
    id            TEXT   COLLATE "C" PRIMARY KEY,
    model         TEXT   COLLATE "C" NOT NULL,
    version       TEXT   COLLATE "C" NOT NULL,
    data_digest   TEXT   COLLATE "C" NOT NULL,
    report_digest TEXT   COLLATE "C" NOT NULL,
    policy_digest TEXT   COLLATE "C" NOT NULL,
    verdict       TEXT   COLLATE "C" NOT NULL CHECK (verdict IN ('pass', 'fail')),
    event         BIGINT NOT NULL UNIQUE REFERENCES events (sequence),
    FOREIGN KEY (model, version) REFERENCES versions (model, version)
);

CREATE INDEX evaluations_by_data ON evaluations (data_digest, event);

-- Thresholds that were fixed. Fixing the same ones again changes nothing: the first moment counts.
CREATE TABLE criteria (
    digest     TEXT   COLLATE "C" PRIMARY KEY,
    name       TEXT   COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL,
    event_id   TEXT   COLLATE "C" NOT NULL,
    event      BIGINT NOT NULL UNIQUE REFERENCES events (sequence)
);
