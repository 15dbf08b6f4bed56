-- Alerts that resolved of late: whoever tells of them looks for those.

-- +goose Up

CREATE INDEX alerts_by_end ON alerts (resolved_ms);
