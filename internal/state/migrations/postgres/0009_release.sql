-- How versions are let into environments: requests, reviews, decisions of the gate, freezes, waivers.
-- Times are milliseconds since 1970 in UTC; digests are "sha256:" and 64 digits.

-- +goose Up

CREATE TABLE release_requests (
    event       BIGINT PRIMARY KEY REFERENCES events (sequence), -- that asked
    id          TEXT COLLATE "C" NOT NULL UNIQUE,                          -- of that event
    kind        TEXT COLLATE "C" NOT NULL CHECK (kind IN ('promotion', 'rollback')),
    model       TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    digest      TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL REFERENCES environments (name),
    role        TEXT COLLATE "C" NOT NULL CHECK (role IN ('champion', 'challenger', 'shadow', 'canary')),
    percent     BIGINT NOT NULL,
    requester   TEXT COLLATE "C" NOT NULL,
    minter      TEXT COLLATE "C" NOT NULL,
    reason      TEXT COLLATE "C" NOT NULL,
    created_ms  BIGINT NOT NULL,
    expires_ms  BIGINT NOT NULL,
    state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'rejected', 'withdrawn', 'promoted')),
    closed_ms   BIGINT,
    closed_by   TEXT COLLATE "C" NOT NULL,
    last_event  BIGINT NOT NULL REFERENCES events (sequence)
);

CREATE INDEX release_requests_by_model ON release_requests (model, event);
CREATE UNIQUE INDEX release_requests_open ON release_requests (model, version, environment, role) WHERE state = 'open';

-- The last review of each reviewer counts.
CREATE TABLE release_reviews (
    event      BIGINT PRIMARY KEY REFERENCES events (sequence),
    id         TEXT COLLATE "C" NOT NULL UNIQUE,
    request    TEXT COLLATE "C" NOT NULL REFERENCES release_requests (id),
    reviewer   TEXT COLLATE "C" NOT NULL,
    minter     TEXT COLLATE "C" NOT NULL,
    verdict    TEXT COLLATE "C" NOT NULL CHECK (verdict IN ('approve', 'reject')),
    digest     TEXT COLLATE "C" NOT NULL, -- of the version that was reviewed
    conflict   TEXT COLLATE "C" NOT NULL,
    comment    TEXT COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL
);

CREATE INDEX release_reviews_by_request ON release_reviews (request, event);

CREATE TABLE gate_decisions (
    event       BIGINT PRIMARY KEY REFERENCES events (sequence),
    id          TEXT COLLATE "C" NOT NULL UNIQUE,
    request     TEXT COLLATE "C" NOT NULL, -- empty: a question
    kind        TEXT COLLATE "C" NOT NULL,
    model       TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    digest      TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    role        TEXT COLLATE "C" NOT NULL,
    verdict     TEXT COLLATE "C" NOT NULL CHECK (verdict IN ('pass', 'fail')),
    input       TEXT COLLATE "C" NOT NULL, -- digest
    policy      TEXT COLLATE "C" NOT NULL, -- digest
    engine      TEXT COLLATE "C" NOT NULL,
    tier        TEXT COLLATE "C" NOT NULL,
    denied      TEXT COLLATE "C" NOT NULL, -- json: [rule, ...]
    waived      TEXT COLLATE "C" NOT NULL, -- json: [rule, ...]
    time_ms     BIGINT NOT NULL
);

CREATE INDEX gate_decisions_by_model   ON gate_decisions (model, event);
CREATE INDEX gate_decisions_by_request ON gate_decisions (request, event) WHERE request <> '';

-- Nothing is released where a freeze holds. Empty names hold everywhere.
CREATE TABLE freezes (
    event       BIGINT PRIMARY KEY REFERENCES events (sequence),
    id          TEXT COLLATE "C" NOT NULL UNIQUE,
    environment TEXT COLLATE "C" NOT NULL,
    model       TEXT COLLATE "C" NOT NULL,
    reason      TEXT COLLATE "C" NOT NULL,
    declared_by TEXT COLLATE "C" NOT NULL,
    from_ms     BIGINT NOT NULL,
    until_ms    BIGINT NOT NULL, -- 0: until it is lifted
    lifted_ms   BIGINT,
    lifted_by   TEXT COLLATE "C" NOT NULL,
    last_event  BIGINT NOT NULL REFERENCES events (sequence)
);

CREATE INDEX freezes_in_force ON freezes (event) WHERE lifted_ms IS NULL;

CREATE TABLE waivers (
    event       BIGINT PRIMARY KEY REFERENCES events (sequence),
    id          TEXT COLLATE "C" NOT NULL UNIQUE,
    model       TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    digest      TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    rule        TEXT COLLATE "C" NOT NULL,
    owner       TEXT COLLATE "C" NOT NULL,
    requester   TEXT COLLATE "C" NOT NULL,
    reason      TEXT COLLATE "C" NOT NULL,
    control     TEXT COLLATE "C" NOT NULL,
    created_ms  BIGINT NOT NULL,
    expires_ms  BIGINT NOT NULL,
    state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('requested', 'approved', 'rejected', 'revoked')),
    reviewer    TEXT COLLATE "C" NOT NULL,
    comment     TEXT COLLATE "C" NOT NULL,
    last_event  BIGINT NOT NULL REFERENCES events (sequence)
);

CREATE INDEX waivers_by_version ON waivers (model, version, event);
CREATE INDEX waivers_waiting    ON waivers (event) WHERE state = 'requested';

-- Keys from outside whose signed evidence counts.
CREATE TABLE signers (
    key_id     TEXT COLLATE "C" PRIMARY KEY, -- hexadecimal SHA-256 of its DER
    name       TEXT COLLATE "C" NOT NULL,
    public_key TEXT COLLATE "C" NOT NULL,    -- DER in base64
    predicates TEXT COLLATE "C" NOT NULL,    -- json: [type, ...]
    added_ms   BIGINT NOT NULL,
    revoked_ms BIGINT,
    event      BIGINT NOT NULL REFERENCES events (sequence) -- the last that changed the row
);
