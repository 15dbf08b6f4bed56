-- What was counted of predictions, by minute, hour and day. These tables follow from no event: they are counted again from
-- records, or left out, and no judgement differs.

-- +goose Up

-- How far the counting of a model by some rules has come.
CREATE TABLE tally_series (
    series TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    model TEXT COLLATE "C" NOT NULL,
    rules TEXT COLLATE "C" NOT NULL, -- JSON
    since_event BIGINT NOT NULL, -- segments of later events are counted
    until_event BIGINT NOT NULL, -- up to this one
    seen_event  BIGINT NOT NULL, -- up to which erasures and removals are carried out
    minutes_us  BIGINT NOT NULL, -- from when on there are minutes
    hours_us    BIGINT NOT NULL,
    used_ms     BIGINT NOT NULL  -- when a monitor last had these rules
);

CREATE INDEX tally_series_by_model ON tally_series (model);

CREATE TABLE tallies (
    series TEXT COLLATE "C" NOT NULL,
    grain_us    BIGINT NOT NULL, -- a minute, an hour or a day
    from_us     BIGINT NOT NULL,
    version TEXT COLLATE "C" NOT NULL, -- of the predictions; empty: they name none
    environment TEXT COLLATE "C" NOT NULL,
    slice TEXT COLLATE "C" NOT NULL, -- condition; empty: all of them
    predictions BIGINT NOT NULL,
    data        BYTEA   NOT NULL,
    PRIMARY KEY (series, grain_us, from_us, version, environment, slice)
);

-- Times of which there are no tallies.
CREATE TABLE tally_holes (
    series TEXT COLLATE "C" NOT NULL,
    first_us BIGINT NOT NULL,
    last_us  BIGINT NOT NULL,
    PRIMARY KEY (series, first_us, last_us)
);

-- Up to which segments a monitor has judged again what came late; follows from no event either.
CREATE TABLE monitor_cursors (
    monitor TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    event   BIGINT NOT NULL
);

CREATE INDEX prediction_erasures_by_event ON prediction_erasures (event);
CREATE INDEX prediction_segments_removed  ON prediction_segments (model, removed) WHERE removed > 0;
