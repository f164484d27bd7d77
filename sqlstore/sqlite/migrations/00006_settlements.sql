-- +goose Up
-- How many writes of settlements, payments and movements there were with a body.
CREATE TABLE flussi_ledgers (
    body TEXT NOT NULL,
    writes INTEGER NOT NULL,
    PRIMARY KEY (body)
) WITHOUT ROWID;

CREATE TABLE flussi_settlements (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    body TEXT NOT NULL, -- the code of the organisation
    created_at INTEGER NOT NULL,
    psp TEXT NOT NULL,
    psp_name TEXT NOT NULL,
    flow_id TEXT NOT NULL, -- identificativoFlusso
    revision INTEGER NOT NULL,
    file_at INTEGER,
    digest TEXT NOT NULL, -- of what the file says
    transfer_id TEXT NOT NULL,
    date INTEGER,
    total INTEGER NOT NULL, -- in cents
    unsure INTEGER NOT NULL, -- the file contradicts itself
    covered INTEGER NOT NULL, -- in cents
    state TEXT NOT NULL,
    untold INTEGER NOT NULL, -- the Due was not told of the latest change
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    version INTEGER NOT NULL
);
CREATE UNIQUE INDEX flussi_settlements_by_id ON flussi_settlements (id);
CREATE INDEX flussi_settlements_listed ON flussi_settlements (created_at, id) WHERE length(body) >= 0;
CREATE INDEX flussi_settlements_of_body ON flussi_settlements (body, created_at, id);
CREATE INDEX flussi_settlements_of_body_in_state ON flussi_settlements (body, state, created_at, id);
CREATE INDEX flussi_settlements_untold ON flussi_settlements (body, created_at, id) WHERE untold;
-- Texts of files may be long: indexes have their first characters.
CREATE INDEX flussi_settlements_by_flow ON flussi_settlements (substr(flow_id, 1, 64), body);
CREATE INDEX flussi_settlements_by_total ON flussi_settlements (total, body, substr(flow_id, 1, 64));

-- How many payments a settlement has, and what they add up to: the sum of its shards. Amounts are
-- high * 1000000000 + low cents, so that no sum is too large for its column.
CREATE TABLE flussi_settlement_counts (
    owner BLOB NOT NULL,
    shard INTEGER NOT NULL,
    expected_number INTEGER NOT NULL,
    expected_high INTEGER NOT NULL,
    expected_low INTEGER NOT NULL,
    differs_number INTEGER NOT NULL,
    differs_high INTEGER NOT NULL,
    differs_low INTEGER NOT NULL,
    doubled_number INTEGER NOT NULL,
    doubled_high INTEGER NOT NULL,
    doubled_low INTEGER NOT NULL,
    unknown_number INTEGER NOT NULL,
    unknown_high INTEGER NOT NULL,
    unknown_low INTEGER NOT NULL,
    foreign_number INTEGER NOT NULL,
    foreign_high INTEGER NOT NULL,
    foreign_low INTEGER NOT NULL,
    revoked_number INTEGER NOT NULL,
    revoked_high INTEGER NOT NULL,
    revoked_low INTEGER NOT NULL,
    aside_number INTEGER NOT NULL,
    aside_high INTEGER NOT NULL,
    aside_low INTEGER NOT NULL,
    unusable_number INTEGER NOT NULL,
    unusable_high INTEGER NOT NULL,
    unusable_low INTEGER NOT NULL,
    dropped_number INTEGER NOT NULL,
    dropped_high INTEGER NOT NULL,
    dropped_low INTEGER NOT NULL,
    PRIMARY KEY (owner, shard)
) WITHOUT ROWID;

CREATE TABLE flussi_settlement_records (
    owner BLOB NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (owner, version)
) WITHOUT ROWID;

CREATE TABLE flussi_payments (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    settlement_id BLOB NOT NULL,
    body TEXT NOT NULL, -- of the settlement
    created_at INTEGER NOT NULL,
    reference TEXT NOT NULL, -- IUV
    target TEXT NOT NULL, -- the reference for which it counts
    reference_before TEXT NOT NULL, -- the earlier target, until the Due was told
    iur TEXT NOT NULL,
    transfer_index INTEGER NOT NULL,
    repetition INTEGER NOT NULL, -- which of several equal rows
    file_row INTEGER NOT NULL,
    amount INTEGER NOT NULL, -- in cents
    outcome INTEGER NOT NULL,
    date INTEGER,
    unusable INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    expected INTEGER NOT NULL, -- in cents
    reference_owner TEXT NOT NULL,
    hand_kind TEXT NOT NULL,
    hand_reason TEXT NOT NULL,
    hand_by TEXT NOT NULL,
    hand_at INTEGER,
    state TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    version INTEGER NOT NULL,
    write_id INTEGER NOT NULL -- which write created it
);
CREATE UNIQUE INDEX flussi_payments_by_id ON flussi_payments (id);
CREATE INDEX flussi_payments_listed ON flussi_payments (created_at, id) WHERE length(body) >= 0;
CREATE INDEX flussi_payments_of_body ON flussi_payments (body, created_at, id);
CREATE INDEX flussi_payments_of_body_in_state ON flussi_payments (body, state, created_at, id);
CREATE INDEX flussi_payments_of_settlement ON flussi_payments (settlement_id, created_at, id);
CREATE INDEX flussi_payments_of_settlement_in_state ON flussi_payments (settlement_id, state, created_at, id);
CREATE INDEX flussi_payments_by_reference ON flussi_payments (substr(reference, 1, 64), body) WHERE reference <> '';
-- Few payments count for another reference than their own.
CREATE INDEX flussi_payments_by_target ON flussi_payments (substr(target, 1, 64), body) WHERE target <> '' AND target <> reference;
CREATE INDEX flussi_payments_by_reference_before ON flussi_payments (substr(reference_before, 1, 64), body) WHERE reference_before <> '';

CREATE TABLE flussi_payment_records (
    owner BLOB NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (owner, version)
) WITHOUT ROWID;

CREATE TABLE flussi_movements (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    bank TEXT NOT NULL, -- codice ABI
    year INTEGER NOT NULL,
    account TEXT NOT NULL,
    number TEXT NOT NULL, -- of the sospeso
    entries TEXT NOT NULL, -- JSON: [{"key": text, "operation": text, "amount": cents, "date": time, "journal": text, "causale": text, …}, …]
    date INTEGER,
    amount INTEGER NOT NULL, -- in cents
    regularised INTEGER NOT NULL, -- in cents
    names TEXT NOT NULL, -- JSON: what the causale names
    prefix TEXT NOT NULL, -- what is left of a name
    cut INTEGER NOT NULL,
    reference TEXT NOT NULL, -- of a single payment
    reference_before TEXT NOT NULL, -- the earlier reference, until the Due was told
    stated INTEGER NOT NULL, -- in cents
    loose INTEGER NOT NULL, -- matched by its amount, or waiting
    hand TEXT NOT NULL, -- JSON: [{"settlement": ID, "amount": cents, "reason": text, "by": user, "at": time}, …]
    parts TEXT NOT NULL, -- JSON: [{"kind": text, "settlement": ID, "amount": cents, "by_amount": flag, "by": user}, …]
    state TEXT NOT NULL,
    untold INTEGER NOT NULL,
    anonymised_at INTEGER,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    version INTEGER NOT NULL
);
CREATE UNIQUE INDEX flussi_movements_by_id ON flussi_movements (id);
CREATE INDEX flussi_movements_listed ON flussi_movements (created_at, id) WHERE length(body) >= 0;
CREATE INDEX flussi_movements_of_body ON flussi_movements (body, created_at, id);
CREATE INDEX flussi_movements_of_body_in_state ON flussi_movements (body, state, created_at, id);
CREATE INDEX flussi_movements_untold ON flussi_movements (body, created_at, id) WHERE untold;
CREATE INDEX flussi_movements_by_amount ON flussi_movements (amount, body, prefix);
CREATE INDEX flussi_movements_loose ON flussi_movements (amount, body) WHERE loose;
CREATE INDEX flussi_movements_by_reference ON flussi_movements (substr(reference, 1, 64), body) WHERE reference <> '';
CREATE INDEX flussi_movements_by_reference_before ON flussi_movements (substr(reference_before, 1, 64), body) WHERE reference_before <> '';

CREATE TABLE flussi_movement_records (
    owner BLOB NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (owner, version)
) WITHOUT ROWID;

-- The names of movements, to find them by one.
CREATE TABLE flussi_movement_names (
    movement_id BLOB NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (movement_id, name)
) WITHOUT ROWID;
CREATE INDEX flussi_movement_names_by_name ON flussi_movement_names (name, movement_id);

-- The settlements of the parts of movements, and of what operators decided.
CREATE TABLE flussi_movement_settlements (
    movement_id BLOB NOT NULL,
    settlement_id BLOB NOT NULL,
    PRIMARY KEY (movement_id, settlement_id)
) WITHOUT ROWID;
CREATE INDEX flussi_movement_settlements_by_settlement ON flussi_movement_settlements (settlement_id, movement_id);
