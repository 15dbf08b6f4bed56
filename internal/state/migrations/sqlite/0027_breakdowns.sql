-- What parts of the predictions of models are compared with, by season or by slice. Documents are in the evidence store.

-- +goose Up

CREATE TABLE model_breakdowns (
    event            INTEGER NOT NULL PRIMARY KEY REFERENCES events (sequence),
    model            TEXT    NOT NULL,
    version          TEXT    NOT NULL, -- empty: for every version that has none of its own
    kind             TEXT    NOT NULL, -- season or slice
    digest           TEXT    NOT NULL,
    reference_digest TEXT    NOT NULL, -- by whose rules it was counted
    parts            INTEGER NOT NULL,
    predictions      INTEGER NOT NULL,
    environment      TEXT    NOT NULL,
    from_us          INTEGER NOT NULL,
    to_us            INTEGER NOT NULL,
    pinned_ms        INTEGER NOT NULL
) STRICT;

CREATE INDEX model_breakdowns_by_model ON model_breakdowns (model, kind, version, event);
