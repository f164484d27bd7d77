-- +goose Up
-- What the platform said: in records it is erased when the entity is anonymised.
ALTER TABLE flussi_flows ADD COLUMN answer TEXT NOT NULL DEFAULT '';
ALTER TABLE flussi_flow_records ADD COLUMN answer TEXT NOT NULL DEFAULT '';
ALTER TABLE flussi_notification_records ADD COLUMN answer TEXT NOT NULL DEFAULT '';
ALTER TABLE flussi_event_records ADD COLUMN answer TEXT NOT NULL DEFAULT '';
ALTER TABLE flussi_notice_records ADD COLUMN answer TEXT NOT NULL DEFAULT '';
