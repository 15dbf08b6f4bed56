-- What a server does regularly, and how it went. No event makes these rows and no verdict rests on them: a
-- replay of the trail leaves them out. What a job changes is on the trail as whatever else changes it.

-- +goose Up

CREATE TABLE jobs (
    name         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    period_ms    BIGINT           NOT NULL,
    next_ms      BIGINT           NOT NULL, -- when it is due
    holder       TEXT COLLATE "C" NOT NULL, -- who runs it; empty: nobody
    lease_ms     BIGINT           NOT NULL, -- until when nobody else may
    began_ms     BIGINT,                    -- of the last run that ended
    took_ms      BIGINT,
    succeeded_ms BIGINT,                    -- end of the last run that went well
    failures     BIGINT           NOT NULL, -- since then
    failed       BIGINT           NOT NULL, -- ever
    fault        TEXT COLLATE "C" NOT NULL  -- of the last run; empty: it went well
);
