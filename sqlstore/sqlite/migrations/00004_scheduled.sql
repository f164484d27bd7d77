-- +goose Up
-- When the flow begins; NULL if it is not scheduled.
ALTER TABLE flussi_flows ADD COLUMN not_before INTEGER;
-- Who ordered that.
ALTER TABLE flussi_flows ADD COLUMN scheduled_by TEXT NOT NULL DEFAULT '';
CREATE INDEX flussi_flows_of_service_scheduled ON flussi_flows (service, created_at, id) WHERE not_before IS NOT NULL;
CREATE INDEX flussi_flows_scheduled ON flussi_flows (created_at, id) WHERE not_before IS NOT NULL;
