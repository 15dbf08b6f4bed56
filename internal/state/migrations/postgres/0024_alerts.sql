-- Alerts: what was judged bad often enough, when, and whether people were told. Times of judging are
-- milliseconds, those of windows microseconds since 1970 in UTC.

-- +goose Up

CREATE TABLE alerts (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- of its first event
    fingerprint   TEXT COLLATE "C" NOT NULL,
    rule          TEXT COLLATE "C" NOT NULL,
    model         TEXT COLLATE "C" NOT NULL,
    version       TEXT COLLATE "C" NOT NULL, -- empty: all
    environment   TEXT COLLATE "C" NOT NULL, -- empty: any
    subject       TEXT COLLATE "C" NOT NULL, -- empty: the whole window
    segment       TEXT COLLATE "C" NOT NULL,
    severity      TEXT COLLATE "C" NOT NULL CHECK (severity IN ('page', 'ticket')),
    state         TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending', 'firing', 'resolved')),
    whole         BIGINT NOT NULL CHECK (whole IN (0, 1)), -- it is about all data of the window
    labels        TEXT COLLATE "C" NOT NULL, -- further ones, as a JSON array of name=value
    runbook       TEXT COLLATE "C" NOT NULL,
    verdict       TEXT COLLATE "C" NOT NULL, -- of the judgement that changed the state last
    words         TEXT COLLATE "C" NOT NULL,
    from_us       BIGINT NOT NULL,
    to_us         BIGINT NOT NULL,
    evidence      TEXT COLLATE "C" NOT NULL, -- digest of that judgement
    judged_event  BIGINT NOT NULL,
    suppressed_by TEXT COLLATE "C" NOT NULL, -- empty: nothing
    cause         TEXT COLLATE "C" NOT NULL, -- of its end
    reason        TEXT COLLATE "C" NOT NULL,
    pending_ms    BIGINT NOT NULL, -- 0: it never was
    fired_ms      BIGINT NOT NULL, -- 0: it never has
    resolved_ms   BIGINT NOT NULL, -- 0: it is not
    event         BIGINT NOT NULL REFERENCES events (sequence), -- that raised it
    last_event    BIGINT NOT NULL REFERENCES events (sequence)
);

CREATE INDEX alerts_by_state       ON alerts (state, event);
CREATE INDEX alerts_by_model       ON alerts (model, event);
CREATE INDEX alerts_by_fingerprint ON alerts (fingerprint, event);

-- Every state that a policy has been in; the one with the newest event is in force.
CREATE TABLE alert_policy_revisions (
    event      BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    name       TEXT COLLATE "C" NOT NULL,
    model      TEXT COLLATE "C" NOT NULL, -- empty: all
    digest     TEXT COLLATE "C" NOT NULL, -- of the document
    removed    BIGINT NOT NULL CHECK (removed IN (0, 1)),
    applied_ms BIGINT NOT NULL
);

CREATE INDEX alert_policy_revisions_by_name ON alert_policy_revisions (name, event);

CREATE TABLE silences (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    matchers   TEXT COLLATE "C" NOT NULL, -- as a JSON array
    model      TEXT COLLATE "C" NOT NULL, -- empty: it is about no single one
    reason     TEXT COLLATE "C" NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    from_ms    BIGINT NOT NULL,
    until_ms   BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    ended_ms   BIGINT NOT NULL, -- 0: it has not
    ended_by   TEXT COLLATE "C" NOT NULL,
    event      BIGINT NOT NULL REFERENCES events (sequence)
);

CREATE INDEX silences_by_end ON silences (ended_ms, until_ms);

-- Follow from no event: up to which event of a source judgements were looked at, and the last verdicts of
-- each alert that is pending or firing.
CREATE TABLE alert_cursors (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    event BIGINT NOT NULL
);

CREATE TABLE alert_standings (
    fingerprint   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    alert         TEXT COLLATE "C" NOT NULL,
    model         TEXT COLLATE "C" NOT NULL,
    recent        TEXT COLLATE "C" NOT NULL, -- last verdicts, as a JSON array
    unjudged      BIGINT NOT NULL, -- windows in a row without a verdict
    unjudged_us   BIGINT NOT NULL, -- since the window that begins then; 0: none
    last_us       BIGINT NOT NULL, -- beginning of the last window with a verdict
    last_verdict  TEXT COLLATE "C" NOT NULL,
    last_evidence TEXT COLLATE "C" NOT NULL
);

CREATE INDEX alert_standings_by_model ON alert_standings (model);
CREATE INDEX alert_standings_by_alert ON alert_standings (alert);
