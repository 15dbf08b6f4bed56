-- Which incident an alert is part of: pages of alerts ask it, and whoever opens incidents of alerts.

-- +goose Up

CREATE INDEX incident_alerts_by_id ON incident_alerts (alert, event);
