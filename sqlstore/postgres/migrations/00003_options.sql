-- +goose Up
-- How a message is sent, and its buttons and remote content: JSON, '' if there is none.
ALTER TABLE flussi.flows ADD COLUMN options text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE flussi.notifications ADD COLUMN options text COLLATE "C" NOT NULL DEFAULT '';
