-- Findings are worked: who puts them right until when, what was done, and what a run says of it.
-- Times are milliseconds since 1970 in UTC.

-- +goose Up

ALTER TABLE findings ADD COLUMN state      TEXT COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'triaged', 'remediated', 'verified', 'resolved', 'dismissed'));
ALTER TABLE findings ADD COLUMN owner      TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE findings ADD COLUMN urgency    BIGINT NOT NULL DEFAULT 3; -- of the severity, 0 is the most
ALTER TABLE findings ADD COLUMN due_ms     BIGINT NOT NULL DEFAULT 0;
ALTER TABLE findings ADD COLUMN overdue_ms BIGINT NOT NULL DEFAULT 0; -- due date of which it was told that it has passed
ALTER TABLE findings ADD COLUMN reopened   BIGINT NOT NULL DEFAULT 0; -- how often
ALTER TABLE findings ADD COLUMN run        TEXT COLLATE "C" NOT NULL DEFAULT ''; -- digest of the last run that showed it, or that nothing is wrong any more
ALTER TABLE findings ADD COLUMN suspect    TEXT COLLATE "C" NOT NULL DEFAULT ''; -- who tried to go around the gate
ALTER TABLE findings ADD COLUMN minter     TEXT COLLATE "C" NOT NULL DEFAULT ''; -- of the token by which that was tried

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
    event    BIGINT PRIMARY KEY REFERENCES events (sequence),
    finding  TEXT COLLATE "C" NOT NULL, -- id
    step     TEXT COLLATE "C" NOT NULL,
    at_ms    BIGINT NOT NULL,
    actor    TEXT COLLATE "C" NOT NULL,
    severity TEXT COLLATE "C" NOT NULL,
    due_ms   BIGINT NOT NULL,
    owner    TEXT COLLATE "C" NOT NULL,
    version  TEXT COLLATE "C" NOT NULL,
    ticket   TEXT COLLATE "C" NOT NULL,
    run      TEXT COLLATE "C" NOT NULL,
    note     TEXT COLLATE "C" NOT NULL
);

CREATE INDEX finding_steps_by_finding ON finding_steps (finding, event);

-- Who acted stands in the disclosures of the event: its columns for questions may not be written yet.
INSERT INTO finding_steps (event, finding, step, at_ms, actor, severity, due_ms, owner, version, ticket, run, note)
SELECT f.event, f.id, 'raised', f.first_ms, coalesce((
    SELECT d ->> 2 FROM events v, json_array_elements(convert_from(v.disclosures, 'UTF8')::json) d WHERE v.sequence = f.event AND d ->> 1 = '/actor/id'), ''), f.severity, f.due_ms, '', f.version, '', '', '' FROM findings f;

INSERT INTO finding_steps (event, finding, step, at_ms, actor, severity, due_ms, owner, version, ticket, run, note)
SELECT f.last_event, f.id, f.state, f.resolved_ms, coalesce((
    SELECT d ->> 2 FROM events v, json_array_elements(convert_from(v.disclosures, 'UTF8')::json) d WHERE v.sequence = f.last_event AND d ->> 1 = '/actor/id'), ''), '', 0, '', '', '', '', f.resolution FROM findings f
WHERE f.resolved_ms IS NOT NULL;
