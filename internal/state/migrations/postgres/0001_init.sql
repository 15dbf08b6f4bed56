-- The trail: what happened, in order, and what is known of it in the ledger.
-- Times are milliseconds since 1970 in UTC. Digests and leaves are raw bytes.

-- +goose Up

-- Refuses a change with the words that its trigger gives it.
-- +goose StatementBegin
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END;
$$;
-- +goose StatementEnd

-- An event never changes. Its disclosures open the leaf's commitments; erasing one forgets a value and
-- leaves every proof valid.
CREATE TABLE events (
    sequence    BIGINT PRIMARY KEY CHECK (sequence >= 1),
    leaf        BYTEA  NOT NULL,
    disclosures BYTEA  NOT NULL -- json: [[salt, pointer, value], ...]
);

-- How a program that opens the database knows that it is one of ours.
COMMENT ON TABLE events IS 'Tallystick: the trail';

CREATE TRIGGER events_never_change BEFORE UPDATE OF sequence, leaf ON events
FOR EACH ROW EXECUTE FUNCTION refuse('events: an event cannot be changed');

CREATE TRIGGER events_stay BEFORE DELETE ON events
FOR EACH ROW EXECUTE FUNCTION refuse('events: an event cannot be deleted');

CREATE TRIGGER events_stay_all BEFORE TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION refuse('events: an event cannot be deleted');

-- What the leaves say, for questions. Rows come later than their events and in their order, and can be
-- made again from them.
CREATE TABLE event_columns (
    sequence      BIGINT PRIMARY KEY, -- an event's; fsck looks after it, a reference would read the event once more
    id            TEXT   COLLATE "C" NOT NULL UNIQUE,
    type          TEXT   COLLATE "C" NOT NULL,
    time_ms       BIGINT NOT NULL,
    latest_ms     BIGINT NOT NULL, -- the latest time_ms up to here; rises with the sequence
    late_ms       BIGINT NOT NULL, -- by how much this event's is earlier than that
    resource_type TEXT   COLLATE "C" NOT NULL,
    resource_id   TEXT   COLLATE "C" NOT NULL,
    model         TEXT   COLLATE "C", -- that the event is about, if it names one in the clear
    outcome       TEXT   COLLATE "C", -- null: an intent, its outcome follows
    actor         TEXT   COLLATE "C"  -- the actor's id, erased together with its disclosure
);

CREATE INDEX event_columns_by_type     ON event_columns (type, sequence, outcome);
CREATE INDEX event_columns_by_time     ON event_columns (latest_ms, sequence);
CREATE INDEX event_columns_late        ON event_columns (late_ms) WHERE late_ms > 0;
CREATE INDEX event_columns_by_resource ON event_columns (resource_id, resource_type, sequence);
CREATE INDEX event_columns_by_kind     ON event_columns (resource_type, sequence);
CREATE INDEX event_columns_by_model    ON event_columns (model, sequence) WHERE model IS NOT NULL;
CREATE INDEX event_columns_by_actor    ON event_columns (actor, sequence);
CREATE INDEX event_columns_by_outcome  ON event_columns (outcome, sequence) WHERE outcome <> 'success';
-- What is rare among very much: one kind of touch of a model that everybody touches, one kind of act of
-- somebody who does much, and refusals.
CREATE INDEX event_columns_by_touch    ON event_columns (model, type, sequence) WHERE model IS NOT NULL;
CREATE INDEX event_columns_by_hand     ON event_columns (actor, model, sequence) WHERE model IS NOT NULL;
CREATE INDEX event_columns_by_habit   ON event_columns (actor, type, sequence);
CREATE INDEX event_columns_refused     ON event_columns (model, outcome, sequence) WHERE outcome <> 'success';
CREATE INDEX event_columns_refusals    ON event_columns (type, outcome, sequence) WHERE outcome <> 'success';
CREATE INDEX event_columns_refused_to  ON event_columns (actor, outcome, sequence) WHERE outcome <> 'success';

-- Where the ledger of an origin put the events: from first_index on, count events from
-- first_sequence on, both without a gap. A row is one batch that the ledger has acknowledged.
CREATE TABLE seals (
    origin         TEXT   COLLATE "C" NOT NULL,
    first_sequence BIGINT NOT NULL REFERENCES events (sequence),
    first_index    BIGINT NOT NULL CHECK (first_index >= 0),
    count          BIGINT NOT NULL CHECK (count >= 1),
    time_ms        BIGINT NOT NULL,
    PRIMARY KEY (origin, first_sequence)
);

CREATE TRIGGER seals_never_change BEFORE UPDATE ON seals
FOR EACH ROW EXECUTE FUNCTION refuse('seals: a seal cannot be changed');

CREATE TRIGGER seals_stay BEFORE DELETE ON seals
FOR EACH ROW EXECUTE FUNCTION refuse('seals: a seal cannot be deleted');

CREATE TRIGGER seals_stay_all BEFORE TRUNCATE ON seals
FOR EACH STATEMENT EXECUTE FUNCTION refuse('seals: a seal cannot be deleted');

-- The largest tree that may have been signed, one row per origin. Its token grows with each signer
-- that takes the row; only the last may move it.
CREATE TABLE checkpoints (
    origin  TEXT   COLLATE "C" PRIMARY KEY,
    token   BIGINT NOT NULL CHECK (token >= 1),
    size    BIGINT NOT NULL CHECK (size >= 0),
    root    BYTEA  NOT NULL CHECK (length(root) = 32),
    hashes  BYTEA  NOT NULL CHECK (length(hashes) % 32 = 0), -- of the compact range [0, size): what a larger tree is built on
    time_ms BIGINT NOT NULL
);

CREATE TRIGGER checkpoints_only_grow BEFORE UPDATE ON checkpoints
FOR EACH ROW
WHEN (NEW.origin <> OLD.origin OR NEW.token < OLD.token OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root))
EXECUTE FUNCTION refuse('checkpoints: a checkpoint cannot go back');

CREATE TRIGGER checkpoints_stay BEFORE DELETE ON checkpoints
FOR EACH ROW EXECUTE FUNCTION refuse('checkpoints: a checkpoint cannot be deleted');

CREATE TRIGGER checkpoints_stay_all BEFORE TRUNCATE ON checkpoints
FOR EACH STATEMENT EXECUTE FUNCTION refuse('checkpoints: a checkpoint cannot be deleted');

-- Effects outside the database: the event of the intent, and later that of its outcome.
CREATE TABLE intents (
    sequence BIGINT PRIMARY KEY REFERENCES events (sequence),
    outcome  BIGINT UNIQUE REFERENCES events (sequence)
);

CREATE INDEX intents_open ON intents (sequence) WHERE outcome IS NULL;

-- Keys of which a rotation is on the trail: they sign no more.
CREATE TABLE retired_keys (
    id    TEXT   COLLATE "C" PRIMARY KEY,
    event BIGINT NOT NULL UNIQUE REFERENCES events (sequence)
);
