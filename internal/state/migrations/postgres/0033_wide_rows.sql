-- PostgreSQL keeps wide columns beside their rows; there is nothing to be done.

-- +goose Up

SELECT 1;
