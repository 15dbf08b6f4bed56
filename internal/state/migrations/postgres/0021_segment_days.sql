-- What is joined is looked for day by day, in years of segments.

-- +goose Up

CREATE INDEX prediction_segments_by_day ON prediction_segments (model, first_us);
