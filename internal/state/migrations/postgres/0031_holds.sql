-- Holds: what predictions of a model are neither removed nor erased. Times of predictions are microseconds, others milliseconds since 1970.

-- +goose Up

CREATE TABLE prediction_holds (
    event          BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    id             TEXT COLLATE "C" NOT NULL UNIQUE, -- of that event
    model          TEXT COLLATE "C" NOT NULL,
    incident       TEXT COLLATE "C" NOT NULL, -- empty: none
    from_us        BIGINT NOT NULL, -- the smallest number: from the first
    to_us          BIGINT NOT NULL, -- exclusive; the greatest number: those to come too
    reason         TEXT COLLATE "C" NOT NULL,
    placed_by      TEXT COLLATE "C" NOT NULL,
    placed_ms      BIGINT NOT NULL,
    released_ms    BIGINT NOT NULL, -- 0: it is in force
    released_by    TEXT COLLATE "C" NOT NULL,
    release_reason TEXT COLLATE "C" NOT NULL
);

CREATE INDEX prediction_holds_by_model    ON prediction_holds (model, event);
CREATE INDEX prediction_holds_by_incident ON prediction_holds (incident, event);
