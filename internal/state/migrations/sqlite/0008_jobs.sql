-- What a server does regularly, and how it went. No event makes these rows and no verdict rests on them: a
-- replay of the trail leaves them out. What a job changes is on the trail as whatever else changes it.

-- +goose Up

CREATE TABLE jobs (
    name         TEXT    NOT NULL PRIMARY KEY,
    period_ms    INTEGER NOT NULL,
    next_ms      INTEGER NOT NULL, -- when it is due
    holder       TEXT    NOT NULL, -- who runs it; empty: nobody
    lease_ms     INTEGER NOT NULL, -- until when nobody else may
    began_ms     INTEGER,          -- of the last run that ended
    took_ms      INTEGER,
    succeeded_ms INTEGER,          -- end of the last run that went well
    failures     INTEGER NOT NULL, -- since then
    failed       INTEGER NOT NULL, -- ever
    fault        TEXT    NOT NULL  -- of the last run; empty: it went well
) STRICT, WITHOUT ROWID;
