-- +goose Up
-- The state without what settlements and the treasury show; '' if they show nothing.
ALTER TABLE flussi_notices ADD COLUMN base_state TEXT NOT NULL DEFAULT '';
-- JSON: [{"beneficiary": code, "amount": cents}, …]; '' if there are none.
ALTER TABLE flussi_notices ADD COLUMN transfers TEXT NOT NULL DEFAULT '';
-- The payments and movements that it is about.
ALTER TABLE flussi_notices ADD COLUMN discrepancy_source TEXT NOT NULL DEFAULT '';
ALTER TABLE flussi_events ADD COLUMN discrepancy_source TEXT NOT NULL DEFAULT '';
