-- What the gate judged is durable with its decision, by the same commit, and not by a file of its own before it.

-- +goose Up

-- Evidence that an event encloses. Its digest stands on the trail, and whoever reads it checks it.
CREATE TABLE enclosed_evidence (
    digest TEXT PRIMARY KEY,
    body   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
