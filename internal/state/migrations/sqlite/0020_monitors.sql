-- What the predictions of models are compared with, by which monitors, and what came of it. Documents are in the
-- evidence store, by their digests.

-- +goose Up

CREATE TABLE model_references (
    event       INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    model       TEXT    NOT NULL,
    version     TEXT    NOT NULL, -- empty: for every version that has none of its own
    digest      TEXT    NOT NULL,
    source      TEXT    NOT NULL, -- predictions or file
    predictions INTEGER NOT NULL, -- rows that it was made of
    environment TEXT    NOT NULL,
    from_us     INTEGER NOT NULL, -- 0: it is of no time
    to_us       INTEGER NOT NULL,
    data_digest TEXT    NOT NULL,
    pinned_ms   INTEGER NOT NULL
) STRICT;

CREATE INDEX model_references_by_model ON model_references (model, version, event);

-- Every state that a monitor has been in; the one with the newest event is in force.
CREATE TABLE monitor_revisions (
    event      INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    name       TEXT    NOT NULL,
    model      TEXT    NOT NULL,
    digest     TEXT    NOT NULL, -- of the document
    removed    INTEGER NOT NULL CHECK (removed IN (0, 1)),
    applied_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX monitor_revisions_by_name ON monitor_revisions (name, event);

-- Every judgement of a window; the one with the newest event counts.
CREATE TABLE window_judgements (
    event       INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    monitor     TEXT    NOT NULL,
    model       TEXT    NOT NULL,
    version     TEXT    NOT NULL, -- empty: all
    from_us     INTEGER NOT NULL,
    to_us       INTEGER NOT NULL,
    known_event INTEGER NOT NULL, -- newest event by which predictions of the window came on record
    digest      TEXT    NOT NULL, -- of the judgement
    verdict     TEXT    NOT NULL,
    predictions INTEGER NOT NULL,
    backfilled  INTEGER NOT NULL,
    judged_ms   INTEGER NOT NULL
) STRICT;

CREATE INDEX window_judgements_by_window ON window_judgements (monitor, from_us, event);
CREATE INDEX window_judgements_by_model  ON window_judgements (model, from_us, event);
