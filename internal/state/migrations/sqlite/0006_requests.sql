-- Commands that carried an idempotency key, with the answer that a repetition gets.

-- +goose Up

CREATE TABLE requests (
    principal   TEXT    NOT NULL,
    request_key TEXT    NOT NULL,
    request     TEXT    NOT NULL, -- digest of what was asked
    answer      BLOB,             -- json
    changes     INTEGER NOT NULL,
    event_id    TEXT    NOT NULL, -- of the last change, empty if there was none
    event       INTEGER NOT NULL,
    time_ms     INTEGER NOT NULL,
    PRIMARY KEY (principal, request_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_by_time ON requests (time_ms);
