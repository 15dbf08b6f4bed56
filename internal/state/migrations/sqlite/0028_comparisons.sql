-- How versions of models are compared, and what was answered. Documents are in the evidence store, by their digests.

-- +goose Up

-- Every state that a comparison has been in; the one with the newest event is in force.
CREATE TABLE comparison_revisions (
    event      INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    name       TEXT    NOT NULL,
    model      TEXT    NOT NULL,
    digest     TEXT    NOT NULL, -- of the document
    removed    INTEGER NOT NULL CHECK (removed IN (0, 1)),
    applied_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX comparison_revisions_by_name ON comparison_revisions (name, event);

CREATE TABLE comparison_judgements (
    event       INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    comparison  TEXT    NOT NULL,
    model       TEXT    NOT NULL,
    new_version TEXT    NOT NULL,
    old_version TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    from_us     INTEGER NOT NULL, -- 0: it came to no time
    to_us       INTEGER NOT NULL,
    known_event INTEGER NOT NULL, -- newest event by which predictions or labels came on record
    digest      TEXT    NOT NULL, -- of the judgement
    verdict     TEXT    NOT NULL,
    predictions INTEGER NOT NULL,
    judged_ms   INTEGER NOT NULL
) STRICT;

CREATE INDEX comparison_judgements_by_comparison ON comparison_judgements (comparison, event);
CREATE INDEX comparison_judgements_by_model      ON comparison_judgements (model, event);
CREATE INDEX comparison_judgements_by_digest     ON comparison_judgements (digest);
