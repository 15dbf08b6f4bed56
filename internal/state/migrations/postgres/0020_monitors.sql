-- What the predictions of models are compared with, by which monitors, and what came of it. Documents are in the
-- evidence store, by their digests.

-- +goose Up

CREATE TABLE model_references (
    event       BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    model       TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL, -- empty: for every version that has none of its own
    digest      TEXT COLLATE "C" NOT NULL,
    source      TEXT COLLATE "C" NOT NULL, -- predictions or file
    predictions BIGINT NOT NULL, -- rows that it was made of
    environment TEXT COLLATE "C" NOT NULL,
    from_us     BIGINT NOT NULL, -- 0: it is of no time
    to_us       BIGINT NOT NULL,
    data_digest TEXT COLLATE "C" NOT NULL,
    pinned_ms   BIGINT NOT NULL
);

CREATE INDEX model_references_by_model ON model_references (model, version, event);

-- Every state that a monitor has been in; the one with the newest event is in force.
CREATE TABLE monitor_revisions (
    event      BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    name       TEXT COLLATE "C" NOT NULL,
    model      TEXT COLLATE "C" NOT NULL,
    digest     TEXT COLLATE "C" NOT NULL, -- of the document
    removed    BIGINT NOT NULL CHECK (removed IN (0, 1)),
    applied_ms BIGINT NOT NULL
);

CREATE INDEX monitor_revisions_by_name ON monitor_revisions (name, event);

-- Every judgement of a window; the one with the newest event counts.
CREATE TABLE window_judgements (
    event       BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    monitor     TEXT COLLATE "C" NOT NULL,
    model       TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL, -- empty: all
    from_us     BIGINT NOT NULL,
    to_us       BIGINT NOT NULL,
    known_event BIGINT NOT NULL, -- newest event by which predictions of the window came on record
    digest      TEXT COLLATE "C" NOT NULL, -- of the judgement
    verdict     TEXT COLLATE "C" NOT NULL,
    predictions BIGINT NOT NULL,
    backfilled  BIGINT NOT NULL,
    judged_ms   BIGINT NOT NULL
);

CREATE INDEX window_judgements_by_window ON window_judgements (monitor, from_us, event);
CREATE INDEX window_judgements_by_model  ON window_judgements (model, from_us, event);
