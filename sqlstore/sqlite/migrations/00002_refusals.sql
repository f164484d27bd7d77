-- +goose Up
-- What the platform said when it refused the message.
ALTER TABLE flussi_notifications ADD COLUMN answer TEXT NOT NULL DEFAULT '';
-- Its refusal stopped the flow before.
ALTER TABLE flussi_notifications ADD COLUMN stopped_flow INTEGER NOT NULL DEFAULT 0;
