-- The trail: what happened, in order, and what is known of it in the ledger.
-- Times are milliseconds since 1970 in UTC. Digests and leaves are raw bytes.

-- +goose Up

-- An event never changes. Its fields outside the leaf repeat what the leaf says, for questions.
CREATE TABLE events (
    sequence      INTEGER PRIMARY KEY CHECK (sequence >= 1),
    id            TEXT    NOT NULL UNIQUE CHECK (length(id) = 36),
    type          TEXT    NOT NULL,
    time_ms       INTEGER NOT NULL,
    resource_type TEXT    NOT NULL,
    resource_id   TEXT    NOT NULL,
    outcome       TEXT    CHECK (outcome IN ('success', 'denied', 'failed')), -- null: an intent, its outcome follows
    leaf          BLOB    NOT NULL CHECK (length(leaf) BETWEEN 2 AND 65535)
) STRICT;

CREATE INDEX events_by_resource ON events (resource_type, resource_id, sequence);

-- +goose StatementBegin
CREATE TRIGGER events_have_no_gap BEFORE INSERT ON events
WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM events)
BEGIN
    SELECT raise(ABORT, 'events: the sequence would have a gap');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER events_never_change BEFORE UPDATE ON events
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

-- What opens the commitments of an event's leaf, apart from it: erasing here forgets a value and
-- leaves every proof valid.
CREATE TABLE disclosures (
    sequence INTEGER PRIMARY KEY REFERENCES events (sequence),
    actor    TEXT, -- the actor's id, for questions; erased together with its disclosure
    fields   BLOB NOT NULL CHECK (json_valid(fields)) -- [{"pointer", "salt", "value"}, ...]
) STRICT;

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
