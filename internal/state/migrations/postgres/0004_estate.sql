-- What versions are made from and where they run: data sets, environments, deployments, assignments, and
-- the findings where record and reality differ.
-- Times are milliseconds since 1970 in UTC; digests are "sha256:" and 64 digits, or empty.

-- +goose Up

CREATE TABLE datasets (
    name               TEXT COLLATE "C" PRIMARY KEY,
    owner              TEXT COLLATE "C" NOT NULL,
    summary            TEXT COLLATE "C" NOT NULL,
    source             TEXT COLLATE "C" NOT NULL,
    consent_basis      TEXT COLLATE "C" NOT NULL,
    retention_days     BIGINT NOT NULL,
    guidelines_digest  TEXT COLLATE "C" NOT NULL,
    privacy            TEXT COLLATE "C" NOT NULL, -- json: [{column, label}, ...]
    allowed_purposes   TEXT COLLATE "C" NOT NULL, -- json: [text, ...]
    forbidden_purposes TEXT COLLATE "C" NOT NULL, -- json: [text, ...]
    created_ms         BIGINT NOT NULL,
    event              BIGINT NOT NULL REFERENCES events (sequence) -- the last that changed the row
);

-- A snapshot never changes.
CREATE TABLE snapshots (
    dataset        TEXT COLLATE "C" NOT NULL REFERENCES datasets (name),
    name           TEXT COLLATE "C" NOT NULL,
    digest         TEXT COLLATE "C" NOT NULL,
    row_count      BIGINT NOT NULL,
    bytes          BIGINT NOT NULL,
    schema_digest  TEXT COLLATE "C" NOT NULL,
    profile_digest TEXT COLLATE "C" NOT NULL,
    sources        TEXT COLLATE "C" NOT NULL, -- json: [{name, digest}, ...]
    anomalies      TEXT COLLATE "C" NOT NULL, -- json: [{what, rows, handling, reason}, ...]
    taken_ms       BIGINT NOT NULL,
    created_ms     BIGINT NOT NULL,
    event          BIGINT NOT NULL UNIQUE REFERENCES events (sequence),
    PRIMARY KEY (dataset, name)
);

CREATE INDEX snapshots_by_digest  ON snapshots (digest, event);
CREATE INDEX snapshots_by_dataset ON snapshots (dataset, event);

-- Schemas and profiles of snapshots. Their digests stand on the trail, and whoever reads one checks it.
CREATE TABLE snapshot_documents (
    digest TEXT COLLATE "C" PRIMARY KEY,
    body   BYTEA NOT NULL
);

-- Which data a version rests on.
CREATE TABLE version_snapshots (
    model    TEXT COLLATE "C" NOT NULL,
    version  TEXT COLLATE "C" NOT NULL,
    role     TEXT COLLATE "C" NOT NULL CHECK (role IN ('training', 'validation', 'test', 'reference')),
    dataset  TEXT COLLATE "C" NOT NULL,
    snapshot TEXT COLLATE "C" NOT NULL,
    event    BIGINT NOT NULL UNIQUE REFERENCES events (sequence),
    PRIMARY KEY (model, version, role, dataset, snapshot),
    FOREIGN KEY (dataset, snapshot) REFERENCES snapshots (dataset, name)
);

CREATE INDEX version_snapshots_by_snapshot ON version_snapshots (dataset, snapshot, event);

CREATE TABLE environments (
    name       TEXT COLLATE "C" PRIMARY KEY,
    strictness TEXT COLLATE "C" NOT NULL CHECK (strictness IN ('free', 'checked', 'gated')),
    position   BIGINT NOT NULL,
    residency  TEXT COLLATE "C" NOT NULL,
    summary    TEXT COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL,
    event      BIGINT NOT NULL REFERENCES events (sequence) -- the last that changed the row
);

-- What was reported to run. Only the number of replicas changes, and the end is added.
CREATE TABLE deployments (
    event                BIGINT PRIMARY KEY REFERENCES events (sequence),
    id                   TEXT COLLATE "C" NOT NULL UNIQUE,
    environment          TEXT COLLATE "C" NOT NULL REFERENCES environments (name),
    model                TEXT COLLATE "C" NOT NULL,
    version              TEXT COLLATE "C" NOT NULL,
    artifact_digest      TEXT COLLATE "C" NOT NULL,
    image_digest         TEXT COLLATE "C" NOT NULL,
    configuration_digest TEXT COLLATE "C" NOT NULL,
    manifest_digest      TEXT COLLATE "C" NOT NULL,
    replicas             BIGINT NOT NULL,
    cluster              TEXT COLLATE "C" NOT NULL,
    node                 TEXT COLLATE "C" NOT NULL,
    reporter             TEXT COLLATE "C" NOT NULL,
    from_ms              BIGINT NOT NULL,
    until_ms             BIGINT, -- null: it runs
    last_event           BIGINT NOT NULL REFERENCES events (sequence)
);

CREATE INDEX deployments_by_model       ON deployments (model, event, from_ms, until_ms);
CREATE INDEX deployments_by_environment ON deployments (environment, event, from_ms, until_ms);
CREATE INDEX deployments_running        ON deployments (environment, model, version) WHERE until_ms IS NULL;
CREATE INDEX deployments_running_there  ON deployments (environment, event) WHERE until_ms IS NULL;
CREATE INDEX deployments_running_newest ON deployments (event) WHERE until_ms IS NULL;

-- Which version served where, when and as what: intervals from_ms <= t < until_ms.
CREATE TABLE assignments (
    event       BIGINT PRIMARY KEY REFERENCES events (sequence), -- that began it
    id          TEXT COLLATE "C" NOT NULL UNIQUE,   -- of that event
    environment TEXT COLLATE "C" NOT NULL REFERENCES environments (name),
    model       TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    role        TEXT COLLATE "C" NOT NULL CHECK (role IN ('champion', 'challenger', 'shadow', 'canary')),
    percent     BIGINT NOT NULL,
    observed    BIGINT NOT NULL CHECK (observed IN (0, 1)),
    reason      TEXT COLLATE "C" NOT NULL,
    from_ms     BIGINT NOT NULL,
    until_ms    BIGINT, -- null: it serves
    end_event   BIGINT REFERENCES events (sequence)
);

CREATE INDEX assignments_by_model       ON assignments (model, event, from_ms, until_ms);
CREATE INDEX assignments_by_place       ON assignments (environment, model, event);
CREATE INDEX assignments_by_environment ON assignments (environment, event, from_ms, until_ms);
CREATE UNIQUE INDEX assignments_serving ON assignments (environment, model, version) WHERE until_ms IS NULL;
CREATE INDEX assignments_serving_there  ON assignments (environment, event) WHERE until_ms IS NULL;
CREATE INDEX assignments_serving_newest ON assignments (event) WHERE until_ms IS NULL;

CREATE TABLE findings (
    event       BIGINT PRIMARY KEY REFERENCES events (sequence), -- that raised it
    id          TEXT COLLATE "C" NOT NULL UNIQUE,   -- of that event
    fingerprint TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    severity    TEXT COLLATE "C" NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    environment TEXT COLLATE "C" NOT NULL,
    model       TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    subject     TEXT COLLATE "C" NOT NULL,
    expected    TEXT COLLATE "C" NOT NULL,
    observed    TEXT COLLATE "C" NOT NULL,
    summary     TEXT COLLATE "C" NOT NULL,
    first_ms    BIGINT NOT NULL,
    last_ms     BIGINT NOT NULL,
    resolved_ms BIGINT, -- null: open
    agrees      BIGINT NOT NULL CHECK (agrees IN (0, 1)),
    resolution  TEXT COLLATE "C" NOT NULL,
    last_event  BIGINT NOT NULL REFERENCES events (sequence)
);

CREATE UNIQUE INDEX findings_open ON findings (fingerprint) WHERE resolved_ms IS NULL;
CREATE INDEX findings_by_model ON findings (model, event);
CREATE INDEX findings_by_place ON findings (environment, event);
CREATE INDEX findings_open_by_model ON findings (model, event) WHERE resolved_ms IS NULL;
CREATE INDEX findings_open_by_place ON findings (environment, event) WHERE resolved_ms IS NULL;
CREATE INDEX findings_open_by_event ON findings (event) WHERE resolved_ms IS NULL;
CREATE INDEX findings_open_counted  ON findings (severity, resolved_ms) WHERE resolved_ms IS NULL; -- holds all that the census asks for

-- The last audit of a version decides where it may serve.
CREATE INDEX evaluations_by_version ON evaluations (model, version, event);
