-- Casework: predictions that people look at. Rules choose them, reviewers give their opinions. Times are
-- milliseconds since 1970 in UTC.

-- +goose Up

CREATE TABLE case_rules (
    model     TEXT COLLATE "C" NOT NULL,
    name      TEXT COLLATE "C" NOT NULL,
    conditions TEXT COLLATE "C" NOT NULL, -- over records, all of which must hold, as a JSON array
    margin    DOUBLE PRECISION, -- greatest distance of the score from the threshold
    share     DOUBLE PRECISION NOT NULL, -- of those that it holds for, 0 to 1
    strata    TEXT COLLATE "C" NOT NULL, -- names of columns as a JSON array
    at_least  BIGINT NOT NULL, -- of each stratum and day
    most      BIGINT NOT NULL, -- of each day
    second    DOUBLE PRECISION NOT NULL, -- share that needs a second opinion
    within_ms BIGINT NOT NULL,
    queue     TEXT COLLATE "C" NOT NULL,
    removed   BIGINT NOT NULL CHECK (removed IN (0, 1)),
    event     BIGINT NOT NULL REFERENCES events (sequence),
    PRIMARY KEY (model, name)
);

CREATE TABLE cases (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- of its first event
    prediction  TEXT COLLATE "C" NOT NULL,
    model       TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    rule        TEXT COLLATE "C" NOT NULL, -- empty if somebody opened it
    queue       TEXT COLLATE "C" NOT NULL,
    stratum     TEXT COLLATE "C" NOT NULL, -- as a JSON array of texts
    reason      TEXT COLLATE "C" NOT NULL,
    output      TEXT COLLATE "C" NOT NULL, -- of the model, as JSON; empty if it had none
    second      BIGINT NOT NULL CHECK (second IN (0, 1)),
    state       TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'second', 'disputed', 'decided')),
    claimed_by  TEXT COLLATE "C" NOT NULL,
    claimed_ms  BIGINT NOT NULL, -- until when
    opened_ms   BIGINT NOT NULL,
    due_ms      BIGINT NOT NULL,
    decided_ms  BIGINT,
    outcome     TEXT COLLATE "C" NOT NULL, -- that was decided, as JSON
    agrees      BIGINT CHECK (agrees IN (0, 1)), -- with the model's output
    event       BIGINT NOT NULL REFERENCES events (sequence),
    last_event  BIGINT NOT NULL REFERENCES events (sequence)
);

CREATE INDEX cases_by_prediction ON cases (prediction, event);
CREATE INDEX cases_by_model      ON cases (model, event);
CREATE INDEX cases_by_state      ON cases (state, due_ms);

CREATE TABLE case_opinions (
    case_id   TEXT COLLATE "C" NOT NULL REFERENCES cases (id),
    number    BIGINT NOT NULL,
    reviewer  TEXT COLLATE "C" NOT NULL,
    outcome   TEXT COLLATE "C" NOT NULL,
    rationale TEXT COLLATE "C" NOT NULL,
    given_ms  BIGINT NOT NULL,
    event     BIGINT NOT NULL REFERENCES events (sequence),
    PRIMARY KEY (case_id, number)
);

-- Follow from no event: up to which segment rules have been asked, and what they chose of how many.
CREATE TABLE case_cursors (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    event BIGINT NOT NULL
);

CREATE TABLE case_coverage (
    model   TEXT COLLATE "C" NOT NULL,
    rule    TEXT COLLATE "C" NOT NULL,
    day     BIGINT NOT NULL, -- since 1970, of the prediction
    stratum TEXT COLLATE "C" NOT NULL,
    held    BIGINT NOT NULL, -- records that the rule holds for
    taken   BIGINT NOT NULL, -- of them, those that became cases
    left_out BIGINT NOT NULL, -- of them, those that were chosen but were too many
    PRIMARY KEY (model, rule, day, stratum)
);

-- Rules are asked of segments in the order in which they came on record.
CREATE INDEX prediction_segments_by_event ON prediction_segments (event);
