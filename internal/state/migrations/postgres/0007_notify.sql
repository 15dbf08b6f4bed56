-- Notification: who is told of which events, and how far each has been told.
-- Times are milliseconds since 1970 in UTC; event is the last that changed the row.

-- +goose Up

CREATE TABLE subscriptions (
    id             TEXT COLLATE "C" PRIMARY KEY, -- sub_...
    name           TEXT COLLATE "C" NOT NULL UNIQUE,
    channel        TEXT COLLATE "C" NOT NULL CHECK (channel IN ('webhook', 'email', 'slack', 'teams')),
    state          TEXT COLLATE "C" NOT NULL CHECK (state IN ('active', 'paused')),
    topics         TEXT COLLATE "C" NOT NULL, -- separated by blanks
    models         TEXT COLLATE "C" NOT NULL, -- separated by blanks; empty: all
    environments   TEXT COLLATE "C" NOT NULL, -- separated by blanks; empty: all
    host           TEXT COLLATE "C" NOT NULL, -- of the address
    address        TEXT COLLATE "C" NOT NULL, -- id of the file that keeps it
    address_digest TEXT COLLATE "C", -- null once it has been erased
    template       TEXT COLLATE "C", -- text/template; null: none, or erased
    created_ms     BIGINT           NOT NULL,
    event          BIGINT           NOT NULL REFERENCES events (sequence)
);

-- What webhooks are signed with. The secrets themselves are in files.
CREATE TABLE subscription_secrets (
    id            TEXT COLLATE "C" PRIMARY KEY, -- key_..., of the file
    subscription  TEXT COLLATE "C" NOT NULL REFERENCES subscriptions (id),
    secret_digest TEXT COLLATE "C" NOT NULL,
    created_ms    BIGINT           NOT NULL,
    ends_ms       BIGINT, -- null: not replaced yet
    event         BIGINT           NOT NULL REFERENCES events (sequence)
);

CREATE INDEX subscription_secrets_by_subscription ON subscription_secrets (subscription, id);

-- How far a subscription has been told. Like the table below it does not follow from the trail: it is
-- moved when a receiver has answered.
CREATE TABLE notification_cursors (
    subscription TEXT COLLATE "C" PRIMARY KEY,
    position     BIGINT           NOT NULL, -- sequence of the last event that is done with
    number       BIGINT           NOT NULL, -- of the last notification
    attempts     BIGINT           NOT NULL, -- at the notification in front
    next_ms      BIGINT, -- not before then
    failing_ms   BIGINT, -- since when it fails too often
    delivered_ms BIGINT, -- when the last one was taken
    fault        TEXT COLLATE "C" -- of the last attempt
);

CREATE TABLE notifications (
    subscription TEXT COLLATE "C" NOT NULL,
    number       BIGINT           NOT NULL, -- from 1 without a gap
    sequence     BIGINT           NOT NULL, -- of the event
    event_id     TEXT COLLATE "C" NOT NULL,
    type         TEXT COLLATE "C" NOT NULL, -- of the event
    state        TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending', 'delivered', 'skipped')),
    attempts     BIGINT           NOT NULL,
    status       BIGINT, -- that the receiver answered last
    fault        TEXT COLLATE "C", -- of the last attempt
    first_ms     BIGINT           NOT NULL, -- first attempt
    last_ms      BIGINT           NOT NULL, -- last attempt
    PRIMARY KEY (subscription, number)
);
