-- A text of which nearly all models have a word: the word no longer leads to the models, but each model is asked
-- for it.

-- +goose Up

CREATE INDEX model_words_by_model ON model_words (model, word);
