-- +goose Up
-- What the platform said: in records it is erased when the entity is anonymised.
ALTER TABLE flussi.flows ADD COLUMN answer text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE flussi.flow_records ADD COLUMN answer text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE flussi.notification_records ADD COLUMN answer text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE flussi.event_records ADD COLUMN answer text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE flussi.notice_records ADD COLUMN answer text COLLATE "C" NOT NULL DEFAULT '';
