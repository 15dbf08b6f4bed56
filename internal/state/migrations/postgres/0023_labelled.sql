-- What judgements of windows know of labels.

-- +goose Up

ALTER TABLE window_judgements ADD COLUMN labelled BIGINT NOT NULL DEFAULT 0; -- predictions with an output and a label, once labels are there
ALTER TABLE window_judgements ADD COLUMN wrong BIGINT NOT NULL DEFAULT 0; -- of those, predictions whose output was wrong
ALTER TABLE window_judgements ADD COLUMN awaits_us BIGINT NOT NULL DEFAULT 0; -- when the window is judged again; 0: it is not

CREATE INDEX window_judgements_by_awaited ON window_judgements (monitor, awaits_us);
