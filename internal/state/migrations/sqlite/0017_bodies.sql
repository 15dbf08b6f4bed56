-- Rules that say which bodies of predictions are kept.

-- +goose Up

CREATE TABLE body_rules (
    model      TEXT NOT NULL,
    name       TEXT NOT NULL,
    conditions TEXT NOT NULL, -- over records, all of which must hold, as a JSON array
    margin     REAL, -- greatest distance of the score from the threshold
    share      REAL NOT NULL, -- of those that it holds for, 0 to 1
    strata     TEXT NOT NULL, -- names of columns as a JSON array
    at_least   INTEGER NOT NULL, -- of each stratum and day
    most       INTEGER NOT NULL, -- of each day
    removed    INTEGER NOT NULL CHECK (removed IN (0, 1)),
    event      INTEGER NOT NULL REFERENCES events (sequence),
    PRIMARY KEY (model, name)
) STRICT, WITHOUT ROWID;
