-- +goose Up
ALTER TABLE flussi.notices
    ADD COLUMN base_state text COLLATE "C" NOT NULL DEFAULT '', -- the state without what settlements and the treasury show; '' if they show nothing
    ADD COLUMN transfers text COLLATE "C" NOT NULL DEFAULT '', -- JSON: [{"beneficiary": code, "amount": cents}, …]; '' if there are none
    ADD COLUMN discrepancy_source text COLLATE "C" NOT NULL DEFAULT ''; -- the payments and movements that it is about
ALTER TABLE flussi.events ADD COLUMN discrepancy_source text COLLATE "C" NOT NULL DEFAULT '';
