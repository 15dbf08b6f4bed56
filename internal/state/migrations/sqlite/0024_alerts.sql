-- Alerts: what was judged bad often enough, when, and whether people were told. Times of judging are
-- milliseconds, those of windows microseconds since 1970 in UTC.

-- +goose Up

CREATE TABLE alerts (
    id            TEXT    NOT NULL PRIMARY KEY, -- of its first event
    fingerprint   TEXT    NOT NULL,
    rule          TEXT    NOT NULL,
    model         TEXT    NOT NULL,
    version       TEXT    NOT NULL, -- empty: all
    environment   TEXT    NOT NULL, -- empty: any
    subject       TEXT    NOT NULL, -- empty: the whole window
    segment       TEXT    NOT NULL,
    severity      TEXT    NOT NULL CHECK (severity IN ('page', 'ticket')),
    state         TEXT    NOT NULL CHECK (state IN ('pending', 'firing', 'resolved')),
    whole         INTEGER NOT NULL CHECK (whole IN (0, 1)), -- it is about all data of the window
    labels        TEXT    NOT NULL, -- further ones, as a JSON array of name=value
    runbook       TEXT    NOT NULL,
    verdict       TEXT    NOT NULL, -- of the judgement that changed the state last
    words         TEXT    NOT NULL,
    from_us       INTEGER NOT NULL,
    to_us         INTEGER NOT NULL,
    evidence      TEXT    NOT NULL, -- digest of that judgement
    judged_event  INTEGER NOT NULL,
    suppressed_by TEXT    NOT NULL, -- empty: nothing
    cause         TEXT    NOT NULL, -- of its end
    reason        TEXT    NOT NULL,
    pending_ms    INTEGER NOT NULL, -- 0: it never was
    fired_ms      INTEGER NOT NULL, -- 0: it never has
    resolved_ms   INTEGER NOT NULL, -- 0: it is not
    event         INTEGER NOT NULL REFERENCES events (sequence), -- that raised it
    last_event    INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX alerts_by_state       ON alerts (state, event);
CREATE INDEX alerts_by_model       ON alerts (model, event);
CREATE INDEX alerts_by_fingerprint ON alerts (fingerprint, event);

-- Every state that a policy has been in; the one with the newest event is in force.
CREATE TABLE alert_policy_revisions (
    event      INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    name       TEXT    NOT NULL,
    model      TEXT    NOT NULL, -- empty: all
    digest     TEXT    NOT NULL, -- of the document
    removed    INTEGER NOT NULL CHECK (removed IN (0, 1)),
    applied_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX alert_policy_revisions_by_name ON alert_policy_revisions (name, event);

CREATE TABLE silences (
    id         TEXT    NOT NULL PRIMARY KEY,
    matchers   TEXT    NOT NULL, -- as a JSON array
    model      TEXT    NOT NULL, -- empty: it is about no single one
    reason     TEXT    NOT NULL,
    created_by TEXT    NOT NULL,
    from_ms    INTEGER NOT NULL,
    until_ms   INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    ended_ms   INTEGER NOT NULL, -- 0: it has not
    ended_by   TEXT    NOT NULL,
    event      INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX silences_by_end ON silences (ended_ms, until_ms);

-- Follow from no event: up to which event of a source judgements were looked at, and the last verdicts of
-- each alert that is pending or firing.
CREATE TABLE alert_cursors (
    name  TEXT    NOT NULL PRIMARY KEY,
    event INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_standings (
    fingerprint   TEXT    NOT NULL PRIMARY KEY,
    alert         TEXT    NOT NULL,
    model         TEXT    NOT NULL,
    recent        TEXT    NOT NULL, -- last verdicts, as a JSON array
    unjudged      INTEGER NOT NULL, -- windows in a row without a verdict
    unjudged_us   INTEGER NOT NULL, -- since the window that begins then; 0: none
    last_us       INTEGER NOT NULL, -- beginning of the last window with a verdict
    last_verdict  TEXT    NOT NULL,
    last_evidence TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX alert_standings_by_model ON alert_standings (model);
CREATE INDEX alert_standings_by_alert ON alert_standings (alert);
