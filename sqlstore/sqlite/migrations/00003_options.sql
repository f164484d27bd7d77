-- +goose Up
-- How a message is sent, and its buttons and remote content: JSON, '' if there is none.
ALTER TABLE flussi_flows ADD COLUMN options TEXT NOT NULL DEFAULT '';
ALTER TABLE flussi_notifications ADD COLUMN options TEXT NOT NULL DEFAULT '';
