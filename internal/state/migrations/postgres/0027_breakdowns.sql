-- What parts of the predictions of models are compared with, by season or by slice. Documents are in the evidence store.

-- +goose Up

CREATE TABLE model_breakdowns (
    event            BIGINT NOT NULL PRIMARY KEY REFERENCES events (sequence),
    model            TEXT COLLATE "C" NOT NULL,
    version          TEXT COLLATE "C" NOT NULL, -- empty: for every version that has none of its own
    kind             TEXT COLLATE "C" NOT NULL, -- season or slice
    digest           TEXT COLLATE "C" NOT NULL,
    reference_digest TEXT COLLATE "C" NOT NULL, -- by whose rules it was counted
    parts            BIGINT NOT NULL,
    predictions      BIGINT NOT NULL,
    environment      TEXT COLLATE "C" NOT NULL,
    from_us          BIGINT NOT NULL,
    to_us            BIGINT NOT NULL,
    pinned_ms        BIGINT NOT NULL
);

CREATE INDEX model_breakdowns_by_model ON model_breakdowns (model, kind, version, event);
