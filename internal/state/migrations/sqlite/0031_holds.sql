-- Holds: what predictions of a model are neither removed nor erased. Times of predictions are microseconds, others milliseconds since 1970.

-- +goose Up

CREATE TABLE prediction_holds (
    event          INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    id             TEXT    NOT NULL UNIQUE, -- of that event
    model          TEXT    NOT NULL,
    incident       TEXT    NOT NULL, -- empty: none
    from_us        INTEGER NOT NULL, -- the smallest number: from the first
    to_us          INTEGER NOT NULL, -- exclusive; the greatest number: those to come too
    reason         TEXT    NOT NULL,
    placed_by      TEXT    NOT NULL,
    placed_ms      INTEGER NOT NULL,
    released_ms    INTEGER NOT NULL, -- 0: it is in force
    released_by    TEXT    NOT NULL,
    release_reason TEXT    NOT NULL
) STRICT;

CREATE INDEX prediction_holds_by_model    ON prediction_holds (model, event);
CREATE INDEX prediction_holds_by_incident ON prediction_holds (incident, event);
