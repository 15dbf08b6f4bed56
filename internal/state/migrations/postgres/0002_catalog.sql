-- The catalog: whose models there are, their versions, and the evidence of them.
-- Times are milliseconds since 1970 in UTC; digests are "sha256:" and 64 digits. Objects are JSON with
-- sorted names. What is personal or free text is empty once it has been erased.
-- Where rows come often a check says OR: for an IN of three or more SQLite fills a table with each row.

-- +goose Up

CREATE TABLE models (
    name              TEXT   COLLATE "C" PRIMARY KEY,
    state             TEXT   COLLATE "C" NOT NULL CHECK (state = 'experimental' OR state = 'active' OR state = 'retired'),
    tier              TEXT   COLLATE "C" NOT NULL CHECK (tier = 'low' OR tier = 'limited' OR tier = 'high'),
    tier_stated       TEXT   COLLATE "C" NOT NULL,
    tier_reason       TEXT   COLLATE "C" NOT NULL,
    tier_answers      TEXT   COLLATE "C" NOT NULL, -- those that decide, as a JSON array
    answers           TEXT   COLLATE "C" NOT NULL, -- to the questions about risk, by question
    third_party       BIGINT NOT NULL CHECK (third_party IN (0, 1)),
    owner             TEXT   COLLATE "C" NOT NULL,
    sre_owner         TEXT   COLLATE "C" NOT NULL,
    phase_owners      TEXT   COLLATE "C" NOT NULL, -- who answers for each phase of its life
    intended_purpose  TEXT   COLLATE "C" NOT NULL,
    acceptable_use    TEXT   COLLATE "C" NOT NULL,
    summary           TEXT   COLLATE "C" NOT NULL,
    labels            TEXT   COLLATE "C" NOT NULL,
    supplier          TEXT   COLLATE "C" NOT NULL,
    supplier_contract TEXT   COLLATE "C" NOT NULL,
    replacement       TEXT   COLLATE "C" NOT NULL, -- of a retired model
    reason            TEXT   COLLATE "C" NOT NULL, -- of the last retirement or registration again
    revision          BIGINT NOT NULL CHECK (revision >= 1),
    urgency           BIGINT NOT NULL, -- of an audit, as far as it follows from tier, reach and state
    versions          BIGINT NOT NULL,
    latest_version    TEXT   COLLATE "C" NOT NULL,
    latest_digest     TEXT   COLLATE "C" NOT NULL, -- of that version; empty: it has no files
    latest_root       TEXT   COLLATE "C" NOT NULL,
    latest_says       TEXT   COLLATE "C" NOT NULL, -- which of the fields that versions owe it gives, separated by blanks
    evaluated_ms      BIGINT NOT NULL, -- last evaluation of the latest version; 0: none
    created_ms        BIGINT NOT NULL,
    changed_ms        BIGINT NOT NULL,
    event             BIGINT NOT NULL REFERENCES events (sequence) -- the last that changed what is said of the model
);

CREATE INDEX models_by_owner   ON models (owner, name);
CREATE INDEX models_by_state   ON models (state, name);
CREATE INDEX models_by_tier    ON models (tier, name);
CREATE INDEX models_by_urgency ON models (urgency, evaluated_ms, name);
CREATE INDEX models_by_event   ON models (event); -- whose words are to be written

-- By what models are found: the words of name, summary and purpose, and labels as "=name=value", all in small
-- letters. It follows from the rows of the models, later than those are written; whoever erases there, erases here.
CREATE TABLE model_words (
    word  TEXT   COLLATE "C" NOT NULL,
    model TEXT   COLLATE "C" NOT NULL REFERENCES models (name),
    PRIMARY KEY (word, model)
);

-- The words of models that no event has changed since this one are there.
CREATE TABLE model_words_until (
    one   BIGINT PRIMARY KEY CHECK (one = 1),
    event BIGINT NOT NULL
);

-- A version that is registered never changes; its state does.
CREATE TABLE versions (
    model           TEXT   COLLATE "C" NOT NULL REFERENCES models (name),
    version         TEXT   COLLATE "C" NOT NULL,
    state           TEXT   COLLATE "C" NOT NULL CHECK (state = 'draft' OR state = 'registered' OR state = 'deprecated' OR state = 'withdrawn'),
    digest          TEXT   COLLATE "C",             -- of the manifest: the identity
    root            TEXT   COLLATE "C",             -- of OpenSSF Model Signing: an alias
    files           BIGINT NOT NULL,
    bytes           BIGINT NOT NULL,
    same_as         TEXT   COLLATE "C" NOT NULL, -- other versions with the same files, as a JSON array
    training_cutoff TEXT   COLLATE "C" NOT NULL, -- 2006-01-02
    code_commit     TEXT   COLLATE "C" NOT NULL,
    image_digest    TEXT   COLLATE "C" NOT NULL,
    run             TEXT   COLLATE "C" NOT NULL,
    trigger_kind    TEXT   COLLATE "C" NOT NULL,
    trigger_id      TEXT   COLLATE "C" NOT NULL,
    changelog       TEXT   COLLATE "C" NOT NULL,
    justification   TEXT   COLLATE "C" NOT NULL,
    metadata        TEXT   COLLATE "C" NOT NULL,
    reason          TEXT   COLLATE "C" NOT NULL, -- of its deprecation or withdrawal
    created_ms      BIGINT NOT NULL,
    created         BIGINT NOT NULL REFERENCES events (sequence),
    event           BIGINT NOT NULL REFERENCES events (sequence), -- the last that changed the row
    PRIMARY KEY (model, version)
);

CREATE INDEX versions_by_age    ON versions (model, created);
CREATE INDEX versions_by_digest ON versions (digest) WHERE digest IS NOT NULL;
CREATE INDEX versions_by_root   ON versions (root) WHERE root IS NOT NULL;
CREATE INDEX versions_by_commit ON versions (code_commit) WHERE code_commit <> '';

-- What versions are made of, in the encoding that their digest is of.
CREATE TABLE manifests (
    digest  TEXT   COLLATE "C" PRIMARY KEY,
    content TEXT   COLLATE "C" NOT NULL,
    event   BIGINT NOT NULL REFERENCES events (sequence)
);

-- One row for each audit that the gate has judged.
CREATE TABLE evaluations (
    id            TEXT   COLLATE "C" PRIMARY KEY,
    model         TEXT   COLLATE "C" NOT NULL,
    version       TEXT   COLLATE "C" NOT NULL,
    data_digest   TEXT   COLLATE "C" NOT NULL,
    report_digest TEXT   COLLATE "C" NOT NULL,
    policy_digest TEXT   COLLATE "C" NOT NULL,
    verdict       TEXT   COLLATE "C" NOT NULL CHECK (verdict IN ('pass', 'fail')),
    event         BIGINT NOT NULL UNIQUE REFERENCES events (sequence),
    FOREIGN KEY (model, version) REFERENCES versions (model, version)
);

CREATE INDEX evaluations_by_data ON evaluations (data_digest, event);

-- Thresholds that were fixed. Fixing the same ones again changes nothing: the first moment counts.
CREATE TABLE criteria (
    digest     TEXT   COLLATE "C" PRIMARY KEY,
    name       TEXT   COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL,
    event_id   TEXT   COLLATE "C" NOT NULL,
    event      BIGINT NOT NULL UNIQUE REFERENCES events (sequence)
);

-- The evidence of models and versions. What it says lies in the store of evidence, by digest.
CREATE TABLE evidence (
    id             TEXT   COLLATE "C" PRIMARY KEY,
    model          TEXT   COLLATE "C" NOT NULL REFERENCES models (name),
    version        TEXT   COLLATE "C" NOT NULL, -- empty: of the model
    kind           TEXT   COLLATE "C" NOT NULL,
    name           TEXT   COLLATE "C" NOT NULL,
    digest         TEXT   COLLATE "C" NOT NULL,
    predicate_type TEXT   COLLATE "C" NOT NULL,
    signer         TEXT   COLLATE "C" NOT NULL, -- id of the key
    subject        TEXT   COLLATE "C" NOT NULL, -- digest of what it is about; empty: it names none
    verdict        TEXT   COLLATE "C" NOT NULL,
    produced_ms    BIGINT NOT NULL,
    until_ms       BIGINT NOT NULL, -- it says of itself that it counts no longer than this; 0: nothing
    system         TEXT   COLLATE "C" NOT NULL, -- where a ticket lies
    reference      TEXT   COLLATE "C" NOT NULL,
    note           TEXT   COLLATE "C" NOT NULL,
    created_ms     BIGINT NOT NULL,
    event          BIGINT NOT NULL REFERENCES events (sequence)
);

CREATE INDEX evidence_by_version   ON evidence (model, version, kind, name, produced_ms);
CREATE INDEX evidence_by_event     ON evidence (model, event);
CREATE INDEX evidence_by_digest    ON evidence (digest) WHERE digest <> '';
CREATE INDEX evidence_by_reference ON evidence (system, reference) WHERE reference <> '';
