-- The catalog: whose models there are, their versions, and the evidence of them.
-- Times are milliseconds since 1970 in UTC; digests are "sha256:" and 64 digits. Objects are JSON with
-- sorted names. What is personal or free text is empty once it has been erased.
-- Where rows come often a check says OR: for an IN of three or more SQLite fills a table with each row.

-- +goose Up

CREATE TABLE models (
    name              TEXT    PRIMARY KEY,
    state             TEXT    NOT NULL CHECK (state = 'experimental' OR state = 'active' OR state = 'retired'),
    tier              TEXT    NOT NULL CHECK (tier = 'low' OR tier = 'limited' OR tier = 'high'),
    tier_stated       TEXT    NOT NULL,
    tier_reason       TEXT    NOT NULL,
    tier_answers      TEXT    NOT NULL, -- those that decide, as a JSON array
    answers           TEXT    NOT NULL, -- to the questions about risk, by question
    third_party       INTEGER NOT NULL CHECK (third_party IN (0, 1)),
    owner             TEXT    NOT NULL,
    sre_owner         TEXT    NOT NULL,
    phase_owners      TEXT    NOT NULL, -- who answers for each phase of its life
    intended_purpose  TEXT    NOT NULL,
    acceptable_use    TEXT    NOT NULL,
    summary           TEXT    NOT NULL,
    labels            TEXT    NOT NULL,
    supplier          TEXT    NOT NULL,
    supplier_contract TEXT    NOT NULL,
    replacement       TEXT    NOT NULL, -- of a retired model
    reason            TEXT    NOT NULL, -- of the last retirement or registration again
    revision          INTEGER NOT NULL CHECK (revision >= 1),
    urgency           INTEGER NOT NULL, -- of an audit, as far as it follows from tier, reach and state
    versions          INTEGER NOT NULL,
    latest_version    TEXT    NOT NULL,
    latest_digest     TEXT    NOT NULL, -- of that version; empty: it has no files
    latest_root       TEXT    NOT NULL,
    latest_says       TEXT    NOT NULL, -- which of the fields that versions owe it gives, separated by blanks
    evaluated_ms      INTEGER NOT NULL, -- last evaluation of the latest version; 0: none
    created_ms        INTEGER NOT NULL,
    changed_ms        INTEGER NOT NULL,
    event             INTEGER NOT NULL REFERENCES events (sequence) -- the last that changed what is said of the model
) STRICT, WITHOUT ROWID;

CREATE INDEX models_by_owner   ON models (owner, name);
CREATE INDEX models_by_state   ON models (state, name);
CREATE INDEX models_by_tier    ON models (tier, name);
CREATE INDEX models_by_urgency ON models (urgency, evaluated_ms, name);
CREATE INDEX models_by_event   ON models (event); -- whose words are to be written

-- By what models are found: the words of name, summary and purpose, and labels as "=name=value", all in small
-- letters. It follows from the rows of the models, later than those are written; whoever erases there, erases here.
CREATE TABLE model_words (
    word  TEXT    NOT NULL,
    model TEXT    NOT NULL REFERENCES models (name),
    PRIMARY KEY (word, model)
) STRICT, WITHOUT ROWID;

-- The words of models that no event has changed since this one are there.
CREATE TABLE model_words_until (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    event INTEGER NOT NULL
) STRICT;

-- A version that is registered never changes; its state does.
CREATE TABLE versions (
    model           TEXT    NOT NULL REFERENCES models (name),
    version         TEXT    NOT NULL,
    state           TEXT    NOT NULL CHECK (state = 'draft' OR state = 'registered' OR state = 'deprecated' OR state = 'withdrawn'),
    digest          TEXT,             -- of the manifest: the identity
    root            TEXT,             -- of OpenSSF Model Signing: an alias
    files           INTEGER NOT NULL,
    bytes           INTEGER NOT NULL,
    same_as         TEXT    NOT NULL, -- other versions with the same files, as a JSON array
    training_cutoff TEXT    NOT NULL, -- 2006-01-02
    code_commit     TEXT    NOT NULL,
    image_digest    TEXT    NOT NULL,
    run             TEXT    NOT NULL,
    trigger_kind    TEXT    NOT NULL,
    trigger_id      TEXT    NOT NULL,
    changelog       TEXT    NOT NULL,
    justification   TEXT    NOT NULL,
    metadata        TEXT    NOT NULL,
    reason          TEXT    NOT NULL, -- of its deprecation or withdrawal
    created_ms      INTEGER NOT NULL,
    created         INTEGER NOT NULL REFERENCES events (sequence),
    event           INTEGER NOT NULL REFERENCES events (sequence), -- the last that changed the row
    PRIMARY KEY (model, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX versions_by_age    ON versions (model, created);
CREATE INDEX versions_by_digest ON versions (digest) WHERE digest IS NOT NULL;
CREATE INDEX versions_by_root   ON versions (root) WHERE root IS NOT NULL;
CREATE INDEX versions_by_commit ON versions (code_commit) WHERE code_commit <> '';

-- What versions are made of, in the encoding that their digest is of.
CREATE TABLE manifests (
    digest  TEXT    PRIMARY KEY,
    content TEXT    NOT NULL,
    event   INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

-- One row for each audit that the gate has judged.
CREATE TABLE evaluations (
    id            TEXT    PRIMARY KEY,
    model         TEXT    NOT NULL,
    version       TEXT    NOT NULL,
    data_digest   TEXT    NOT NULL,
    report_digest TEXT    NOT NULL,
    policy_digest TEXT    NOT NULL,
    verdict       TEXT    NOT NULL CHECK (verdict IN ('pass', 'fail')),
    event         INTEGER NOT NULL UNIQUE REFERENCES events (sequence),
    FOREIGN KEY (model, version) REFERENCES versions (model, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX evaluations_by_data ON evaluations (data_digest, event);

-- Thresholds that were fixed. Fixing the same ones again changes nothing: the first moment counts.
CREATE TABLE criteria (
    digest     TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    event_id   TEXT    NOT NULL,
    event      INTEGER NOT NULL UNIQUE REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

-- The evidence of models and versions. What it says lies in the store of evidence, by digest.
CREATE TABLE evidence (
    id             TEXT    PRIMARY KEY,
    model          TEXT    NOT NULL REFERENCES models (name),
    version        TEXT    NOT NULL, -- empty: of the model
    kind           TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    digest         TEXT    NOT NULL,
    predicate_type TEXT    NOT NULL,
    signer         TEXT    NOT NULL, -- id of the key
    subject        TEXT    NOT NULL, -- digest of what it is about; empty: it names none
    verdict        TEXT    NOT NULL,
    produced_ms    INTEGER NOT NULL,
    until_ms       INTEGER NOT NULL, -- it says of itself that it counts no longer than this; 0: nothing
    system         TEXT    NOT NULL, -- where a ticket lies
    reference      TEXT    NOT NULL,
    note           TEXT    NOT NULL,
    created_ms     INTEGER NOT NULL,
    event          INTEGER NOT NULL REFERENCES events (sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX evidence_by_version   ON evidence (model, version, kind, name, produced_ms);
CREATE INDEX evidence_by_event     ON evidence (model, event);
CREATE INDEX evidence_by_digest    ON evidence (digest) WHERE digest <> '';
CREATE INDEX evidence_by_reference ON evidence (system, reference) WHERE reference <> '';
