-- What versions are made from and where they run: data sets, environments, deployments, assignments, and
-- the findings where record and reality differ.
-- Times are milliseconds since 1970 in UTC; digests are "sha256:" and 64 digits, or empty.

-- +goose Up

CREATE TABLE datasets (
    name               TEXT    PRIMARY KEY,
    owner              TEXT    NOT NULL,
    summary            TEXT    NOT NULL,
    source             TEXT    NOT NULL,
    consent_basis      TEXT    NOT NULL,
    retention_days     INTEGER NOT NULL,
    guidelines_digest  TEXT    NOT NULL,
    privacy            TEXT    NOT NULL, -- json: [{column, label}, ...]
    allowed_purposes   TEXT    NOT NULL, -- json: [text, ...]
    forbidden_purposes TEXT    NOT NULL, -- json: [text, ...]
    created_ms         INTEGER NOT NULL,
    event              INTEGER NOT NULL REFERENCES events (sequence) -- the last that changed the row
) STRICT, WITHOUT ROWID;

-- A snapshot never changes.
CREATE TABLE snapshots (
    dataset        TEXT    NOT NULL REFERENCES datasets (name),
    name           TEXT    NOT NULL,
    digest         TEXT    NOT NULL,
    row_count      INTEGER NOT NULL,
    bytes          INTEGER NOT NULL,
    schema_digest  TEXT    NOT NULL,
    profile_digest TEXT    NOT NULL,
    sources        TEXT    NOT NULL, -- json: [{name, digest}, ...]
    anomalies      TEXT    NOT NULL, -- json: [{what, rows, handling, reason}, ...]
    taken_ms       INTEGER NOT NULL,
    created_ms     INTEGER NOT NULL,
    event          INTEGER NOT NULL UNIQUE REFERENCES events (sequence),
    PRIMARY KEY (dataset, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX snapshots_by_digest  ON snapshots (digest, event);
CREATE INDEX snapshots_by_dataset ON snapshots (dataset, event);

-- Schemas and profiles of snapshots. Their digests stand on the trail, and whoever reads one checks it.
CREATE TABLE snapshot_documents (
    digest TEXT PRIMARY KEY,
    body   BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Which data a version rests on.
CREATE TABLE version_snapshots (
    model    TEXT    NOT NULL,
    version  TEXT    NOT NULL,
    role     TEXT    NOT NULL CHECK (role IN ('training', 'validation', 'test', 'reference')),
    dataset  TEXT    NOT NULL,
    snapshot TEXT    NOT NULL,
    event    INTEGER NOT NULL UNIQUE REFERENCES events (sequence),
    PRIMARY KEY (model, version, role, dataset, snapshot),
    FOREIGN KEY (dataset, snapshot) REFERENCES snapshots (dataset, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX version_snapshots_by_snapshot ON version_snapshots (dataset, snapshot, event);

CREATE TABLE environments (
    name       TEXT    PRIMARY KEY,
    strictness TEXT    NOT NULL CHECK (strictness IN ('free', 'checked', 'gated')),
    position   INTEGER NOT NULL,
    residency  TEXT    NOT NULL,
    summary    TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    event      INTEGER NOT NULL REFERENCES events (sequence) -- the last that changed the row
) STRICT, WITHOUT ROWID;

-- What was reported to run. Only the number of replicas changes, and the end is added.
CREATE TABLE deployments (
    event                INTEGER PRIMARY KEY REFERENCES events (sequence),
    id                   TEXT    NOT NULL UNIQUE,
    environment          TEXT    NOT NULL REFERENCES environments (name),
    model                TEXT    NOT NULL,
    version              TEXT    NOT NULL,
    artifact_digest      TEXT    NOT NULL,
    image_digest         TEXT    NOT NULL,
    configuration_digest TEXT    NOT NULL,
    manifest_digest      TEXT    NOT NULL,
    replicas             INTEGER NOT NULL,
    cluster              TEXT    NOT NULL,
    node                 TEXT    NOT NULL,
    reporter             TEXT    NOT NULL,
    from_ms              INTEGER NOT NULL,
    until_ms             INTEGER,          -- null: it runs
    last_event           INTEGER NOT NULL REFERENCES events (sequence)
) STRICT;

CREATE INDEX deployments_by_model       ON deployments (model, event, from_ms, until_ms);
CREATE INDEX deployments_by_environment ON deployments (environment, event, from_ms, until_ms);
CREATE INDEX deployments_running        ON deployments (environment, model, version) WHERE until_ms IS NULL;
CREATE INDEX deployments_running_there  ON deployments (environment, event) WHERE until_ms IS NULL;
CREATE INDEX deployments_running_newest ON deployments (event) WHERE until_ms IS NULL;

-- Which version served where, when and as what: intervals from_ms <= t < until_ms.
CREATE TABLE assignments (
    event       INTEGER PRIMARY KEY REFERENCES events (sequence), -- that began it
    id          TEXT    NOT NULL UNIQUE,   -- of that event
    environment TEXT    NOT NULL REFERENCES environments (name),
    model       TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    role        TEXT    NOT NULL CHECK (role IN ('champion', 'challenger', 'shadow', 'canary')),
    percent     INTEGER NOT NULL,
    observed    INTEGER NOT NULL CHECK (observed IN (0, 1)),
    reason      TEXT    NOT NULL,
    from_ms     INTEGER NOT NULL,
    until_ms    INTEGER,                   -- null: it serves
    end_event   INTEGER REFERENCES events (sequence)
) STRICT;

CREATE INDEX assignments_by_model       ON assignments (model, event, from_ms, until_ms);
CREATE INDEX assignments_by_place       ON assignments (environment, model, event);
CREATE INDEX assignments_by_environment ON assignments (environment, event, from_ms, until_ms);
CREATE UNIQUE INDEX assignments_serving ON assignments (environment, model, version) WHERE until_ms IS NULL;
CREATE INDEX assignments_serving_there  ON assignments (environment, event) WHERE until_ms IS NULL;
CREATE INDEX assignments_serving_newest ON assignments (event) WHERE until_ms IS NULL;

CREATE TABLE findings (
    event       INTEGER PRIMARY KEY REFERENCES events (sequence), -- that raised it
    id          TEXT    NOT NULL UNIQUE,   -- of that event
    fingerprint TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    severity    TEXT    NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    environment TEXT    NOT NULL,
    model       TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    expected    TEXT    NOT NULL,
    observed    TEXT    NOT NULL,
    summary     TEXT    NOT NULL,
    first_ms    INTEGER NOT NULL,
    last_ms     INTEGER NOT NULL,
    resolved_ms INTEGER,                   -- null: open
    agrees      INTEGER NOT NULL CHECK (agrees IN (0, 1)),
    resolution  TEXT    NOT NULL,
    last_event  INTEGER NOT NULL REFERENCES events (sequence)
) STRICT;

CREATE UNIQUE INDEX findings_open ON findings (fingerprint) WHERE resolved_ms IS NULL;
CREATE INDEX findings_by_model ON findings (model, event);
CREATE INDEX findings_by_place ON findings (environment, event);
CREATE INDEX findings_open_by_model ON findings (model, event) WHERE resolved_ms IS NULL;
CREATE INDEX findings_open_by_place ON findings (environment, event) WHERE resolved_ms IS NULL;
CREATE INDEX findings_open_by_event ON findings (event) WHERE resolved_ms IS NULL;
CREATE INDEX findings_open_counted  ON findings (severity, resolved_ms) WHERE resolved_ms IS NULL; -- holds all that the census asks for

-- The last audit of a version decides where it may serve.
CREATE INDEX evaluations_by_version ON evaluations (model, version, event);
