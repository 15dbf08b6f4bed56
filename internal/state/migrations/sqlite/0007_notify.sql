-- Notification: who is told of which events, and how far each has been told.
-- Times are milliseconds since 1970 in UTC; event is the last that changed the row.

-- +goose Up

CREATE TABLE subscriptions (
    id             TEXT    PRIMARY KEY, -- sub_...
    name           TEXT    NOT NULL UNIQUE,
    channel        TEXT    NOT NULL CHECK (channel IN ('webhook', 'email', 'slack', 'teams')),
    state          TEXT    NOT NULL CHECK (state IN ('active', 'paused')),
    topics         TEXT    NOT NULL, -- separated by blanks
    models         TEXT    NOT NULL, -- separated by blanks; empty: all
    environments   TEXT    NOT NULL, -- separated by blanks; empty: all
    host           TEXT    NOT NULL, -- of the address
    address        TEXT    NOT NULL, -- id of the file that keeps it
    address_digest TEXT,             -- null once it has been erased
    template       TEXT,             -- text/template; null: none, or erased
    created_ms     INTEGER NOT NULL,
    event          INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

-- What webhooks are signed with. The secrets themselves are in files.
CREATE TABLE subscription_secrets (
    id            TEXT    PRIMARY KEY, -- key_..., of the file
    subscription  TEXT    NOT NULL REFERENCES subscriptions (id),
    secret_digest TEXT    NOT NULL,
    created_ms    INTEGER NOT NULL,
    ends_ms       INTEGER, -- null: not replaced yet
    event         INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX subscription_secrets_by_subscription ON subscription_secrets (subscription, id);

-- How far a subscription has been told. Like the table below it does not follow from the trail: it is
-- moved when a receiver has answered.
CREATE TABLE notification_cursors (
    subscription TEXT    PRIMARY KEY,
    position     INTEGER NOT NULL, -- sequence of the last event that is done with
    number       INTEGER NOT NULL, -- of the last notification
    attempts     INTEGER NOT NULL, -- at the notification in front
    next_ms      INTEGER,          -- not before then
    failing_ms   INTEGER,          -- since when it fails too often
    delivered_ms INTEGER,          -- when the last one was taken
    fault        TEXT              -- of the last attempt
) STRICT, WITHOUT ROWID;

CREATE TABLE notifications (
    subscription TEXT    NOT NULL,
    number       INTEGER NOT NULL, -- from 1 without a gap
    sequence     INTEGER NOT NULL, -- of the event
    event_id     TEXT    NOT NULL,
    type         TEXT    NOT NULL, -- of the event
    state        TEXT    NOT NULL CHECK (state IN ('pending', 'delivered', 'skipped')),
    attempts     INTEGER NOT NULL,
    status       INTEGER,          -- that the receiver answered last
    fault        TEXT,             -- of the last attempt
    first_ms     INTEGER NOT NULL, -- first attempt
    last_ms      INTEGER NOT NULL, -- last attempt
    PRIMARY KEY (subscription, number)
) STRICT, WITHOUT ROWID;
