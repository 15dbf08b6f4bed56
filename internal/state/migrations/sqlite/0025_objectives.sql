-- How well models are to behave, and how that stands. Documents are in the evidence store, by their digests.

-- +goose Up

-- Every state that an objective has been in; the one with the newest event is in force.
CREATE TABLE objective_revisions (
    event       INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    name        TEXT NOT NULL,
    model       TEXT NOT NULL,
    environment TEXT NOT NULL, -- empty: any
    digest      TEXT NOT NULL, -- of the document
    removed     INTEGER NOT NULL CHECK (removed IN (0, 1)),
    applied_ms  INTEGER NOT NULL
) STRICT;

CREATE INDEX objective_revisions_by_name  ON objective_revisions (name, event);
CREATE INDEX objective_revisions_by_model ON objective_revisions (model, event);

CREATE TABLE objective_judgements (
    event       INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    objective   TEXT NOT NULL,
    model       TEXT NOT NULL,
    version     TEXT NOT NULL, -- empty: all
    environment TEXT NOT NULL, -- empty: any
    period      TEXT NOT NULL, -- such as 30d
    at_ms       INTEGER NOT NULL, -- the moment that was judged
    known_event INTEGER NOT NULL, -- newest event by which something came on record that can count
    digest      TEXT NOT NULL, -- of the judgement
    verdict     TEXT NOT NULL,
    state       TEXT NOT NULL, -- verdict of each rule, and how much of the budget is left
    paused      INTEGER NOT NULL CHECK (paused IN (0, 1)),
    changed     INTEGER NOT NULL CHECK (changed IN (0, 1)), -- it says something else than the one before
    good        INTEGER NOT NULL,
    valid       INTEGER NOT NULL,
    left_ppm    INTEGER NOT NULL, -- millionths of the budget
    judged_ms   INTEGER NOT NULL
) STRICT;

CREATE INDEX objective_judgements_by_objective ON objective_judgements (objective, event);
CREATE INDEX objective_judgements_by_model     ON objective_judgements (model, event);

-- What was counted for an objective, by minutes of the last two days and by hours before. It follows from no event: it is counted
-- anew where it is missing.
CREATE TABLE objective_counts (
    objective TEXT NOT NULL,
    from_ms   INTEGER NOT NULL,
    good      INTEGER NOT NULL,
    valid     INTEGER NOT NULL,
    PRIMARY KEY (objective, from_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE objective_cursors (
    objective TEXT NOT NULL PRIMARY KEY,
    document  TEXT NOT NULL, -- digest of the document that the counts are of
    basis     TEXT NOT NULL, -- digest of the reference that predictions are held against; empty: none
    event     INTEGER NOT NULL, -- up to which it is counted
    at_ms     INTEGER NOT NULL, -- the clock then
    pending   TEXT NOT NULL -- times that are still to be counted, as JSON
) STRICT, WITHOUT ROWID;
