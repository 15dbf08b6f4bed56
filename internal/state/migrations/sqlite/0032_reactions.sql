-- Reactions: what is done when a model is judged bad, who let it, and what came of it. Documents and reports are in the
-- evidence store, by their digests.

-- +goose Up

-- Every state that a reaction has been in; the one with the newest event is in force.
CREATE TABLE reaction_revisions (
    event      INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    name       TEXT    NOT NULL,
    model      TEXT    NOT NULL,
    digest     TEXT    NOT NULL, -- of the document
    removed    INTEGER NOT NULL CHECK (removed IN (0, 1)),
    applied_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX reaction_revisions_by_name ON reaction_revisions (name, event);

-- Who applied or approved a document.
CREATE TABLE reaction_hands (
    event    INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    reaction TEXT    NOT NULL,
    digest   TEXT    NOT NULL,
    act      TEXT    NOT NULL, -- applied or approved
    by_id    TEXT    NOT NULL,
    minter   TEXT    NOT NULL,
    comment  TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL
) STRICT;

CREATE INDEX reaction_hands_by_reaction ON reaction_hands (reaction, event);

-- One row for each deed of each reaction and each cause: nothing is tried twice.
CREATE TABLE reaction_tries (
    id          TEXT    NOT NULL PRIMARY KEY,
    event       INTEGER NOT NULL REFERENCES events (sequence),
    reaction    TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    model       TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    deed        TEXT    NOT NULL,
    mode        TEXT    NOT NULL,
    cause       TEXT    NOT NULL,
    rule        TEXT    NOT NULL,
    incident    TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    request     TEXT    NOT NULL, -- id of a request for a release
    awaits      INTEGER NOT NULL CHECK (awaits IN (0, 1)), -- something is to come of the request
    retrain     TEXT    NOT NULL,
    command     TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    tried_ms    INTEGER NOT NULL,
    ended_ms    INTEGER NOT NULL, -- 0: it has not
    last_event  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX reaction_tries_once     ON reaction_tries (reaction, deed, cause);
CREATE INDEX        reaction_tries_by_event ON reaction_tries (event);
CREATE INDEX        reaction_tries_by_model ON reaction_tries (model, tried_ms);
CREATE INDEX        reaction_tries_awaiting ON reaction_tries (awaits, event);

CREATE TABLE retrain_requests (
    id           TEXT    NOT NULL PRIMARY KEY,
    event        INTEGER NOT NULL REFERENCES events (sequence),
    model        TEXT    NOT NULL,
    version      TEXT    NOT NULL,
    environment  TEXT    NOT NULL,
    reaction     TEXT    NOT NULL, -- empty: a person asked
    cause        TEXT    NOT NULL,
    rule         TEXT    NOT NULL,
    incident     TEXT    NOT NULL,
    report       TEXT    NOT NULL, -- digest
    from_ms      INTEGER NOT NULL,
    to_ms        INTEGER NOT NULL,
    predictions  INTEGER NOT NULL,
    known_event  INTEGER NOT NULL,
    requested_ms INTEGER NOT NULL,
    reason       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX retrain_requests_by_event ON retrain_requests (event);
CREATE INDEX retrain_requests_by_model ON retrain_requests (model, event);
