-- The trail: what happened, in order, and what is known of it in the ledger.
-- Times are milliseconds since 1970 in UTC. Digests and leaves are raw bytes.

-- +goose Up

-- An event never changes. The columns before the leaf repeat what the leaf says, for questions;
-- those behind it open the leaf's commitments. Erasing in them forgets a value and leaves every proof
-- valid. (Checks are written out: an IN list costs each insert more than the whole of its row.)
CREATE TABLE events (
    sequence      INTEGER PRIMARY KEY CHECK (sequence >= 1),
    id            TEXT    NOT NULL UNIQUE,
    type          TEXT    NOT NULL,
    time_ms       INTEGER NOT NULL,
    resource_type TEXT    NOT NULL,
    resource_id   TEXT    NOT NULL,
    outcome       TEXT    CHECK (outcome = 'success' OR outcome = 'denied' OR outcome = 'failed'), -- null: an intent, its outcome follows
    leaf          BLOB    NOT NULL,
    actor         TEXT,            -- the actor's id, erased together with its disclosure
    disclosures   BLOB    NOT NULL -- json: [[salt, pointer, value], ...]
) STRICT;

CREATE INDEX events_by_resource ON events (resource_id);

-- +goose StatementBegin
CREATE TRIGGER events_never_change
BEFORE UPDATE OF sequence, id, type, time_ms, resource_type, resource_id, outcome, leaf ON events
BEGIN
    SELECT raise(ABORT, 'events: an event cannot be changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER events_stay BEFORE DELETE ON events
BEGIN
    SELECT raise(ABORT, 'events: an event cannot be deleted');
END;
-- +goose StatementEnd

-- Where the ledger of an origin put the events: from first_index on, count events from
-- first_sequence on, both without a gap. A row is one batch that the ledger has acknowledged.
CREATE TABLE seals (
    origin         TEXT    NOT NULL,
    first_sequence INTEGER NOT NULL REFERENCES events (sequence),
    first_index    INTEGER NOT NULL CHECK (first_index >= 0),
    count          INTEGER NOT NULL CHECK (count >= 1),
    time_ms        INTEGER NOT NULL,
    PRIMARY KEY (origin, first_sequence)
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER seals_never_change BEFORE UPDATE ON seals
BEGIN
    SELECT raise(ABORT, 'seals: a seal cannot be changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER seals_stay BEFORE DELETE ON seals
BEGIN
    SELECT raise(ABORT, 'seals: a seal cannot be deleted');
END;
-- +goose StatementEnd

-- The largest tree that may have been signed, one row per origin. Its token grows with each signer
-- that takes the row; only the last may move it.
CREATE TABLE checkpoints (
    origin  TEXT    PRIMARY KEY,
    token   INTEGER NOT NULL CHECK (token >= 1),
    size    INTEGER NOT NULL CHECK (size >= 0),
    root    BLOB    NOT NULL CHECK (length(root) = 32),
    hashes  BLOB    NOT NULL CHECK (length(hashes) % 32 = 0), -- of the compact range [0, size): what a larger tree is built on
    time_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER checkpoints_only_grow BEFORE UPDATE ON checkpoints
WHEN NEW.origin <> OLD.origin OR NEW.token < OLD.token OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
BEGIN
    SELECT raise(ABORT, 'checkpoints: a checkpoint cannot go back');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER checkpoints_stay BEFORE DELETE ON checkpoints
BEGIN
    SELECT raise(ABORT, 'checkpoints: a checkpoint cannot be deleted');
END;
-- +goose StatementEnd

-- Effects outside the database: the event of the intent, and later that of its outcome.
CREATE TABLE intents (
    sequence INTEGER PRIMARY KEY REFERENCES events (sequence),
    outcome  INTEGER UNIQUE REFERENCES events (sequence)
) STRICT;

CREATE INDEX intents_open ON intents (sequence) WHERE outcome IS NULL;
