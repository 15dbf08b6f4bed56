-- Commands that carried an idempotency key, with the answer that a repetition gets.

-- +goose Up

CREATE TABLE requests (
    principal   TEXT COLLATE "C" NOT NULL,
    request_key TEXT COLLATE "C" NOT NULL,
    request     TEXT COLLATE "C" NOT NULL, -- digest of what was asked
    answer      BYTEA,                     -- json
    changes     BIGINT           NOT NULL,
    event_id    TEXT COLLATE "C" NOT NULL, -- of the last change, empty if there was none
    event       BIGINT           NOT NULL,
    time_ms     BIGINT           NOT NULL,
    PRIMARY KEY (principal, request_key)
);

CREATE INDEX requests_by_time ON requests (time_ms);
