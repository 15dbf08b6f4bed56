-- How versions of models are compared, and what was answered. Documents are in the evidence store, by their digests.

-- +goose Up

-- Every state that a comparison has been in; the one with the newest event is in force.
CREATE TABLE comparison_revisions (
    event      BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    name       TEXT COLLATE "C" NOT NULL,
    model      TEXT COLLATE "C" NOT NULL,
    digest     TEXT COLLATE "C" NOT NULL, -- of the document
    removed    BIGINT NOT NULL CHECK (removed IN (0, 1)),
    applied_ms BIGINT NOT NULL
);

CREATE INDEX comparison_revisions_by_name ON comparison_revisions (name, event);

CREATE TABLE comparison_judgements (
    event       BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    comparison  TEXT COLLATE "C" NOT NULL,
    model       TEXT COLLATE "C" NOT NULL,
    new_version TEXT COLLATE "C" NOT NULL,
    old_version TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    from_us     BIGINT NOT NULL, -- 0: it came to no time
    to_us       BIGINT NOT NULL,
    known_event BIGINT NOT NULL, -- newest event by which predictions or labels came on record
    digest      TEXT COLLATE "C" NOT NULL, -- of the judgement
    verdict     TEXT COLLATE "C" NOT NULL,
    predictions BIGINT NOT NULL,
    judged_ms   BIGINT NOT NULL
);

CREATE INDEX comparison_judgements_by_comparison ON comparison_judgements (comparison, event);
CREATE INDEX comparison_judgements_by_model      ON comparison_judgements (model, event);
CREATE INDEX comparison_judgements_by_digest     ON comparison_judgements (digest);
