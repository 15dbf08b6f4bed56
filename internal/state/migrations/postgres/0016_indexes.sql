-- Questions for one kind of event that ended in one way: where nearly all of the kind ended in the other, as
-- refusals do, the index of the kind led past each of them. And nearly all models are active, which every
-- registration would have to write down once more.

-- +goose Up

DROP INDEX event_columns_refusals;
CREATE INDEX event_columns_by_ending ON event_columns (type, outcome, sequence);

DROP INDEX models_by_state;
CREATE INDEX models_by_state ON models (state, name) WHERE state <> 'active';
