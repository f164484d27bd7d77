-- +goose Up
ALTER TABLE flussi.flows
    ADD COLUMN not_before bigint, -- when the flow begins; NULL if it is not scheduled
    ADD COLUMN scheduled_by text COLLATE "C" NOT NULL DEFAULT ''; -- who ordered that
CREATE INDEX flows_of_service_scheduled ON flussi.flows (service, created_at, id) WHERE not_before IS NOT NULL;
CREATE INDEX flows_scheduled ON flussi.flows (created_at, id) WHERE not_before IS NOT NULL;
