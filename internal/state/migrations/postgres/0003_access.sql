-- Access: people and services, their roles, and digests of the secrets by which they are known again.
-- Times are milliseconds since 1970 in UTC; event is the last that changed the row.

-- +goose Up

CREATE TABLE users (
    id                TEXT COLLATE "C" PRIMARY KEY, -- usr_...
    name              TEXT COLLATE "C" UNIQUE,      -- null once it has been erased
    kind              TEXT COLLATE "C" NOT NULL CHECK (kind IN ('person', 'service')),
    state             TEXT COLLATE "C" NOT NULL CHECK (state IN ('invited', 'active', 'disabled')),
    credential_digest TEXT COLLATE "C", -- of the row in credentials; null if there is none
    created_ms        BIGINT           NOT NULL,
    event             BIGINT           NOT NULL REFERENCES events (sequence)
);

CREATE TABLE grants (
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    role       TEXT COLLATE "C" NOT NULL,
    granted_ms BIGINT           NOT NULL,
    event      BIGINT           NOT NULL REFERENCES events (sequence),
    PRIMARY KEY (user_id, role)
);

CREATE INDEX grants_by_role ON grants (role, user_id);

-- How passphrases are checked. Alone among these tables it does not follow from the trail.
CREATE TABLE credentials (
    user_id    TEXT COLLATE "C" PRIMARY KEY REFERENCES users (id),
    passphrase TEXT COLLATE "C" NOT NULL -- argon2id, as a PHC string
);

-- One-time links by which people set their passphrase, and the secret that makes the first admin.
CREATE TABLE enrolments (
    id            TEXT COLLATE "C" PRIMARY KEY, -- enr_...
    user_id       TEXT COLLATE "C" REFERENCES users (id), -- null: the bootstrap secret
    secret_digest TEXT COLLATE "C" NOT NULL,
    created_ms    BIGINT           NOT NULL,
    expires_ms    BIGINT           NOT NULL,
    ended_ms      BIGINT, -- when it was redeemed, replaced or withdrawn
    event         BIGINT           NOT NULL REFERENCES events (sequence)
);

CREATE INDEX enrolments_by_user ON enrolments (user_id);

CREATE TABLE tokens (
    id            TEXT COLLATE "C" PRIMARY KEY, -- tok_...
    user_id       TEXT COLLATE "C" NOT NULL REFERENCES users (id), -- for whom it acts
    minter        TEXT COLLATE "C" NOT NULL, -- who made it: a user, or 'local'
    parent        TEXT COLLATE "C" REFERENCES tokens (id), -- by which it was made, if not in person
    label         TEXT COLLATE "C", -- what it is for; null once it has been erased
    scopes        TEXT COLLATE "C" NOT NULL, -- actions, separated by blanks; empty: all that the roles allow
    secret_digest TEXT COLLATE "C" NOT NULL,
    created_ms    BIGINT           NOT NULL,
    expires_ms    BIGINT           NOT NULL,
    revoked_ms    BIGINT,
    event         BIGINT           NOT NULL REFERENCES events (sequence)
);

CREATE INDEX tokens_by_user   ON tokens (user_id, id);
CREATE INDEX tokens_by_minter ON tokens (minter, id);
CREATE INDEX tokens_by_parent ON tokens (parent);

CREATE TABLE sessions (
    id            TEXT COLLATE "C" PRIMARY KEY, -- ses_...
    user_id       TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    secret_digest TEXT COLLATE "C" NOT NULL,
    created_ms    BIGINT           NOT NULL,
    expires_ms    BIGINT           NOT NULL,
    closed_ms     BIGINT,
    event         BIGINT           NOT NULL REFERENCES events (sequence)
);

CREATE INDEX sessions_by_user ON sessions (user_id, id);

-- When a token or a session was last presented, to the minute. It is no change and not on the trail.
CREATE TABLE last_uses (
    id      TEXT COLLATE "C" PRIMARY KEY, -- of the token or session
    used_ms BIGINT           NOT NULL
);
