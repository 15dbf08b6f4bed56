-- Incidents, the alerts that are part of them and what was done, and the runbooks by which they are worked. Briefs,
-- runbooks and post-mortems are in the evidence store, by their digests.

-- +goose Up

CREATE TABLE incidents (
    event           BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    id              TEXT COLLATE "C" NOT NULL UNIQUE,
    model           TEXT COLLATE "C" NOT NULL,
    version         TEXT COLLATE "C" NOT NULL, -- empty: none is named
    environment     TEXT COLLATE "C" NOT NULL,
    title           TEXT COLLATE "C" NOT NULL,
    severity        TEXT COLLATE "C" NOT NULL,
    urgency         BIGINT NOT NULL, -- 0: the most severe
    state           TEXT COLLATE "C" NOT NULL,
    source          TEXT COLLATE "C" NOT NULL, -- person or alert
    opened_by       TEXT COLLATE "C" NOT NULL,
    lead            TEXT COLLATE "C" NOT NULL,
    first_from_ms   BIGINT NOT NULL, -- 0: no bad window was judged
    first_to_ms     BIGINT NOT NULL,
    detected_ms     BIGINT NOT NULL,
    opened_ms       BIGINT NOT NULL,
    acknowledged_ms BIGINT,
    mitigated_ms    BIGINT,
    resolved_ms     BIGINT,
    closed_ms       BIGINT,
    means           TEXT COLLATE "C" NOT NULL,
    cause           TEXT COLLATE "C" NOT NULL,
    reopened        BIGINT NOT NULL,
    brief           TEXT COLLATE "C" NOT NULL,
    runbook         TEXT COLLATE "C" NOT NULL,
    runbook_digest  TEXT COLLATE "C" NOT NULL,
    report          TEXT COLLATE "C" NOT NULL, -- of the newest post-mortem
    reported_by     TEXT COLLATE "C" NOT NULL,
    minter          TEXT COLLATE "C" NOT NULL, -- who made the token by which it was written
    closed_by       TEXT COLLATE "C" NOT NULL,
    last_event      BIGINT NOT NULL
);

CREATE INDEX incidents_by_model ON incidents (model, event);
CREATE INDEX incidents_by_state ON incidents (state, urgency, event);

CREATE TABLE incident_alerts (
    event          BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    incident       TEXT COLLATE "C" NOT NULL,
    alert          TEXT COLLATE "C" NOT NULL,
    rule           TEXT COLLATE "C" NOT NULL,
    subject        TEXT COLLATE "C" NOT NULL,
    segment        TEXT COLLATE "C" NOT NULL,
    alert_event    BIGINT NOT NULL, -- by which it fired
    window_from_ms BIGINT NOT NULL,
    window_to_ms   BIGINT NOT NULL,
    judgement      TEXT COLLATE "C" NOT NULL,
    words          TEXT COLLATE "C" NOT NULL,
    joined_ms      BIGINT NOT NULL
);

CREATE INDEX incident_alerts_by_incident ON incident_alerts (incident, event);
CREATE INDEX incident_alerts_by_alert    ON incident_alerts (alert_event);

CREATE TABLE incident_steps (
    event    BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    incident TEXT COLLATE "C" NOT NULL,
    step     TEXT COLLATE "C" NOT NULL,
    by_id    TEXT COLLATE "C" NOT NULL,
    at_ms    BIGINT NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL,
    target   TEXT COLLATE "C" NOT NULL,
    note     TEXT COLLATE "C" NOT NULL,
    digest   TEXT COLLATE "C" NOT NULL
);

CREATE INDEX incident_steps_by_incident ON incident_steps (incident, event);

-- Every state that a runbook has been in; the one with the newest event is in force.
CREATE TABLE runbook_revisions (
    event      BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    name       TEXT COLLATE "C" NOT NULL,
    digest     TEXT COLLATE "C" NOT NULL, -- of the document
    removed    BIGINT NOT NULL CHECK (removed IN (0, 1)),
    applied_ms BIGINT NOT NULL
);

CREATE INDEX runbook_revisions_by_name ON runbook_revisions (name, event);
