-- How well models are to behave, and how that stands. Documents are in the evidence store, by their digests.

-- +goose Up

-- Every state that an objective has been in; the one with the newest event is in force.
CREATE TABLE objective_revisions (
    event       BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    name        TEXT COLLATE "C" NOT NULL,
    model       TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL, -- empty: any
    digest      TEXT COLLATE "C" NOT NULL, -- of the document
    removed     BIGINT NOT NULL CHECK (removed IN (0, 1)),
    applied_ms  BIGINT NOT NULL
);

CREATE INDEX objective_revisions_by_name  ON objective_revisions (name, event);
CREATE INDEX objective_revisions_by_model ON objective_revisions (model, event);

CREATE TABLE objective_judgements (
    event       BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    objective   TEXT COLLATE "C" NOT NULL,
    model       TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL, -- empty: all
    environment TEXT COLLATE "C" NOT NULL, -- empty: any
    period      TEXT COLLATE "C" NOT NULL, -- such as 30d
    at_ms       BIGINT NOT NULL, -- the moment that was judged
    known_event BIGINT NOT NULL, -- newest event by which something came on record that can count
    digest      TEXT COLLATE "C" NOT NULL, -- of the judgement
    verdict     TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL, -- verdict of each rule, and how much of the budget is left
    paused      BIGINT NOT NULL CHECK (paused IN (0, 1)),
    changed     BIGINT NOT NULL CHECK (changed IN (0, 1)), -- it says something else than the one before
    good        BIGINT NOT NULL,
    valid       BIGINT NOT NULL,
    left_ppm    BIGINT NOT NULL, -- millionths of the budget
    judged_ms   BIGINT NOT NULL
);

CREATE INDEX objective_judgements_by_objective ON objective_judgements (objective, event);
CREATE INDEX objective_judgements_by_model     ON objective_judgements (model, event);

-- What was counted for an objective, by minutes of the last two days and by hours before. It follows from no event: it is counted
-- anew where it is missing.
CREATE TABLE objective_counts (
    objective TEXT COLLATE "C" NOT NULL,
    from_ms   BIGINT NOT NULL,
    good      BIGINT NOT NULL,
    valid     BIGINT NOT NULL,
    PRIMARY KEY (objective, from_ms)
);

CREATE TABLE objective_cursors (
    objective TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    document  TEXT COLLATE "C" NOT NULL, -- digest of the document that the counts are of
    basis     TEXT COLLATE "C" NOT NULL, -- digest of the reference that predictions are held against; empty: none
    event     BIGINT NOT NULL, -- up to which it is counted
    at_ms     BIGINT NOT NULL, -- the clock then
    pending   TEXT COLLATE "C" NOT NULL -- times that are still to be counted, as JSON
);
