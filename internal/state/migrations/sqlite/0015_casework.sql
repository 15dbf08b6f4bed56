-- Casework: predictions that people look at. Rules choose them, reviewers give their opinions. Times are
-- milliseconds since 1970 in UTC.

-- +goose Up

CREATE TABLE case_rules (
    model     TEXT NOT NULL,
    name      TEXT NOT NULL,
    conditions TEXT NOT NULL, -- over records, all of which must hold, as a JSON array
    margin    REAL, -- greatest distance of the score from the threshold
    share     REAL NOT NULL, -- of those that it holds for, 0 to 1
    strata    TEXT NOT NULL, -- names of columns as a JSON array
    at_least  INTEGER NOT NULL, -- of each stratum and day
    most      INTEGER NOT NULL, -- of each day
    second    REAL NOT NULL, -- share that needs a second opinion
    within_ms INTEGER NOT NULL,
    queue     TEXT NOT NULL,
    removed   INTEGER NOT NULL CHECK (removed IN (0, 1)),
    event     INTEGER NOT NULL REFERENCES events (sequence),
    PRIMARY KEY (model, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE cases (
    id          TEXT NOT NULL PRIMARY KEY, -- of its first event
    prediction  TEXT NOT NULL,
    model       TEXT NOT NULL,
    version     TEXT NOT NULL,
    environment TEXT NOT NULL,
    rule        TEXT NOT NULL, -- empty if somebody opened it
    queue       TEXT NOT NULL,
    stratum     TEXT NOT NULL, -- as a JSON array of texts
    reason      TEXT NOT NULL,
    output      TEXT NOT NULL, -- of the model, as JSON; empty if it had none
    second      INTEGER NOT NULL CHECK (second IN (0, 1)),
    state       TEXT NOT NULL CHECK (state IN ('open', 'second', 'disputed', 'decided')),
    claimed_by  TEXT NOT NULL,
    claimed_ms  INTEGER NOT NULL, -- until when
    opened_ms   INTEGER NOT NULL,
    due_ms      INTEGER NOT NULL,
    decided_ms  INTEGER,
    outcome     TEXT NOT NULL, -- that was decided, as JSON
    agrees      INTEGER CHECK (agrees IN (0, 1)), -- with the model's output
    event       INTEGER NOT NULL REFERENCES events (sequence),
    last_event  INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX cases_by_prediction ON cases (prediction, event);
CREATE INDEX cases_by_model      ON cases (model, event);
CREATE INDEX cases_by_state      ON cases (state, due_ms);

CREATE TABLE case_opinions (
    case_id   TEXT NOT NULL REFERENCES cases (id),
    number    INTEGER NOT NULL,
    reviewer  TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    rationale TEXT NOT NULL,
    given_ms  INTEGER NOT NULL,
    event     INTEGER NOT NULL REFERENCES events (sequence),
    PRIMARY KEY (case_id, number)
) STRICT, WITHOUT ROWID;

-- Follow from no event: up to which segment rules have been asked, and what they chose of how many.
CREATE TABLE case_cursors (
    name  TEXT NOT NULL PRIMARY KEY,
    event INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE case_coverage (
    model   TEXT NOT NULL,
    rule    TEXT NOT NULL,
    day     INTEGER NOT NULL, -- since 1970, of the prediction
    stratum TEXT NOT NULL,
    held    INTEGER NOT NULL, -- records that the rule holds for
    taken   INTEGER NOT NULL, -- of them, those that became cases
    left_out INTEGER NOT NULL, -- of them, those that were chosen but were too many
    PRIMARY KEY (model, rule, day, stratum)
) STRICT, WITHOUT ROWID;

-- Rules are asked of segments in the order in which they came on record.
CREATE INDEX prediction_segments_by_event ON prediction_segments (event);
