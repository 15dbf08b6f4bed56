-- Findings are worked: who puts them right until when, what was done, and what a run says of it.
-- Times are milliseconds since 1970 in UTC.

-- +goose Up

ALTER TABLE findings ADD COLUMN state      TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'triaged', 'remediated', 'verified', 'resolved', 'dismissed'));
ALTER TABLE findings ADD COLUMN owner      TEXT NOT NULL DEFAULT '';
ALTER TABLE findings ADD COLUMN urgency    INTEGER NOT NULL DEFAULT 3; -- of the severity, 0 is the most
ALTER TABLE findings ADD COLUMN due_ms     INTEGER NOT NULL DEFAULT 0;
ALTER TABLE findings ADD COLUMN overdue_ms INTEGER NOT NULL DEFAULT 0; -- due date of which it was told that it has passed
ALTER TABLE findings ADD COLUMN reopened   INTEGER NOT NULL DEFAULT 0; -- how often
ALTER TABLE findings ADD COLUMN run        TEXT NOT NULL DEFAULT ''; -- digest of the last run that showed it, or that nothing is wrong any more
ALTER TABLE findings ADD COLUMN suspect    TEXT NOT NULL DEFAULT ''; -- who tried to go around the gate
ALTER TABLE findings ADD COLUMN minter     TEXT NOT NULL DEFAULT ''; -- of the token by which that was tried

UPDATE findings SET state = CASE WHEN resolved_ms IS NULL THEN 'open' WHEN agrees = 1 THEN 'verified' ELSE 'resolved' END,
    urgency = CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END,
    due_ms = first_ms + CASE severity WHEN 'critical' THEN 604800000 WHEN 'high' THEN 2592000000 WHEN 'medium' THEN 7776000000 ELSE 15552000000 END; -- 7, 30, 90, 180 days

CREATE INDEX findings_backlog          ON findings (urgency, due_ms, event) WHERE resolved_ms IS NULL;
CREATE INDEX findings_backlog_by_model ON findings (model, urgency, due_ms, event) WHERE resolved_ms IS NULL;
CREATE INDEX findings_backlog_by_place ON findings (environment, urgency, due_ms, event) WHERE resolved_ms IS NULL;
CREATE INDEX findings_backlog_by_owner ON findings (owner, urgency, due_ms, event) WHERE resolved_ms IS NULL;
CREATE INDEX findings_due              ON findings (due_ms) WHERE resolved_ms IS NULL;

-- What became of a finding, one row for each step.
CREATE TABLE finding_steps (
    event    INTEGER PRIMARY KEY REFERENCES events (sequence),
    finding  TEXT NOT NULL, -- id
    step     TEXT NOT NULL,
    at_ms    INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    severity TEXT NOT NULL,
    due_ms   INTEGER NOT NULL,
    owner    TEXT NOT NULL,
    version  TEXT NOT NULL,
    ticket   TEXT NOT NULL,
    run      TEXT NOT NULL,
    note     TEXT NOT NULL
) STRICT;

CREATE INDEX finding_steps_by_finding ON finding_steps (finding, event);

-- Who acted stands in the disclosures of the event: its columns for questions may not be written yet.
INSERT INTO finding_steps (event, finding, step, at_ms, actor, severity, due_ms, owner, version, ticket, run, note)
SELECT f.event, f.id, 'raised', f.first_ms, coalesce((
    SELECT json_extract(d.value, '$[2]') FROM events v, json_each(CAST(v.disclosures AS TEXT)) d WHERE v.sequence = f.event AND json_extract(d.value, '$[1]') = '/actor/id'), ''), f.severity, f.due_ms, '', f.version, '', '', '' FROM findings f;

INSERT INTO finding_steps (event, finding, step, at_ms, actor, severity, due_ms, owner, version, ticket, run, note)
SELECT f.last_event, f.id, f.state, f.resolved_ms, coalesce((
    SELECT json_extract(d.value, '$[2]') FROM events v, json_each(CAST(v.disclosures AS TEXT)) d WHERE v.sequence = f.last_event AND json_extract(d.value, '$[1]') = '/actor/id'), ''), '', 0, '', '', '', '', f.resolution FROM findings f
WHERE f.resolved_ms IS NOT NULL;
