-- Reactions: what is done when a model is judged bad, who let it, and what came of it. Documents and reports are in the
-- evidence store, by their digests.

-- +goose Up

-- Every state that a reaction has been in; the one with the newest event is in force.
CREATE TABLE reaction_revisions (
    event      BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    name       TEXT COLLATE "C" NOT NULL,
    model      TEXT COLLATE "C" NOT NULL,
    digest     TEXT COLLATE "C" NOT NULL, -- of the document
    removed    BIGINT NOT NULL CHECK (removed IN (0, 1)),
    applied_ms BIGINT NOT NULL
);

CREATE INDEX reaction_revisions_by_name ON reaction_revisions (name, event);

-- Who applied or approved a document.
CREATE TABLE reaction_hands (
    event    BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    reaction TEXT COLLATE "C" NOT NULL,
    digest   TEXT COLLATE "C" NOT NULL,
    act      TEXT COLLATE "C" NOT NULL, -- applied or approved
    by_id    TEXT COLLATE "C" NOT NULL,
    minter   TEXT COLLATE "C" NOT NULL,
    comment  TEXT COLLATE "C" NOT NULL,
    at_ms    BIGINT NOT NULL
);

CREATE INDEX reaction_hands_by_reaction ON reaction_hands (reaction, event);

-- One row for each deed of each reaction and each cause: nothing is tried twice.
CREATE TABLE reaction_tries (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    event       BIGINT NOT NULL REFERENCES events (sequence),
    reaction    TEXT COLLATE "C" NOT NULL,
    digest      TEXT COLLATE "C" NOT NULL,
    model       TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    deed        TEXT COLLATE "C" NOT NULL,
    mode        TEXT COLLATE "C" NOT NULL,
    cause       TEXT COLLATE "C" NOT NULL,
    rule        TEXT COLLATE "C" NOT NULL,
    incident    TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    target      TEXT COLLATE "C" NOT NULL,
    request     TEXT COLLATE "C" NOT NULL, -- id of a request for a release
    awaits      BIGINT NOT NULL CHECK (awaits IN (0, 1)), -- something is to come of the request
    retrain     TEXT COLLATE "C" NOT NULL,
    command     TEXT COLLATE "C" NOT NULL,
    reason      TEXT COLLATE "C" NOT NULL,
    tried_ms    BIGINT NOT NULL,
    ended_ms    BIGINT NOT NULL, -- 0: it has not
    last_event  BIGINT NOT NULL
);

CREATE UNIQUE INDEX reaction_tries_once     ON reaction_tries (reaction, deed, cause);
CREATE INDEX        reaction_tries_by_event ON reaction_tries (event);
CREATE INDEX        reaction_tries_by_model ON reaction_tries (model, tried_ms);
CREATE INDEX        reaction_tries_awaiting ON reaction_tries (awaits, event);

CREATE TABLE retrain_requests (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    event        BIGINT NOT NULL REFERENCES events (sequence),
    model        TEXT COLLATE "C" NOT NULL,
    version      TEXT COLLATE "C" NOT NULL,
    environment  TEXT COLLATE "C" NOT NULL,
    reaction     TEXT COLLATE "C" NOT NULL, -- empty: a person asked
    cause        TEXT COLLATE "C" NOT NULL,
    rule         TEXT COLLATE "C" NOT NULL,
    incident     TEXT COLLATE "C" NOT NULL,
    report       TEXT COLLATE "C" NOT NULL, -- digest
    from_ms      BIGINT NOT NULL,
    to_ms        BIGINT NOT NULL,
    predictions  BIGINT NOT NULL,
    known_event  BIGINT NOT NULL,
    requested_ms BIGINT NOT NULL,
    reason       TEXT COLLATE "C" NOT NULL
);

CREATE INDEX retrain_requests_by_event ON retrain_requests (event);
CREATE INDEX retrain_requests_by_model ON retrain_requests (model, event);
