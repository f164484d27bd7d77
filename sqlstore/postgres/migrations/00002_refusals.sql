-- +goose Up
ALTER TABLE flussi.notifications
    ADD COLUMN answer text COLLATE "C" NOT NULL DEFAULT '', -- what the platform said when it refused the message
    ADD COLUMN stopped_flow boolean NOT NULL DEFAULT FALSE; -- its refusal stopped the flow before
