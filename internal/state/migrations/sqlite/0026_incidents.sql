-- Incidents, the alerts that are part of them and what was done, and the runbooks by which they are worked. Briefs,
-- runbooks and post-mortems are in the evidence store, by their digests.

-- +goose Up

CREATE TABLE incidents (
    event           INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    id              TEXT    NOT NULL UNIQUE,
    model           TEXT    NOT NULL,
    version         TEXT    NOT NULL, -- empty: none is named
    environment     TEXT    NOT NULL,
    title           TEXT    NOT NULL,
    severity        TEXT    NOT NULL,
    urgency         INTEGER NOT NULL, -- 0: the most severe
    state           TEXT    NOT NULL,
    source          TEXT    NOT NULL, -- person or alert
    opened_by       TEXT    NOT NULL,
    lead            TEXT    NOT NULL,
    first_from_ms   INTEGER NOT NULL, -- 0: no bad window was judged
    first_to_ms     INTEGER NOT NULL,
    detected_ms     INTEGER NOT NULL,
    opened_ms       INTEGER NOT NULL,
    acknowledged_ms INTEGER,
    mitigated_ms    INTEGER,
    resolved_ms     INTEGER,
    closed_ms       INTEGER,
    means           TEXT    NOT NULL,
    cause           TEXT    NOT NULL,
    reopened        INTEGER NOT NULL,
    brief           TEXT    NOT NULL,
    runbook         TEXT    NOT NULL,
    runbook_digest  TEXT    NOT NULL,
    report          TEXT    NOT NULL, -- of the newest post-mortem
    reported_by     TEXT    NOT NULL,
    minter          TEXT    NOT NULL, -- who made the token by which it was written
    closed_by       TEXT    NOT NULL,
    last_event      INTEGER NOT NULL
) STRICT;

CREATE INDEX incidents_by_model ON incidents (model, event);
CREATE INDEX incidents_by_state ON incidents (state, urgency, event);

CREATE TABLE incident_alerts (
    event          INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    incident       TEXT    NOT NULL,
    alert          TEXT    NOT NULL,
    rule           TEXT    NOT NULL,
    subject        TEXT    NOT NULL,
    segment        TEXT    NOT NULL,
    alert_event    INTEGER NOT NULL, -- by which it fired
    window_from_ms INTEGER NOT NULL,
    window_to_ms   INTEGER NOT NULL,
    judgement      TEXT    NOT NULL,
    words          TEXT    NOT NULL,
    joined_ms      INTEGER NOT NULL
) STRICT;

CREATE INDEX incident_alerts_by_incident ON incident_alerts (incident, event);
CREATE INDEX incident_alerts_by_alert    ON incident_alerts (alert_event);

CREATE TABLE incident_steps (
    event    INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    incident TEXT    NOT NULL,
    step     TEXT    NOT NULL,
    by_id    TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    target   TEXT    NOT NULL,
    note     TEXT    NOT NULL,
    digest   TEXT    NOT NULL
) STRICT;

CREATE INDEX incident_steps_by_incident ON incident_steps (incident, event);

-- Every state that a runbook has been in; the one with the newest event is in force.
CREATE TABLE runbook_revisions (
    event      INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    name       TEXT    NOT NULL,
    digest     TEXT    NOT NULL, -- of the document
    removed    INTEGER NOT NULL CHECK (removed IN (0, 1)),
    applied_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX runbook_revisions_by_name ON runbook_revisions (name, event);
