-- Predictions that are kept: where ids lie, how long the records of a model are kept, and which records are erased.

-- +goose Up

-- The node of the tree over the milliseconds of ids that lies highest in the range of the segment's; 0 if it is not known.
ALTER TABLE prediction_segments ADD COLUMN id_node INTEGER NOT NULL DEFAULT 0;
-- The event by which the segment's records were removed, when they had been kept for long enough; then it has no file.
ALTER TABLE prediction_segments ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;

DROP INDEX prediction_segments_by_id;
CREATE INDEX prediction_segments_by_id   ON prediction_segments (id_node, last_id, first_id);
CREATE INDEX prediction_segments_by_file ON prediction_segments (file_digest);
CREATE INDEX prediction_segments_by_time ON prediction_segments (model, last_us, first_us);

CREATE TABLE prediction_retentions (
    model TEXT    NOT NULL PRIMARY KEY,
    days  INTEGER NOT NULL, -- 0: for ever
    event INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE prediction_erasures (
    id_hash TEXT    NOT NULL PRIMARY KEY, -- of the record's id
    segment TEXT    NOT NULL,
    place   INTEGER NOT NULL, -- of the record in it
    event   INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

-- Follows from no event: files that nothing names any more, to be removed when they are due.
CREATE TABLE prediction_leftovers (
    file_digest TEXT    NOT NULL PRIMARY KEY,
    due_ms      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
