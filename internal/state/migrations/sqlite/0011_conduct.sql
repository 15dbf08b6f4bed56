-- Unusual conduct is looked for by a job, which says whether it had enough to judge by.

-- +goose Up

ALTER TABLE jobs ADD COLUMN outcome TEXT NOT NULL DEFAULT ''; -- of the last run that ended well, in its own words
