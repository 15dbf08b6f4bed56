-- Rules that say which bodies of predictions are kept.

-- +goose Up

CREATE TABLE body_rules (
    model      TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    conditions TEXT COLLATE "C" NOT NULL, -- over records, all of which must hold, as a JSON array
    margin     DOUBLE PRECISION, -- greatest distance of the score from the threshold
    share      DOUBLE PRECISION NOT NULL, -- of those that it holds for, 0 to 1
    strata     TEXT COLLATE "C" NOT NULL, -- names of columns as a JSON array
    at_least   BIGINT NOT NULL, -- of each stratum and day
    most       BIGINT NOT NULL, -- of each day
    removed    BIGINT NOT NULL CHECK (removed IN (0, 1)),
    event      BIGINT NOT NULL REFERENCES events (sequence),
    PRIMARY KEY (model, name)
);
