-- Access: people and services, their roles, and digests of the secrets by which they are known again.
-- Times are milliseconds since 1970 in UTC; event is the last that changed the row.

-- +goose Up

CREATE TABLE users (
    id                TEXT    PRIMARY KEY, -- usr_...
    name              TEXT    UNIQUE,      -- null once it has been erased
    kind              TEXT    NOT NULL CHECK (kind IN ('person', 'service')),
    state             TEXT    NOT NULL CHECK (state IN ('invited', 'active', 'disabled')),
    credential_digest TEXT,                -- of the row in credentials; null if there is none
    created_ms        INTEGER NOT NULL,
    event             INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
    user_id    TEXT    NOT NULL REFERENCES users (id),
    role       TEXT    NOT NULL,
    granted_ms INTEGER NOT NULL,
    event      INTEGER NOT NULL REFERENCES events (sequence),
    PRIMARY KEY (user_id, role)
) STRICT, WITHOUT ROWID;

CREATE INDEX grants_by_role ON grants (role, user_id);

-- How passphrases are checked. Alone among these tables it does not follow from the trail.
CREATE TABLE credentials (
    user_id    TEXT PRIMARY KEY REFERENCES users (id),
    passphrase TEXT NOT NULL -- argon2id, as a PHC string
) STRICT, WITHOUT ROWID;

-- One-time links by which people set their passphrase, and the secret that makes the first admin.
CREATE TABLE enrolments (
    id            TEXT    PRIMARY KEY, -- enr_...
    user_id       TEXT    REFERENCES users (id), -- null: the bootstrap secret
    secret_digest TEXT    NOT NULL,
    created_ms    INTEGER NOT NULL,
    expires_ms    INTEGER NOT NULL,
    ended_ms      INTEGER, -- when it was redeemed, replaced or withdrawn
    event         INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX enrolments_by_user ON enrolments (user_id);

CREATE TABLE tokens (
    id            TEXT    PRIMARY KEY, -- tok_...
    user_id       TEXT    NOT NULL REFERENCES users (id), -- for whom it acts
    minter        TEXT    NOT NULL, -- who made it: a user, or 'local'
    parent        TEXT    REFERENCES tokens (id), -- by which it was made, if not in person
    label         TEXT,             -- what it is for; null once it has been erased
    scopes        TEXT    NOT NULL, -- actions, separated by blanks; empty: all that the roles allow
    secret_digest TEXT    NOT NULL,
    created_ms    INTEGER NOT NULL,
    expires_ms    INTEGER NOT NULL,
    revoked_ms    INTEGER,
    event         INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX tokens_by_user   ON tokens (user_id, id);
CREATE INDEX tokens_by_minter ON tokens (minter, id);
CREATE INDEX tokens_by_parent ON tokens (parent);

CREATE TABLE sessions (
    id            TEXT    PRIMARY KEY, -- ses_...
    user_id       TEXT    NOT NULL REFERENCES users (id),
    secret_digest TEXT    NOT NULL,
    created_ms    INTEGER NOT NULL,
    expires_ms    INTEGER NOT NULL,
    closed_ms     INTEGER,
    event         INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (user_id, id);

-- When a token or a session was last presented, to the minute. It is no change and not on the trail.
CREATE TABLE last_uses (
    id      TEXT    PRIMARY KEY, -- of the token or session
    used_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
