-- How versions are let into environments: requests, reviews, decisions of the gate, freezes, waivers.
-- Times are milliseconds since 1970 in UTC; digests are "sha256:" and 64 digits.

-- +goose Up

CREATE TABLE release_requests (
    event       INTEGER PRIMARY KEY REFERENCES events (sequence), -- that asked
    id          TEXT    NOT NULL UNIQUE,                          -- of that event
    kind        TEXT    NOT NULL CHECK (kind IN ('promotion', 'rollback')),
    model       TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    environment TEXT    NOT NULL REFERENCES environments (name),
    role        TEXT    NOT NULL CHECK (role IN ('champion', 'challenger', 'shadow', 'canary')),
    percent     INTEGER NOT NULL,
    requester   TEXT    NOT NULL,
    minter      TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    created_ms  INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('open', 'rejected', 'withdrawn', 'promoted')),
    closed_ms   INTEGER,
    closed_by   TEXT    NOT NULL,
    last_event  INTEGER NOT NULL REFERENCES events (sequence)
) STRICT;

CREATE INDEX release_requests_by_model ON release_requests (model, event);
CREATE UNIQUE INDEX release_requests_open ON release_requests (model, version, environment, role) WHERE state = 'open';

-- The last review of each reviewer counts.
CREATE TABLE release_reviews (
    event      INTEGER PRIMARY KEY REFERENCES events (sequence),
    id         TEXT    NOT NULL UNIQUE,
    request    TEXT    NOT NULL REFERENCES release_requests (id),
    reviewer   TEXT    NOT NULL,
    minter     TEXT    NOT NULL,
    verdict    TEXT    NOT NULL CHECK (verdict IN ('approve', 'reject')),
    digest     TEXT    NOT NULL, -- of the version that was reviewed
    conflict   TEXT    NOT NULL,
    comment    TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX release_reviews_by_request ON release_reviews (request, event);

CREATE TABLE gate_decisions (
    event       INTEGER PRIMARY KEY REFERENCES events (sequence),
    id          TEXT    NOT NULL UNIQUE,
    request     TEXT    NOT NULL, -- empty: a question
    kind        TEXT    NOT NULL,
    model       TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    verdict     TEXT    NOT NULL CHECK (verdict IN ('pass', 'fail')),
    input       TEXT    NOT NULL, -- digest
    policy      TEXT    NOT NULL, -- digest
    engine      TEXT    NOT NULL,
    tier        TEXT    NOT NULL,
    denied      TEXT    NOT NULL, -- json: [rule, ...]
    waived      TEXT    NOT NULL, -- json: [rule, ...]
    time_ms     INTEGER NOT NULL
) STRICT;

CREATE INDEX gate_decisions_by_model   ON gate_decisions (model, event);
CREATE INDEX gate_decisions_by_request ON gate_decisions (request, event) WHERE request <> '';

-- Nothing is released where a freeze holds. Empty names hold everywhere.
CREATE TABLE freezes (
    event       INTEGER PRIMARY KEY REFERENCES events (sequence),
    id          TEXT    NOT NULL UNIQUE,
    environment TEXT    NOT NULL,
    model       TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    declared_by TEXT    NOT NULL,
    from_ms     INTEGER NOT NULL,
    until_ms    INTEGER NOT NULL, -- 0: until it is lifted
    lifted_ms   INTEGER,
    lifted_by   TEXT    NOT NULL,
    last_event  INTEGER NOT NULL REFERENCES events (sequence)
) STRICT;

CREATE INDEX freezes_in_force ON freezes (event) WHERE lifted_ms IS NULL;

CREATE TABLE waivers (
    event       INTEGER PRIMARY KEY REFERENCES events (sequence),
    id          TEXT    NOT NULL UNIQUE,
    model       TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    rule        TEXT    NOT NULL,
    owner       TEXT    NOT NULL,
    requester   TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    control     TEXT    NOT NULL,
    created_ms  INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('requested', 'approved', 'rejected', 'revoked')),
    reviewer    TEXT    NOT NULL,
    comment     TEXT    NOT NULL,
    last_event  INTEGER NOT NULL REFERENCES events (sequence)
) STRICT;

CREATE INDEX waivers_by_version ON waivers (model, version, event);
CREATE INDEX waivers_waiting    ON waivers (event) WHERE state = 'requested';

-- Keys from outside whose signed evidence counts.
CREATE TABLE signers (
    key_id     TEXT    PRIMARY KEY, -- hexadecimal SHA-256 of its DER
    name       TEXT    NOT NULL,
    public_key TEXT    NOT NULL,    -- DER in base64
    predicates TEXT    NOT NULL,    -- json: [type, ...]
    added_ms   INTEGER NOT NULL,
    revoked_ms INTEGER,
    event      INTEGER NOT NULL REFERENCES events (sequence) -- the last that changed the row
) STRICT, WITHOUT ROWID;
