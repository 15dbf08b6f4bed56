-- Tables of which rows are much wider than their keys are rowid tables in SQLite. Without a rowid all columns are part of the
-- key's tree, and each comparison on the way to a row reads the whole row it passes: https://www.sqlite.org/withoutrowid.html.

-- +goose Up

CREATE TABLE wide_batches (
    name     TEXT    NOT NULL PRIMARY KEY, -- who sent it and what he calls it, as a digest
    batch    TEXT    NOT NULL, -- the same with the content
    shard    TEXT    NOT NULL,
    sequence INTEGER NOT NULL,
    head     TEXT    NOT NULL,
    ids      BLOB    NOT NULL, -- of its records, 16 bytes each
    time_ms  INTEGER NOT NULL
) STRICT;

INSERT INTO wide_batches (name, batch, shard, sequence, head, ids, time_ms)
    SELECT name, batch, shard, sequence, head, ids, time_ms FROM prediction_batches;
DROP TABLE prediction_batches;
ALTER TABLE wide_batches RENAME TO prediction_batches;
CREATE INDEX prediction_batches_by_time ON prediction_batches (time_ms);

CREATE TABLE wide_evidence (
    digest TEXT NOT NULL PRIMARY KEY,
    body   BLOB NOT NULL
) STRICT;

INSERT INTO wide_evidence (digest, body) SELECT digest, body FROM enclosed_evidence;
DROP TABLE enclosed_evidence;
ALTER TABLE wide_evidence RENAME TO enclosed_evidence;

CREATE TABLE wide_documents (
    digest TEXT NOT NULL PRIMARY KEY,
    body   BLOB NOT NULL
) STRICT;

INSERT INTO wide_documents (digest, body) SELECT digest, body FROM snapshot_documents;
DROP TABLE snapshot_documents;
ALTER TABLE wide_documents RENAME TO snapshot_documents;
