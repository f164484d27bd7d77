-- +goose Up
-- How many writes of settlements, payments and movements there were with a body.
CREATE TABLE flussi.ledgers (
    body text COLLATE "C" NOT NULL,
    writes bigint NOT NULL,
    PRIMARY KEY (body)
);

CREATE TABLE flussi.settlements (
    id uuid NOT NULL PRIMARY KEY,
    body text COLLATE "C" NOT NULL, -- the code of the organisation
    created_at bigint NOT NULL,
    psp text COLLATE "C" NOT NULL,
    psp_name text COLLATE "C" NOT NULL,
    flow_id text COLLATE "C" NOT NULL, -- identificativoFlusso
    revision bigint NOT NULL,
    file_at bigint,
    digest text COLLATE "C" NOT NULL, -- of what the file says
    transfer_id text COLLATE "C" NOT NULL,
    date bigint,
    total bigint NOT NULL, -- in cents
    unsure boolean NOT NULL, -- the file contradicts itself
    covered bigint NOT NULL, -- in cents
    state text COLLATE "C" NOT NULL,
    untold boolean NOT NULL, -- the Due was not told of the latest change
    updated_at bigint NOT NULL,
    updated_by text COLLATE "C" NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX settlements_listed ON flussi.settlements (created_at, id) WHERE length(body) >= 0;
CREATE INDEX settlements_of_body ON flussi.settlements (body, created_at, id);
CREATE INDEX settlements_of_body_in_state ON flussi.settlements (body, state, created_at, id);
CREATE INDEX settlements_untold ON flussi.settlements (body, created_at, id) WHERE untold;
-- Texts of files may be long: indexes have their first characters.
CREATE INDEX settlements_by_flow ON flussi.settlements (substr(flow_id, 1, 64), body);
CREATE INDEX settlements_by_total ON flussi.settlements (total, body, substr(flow_id, 1, 64));

-- How many payments a settlement has, and what they add up to: the sum of its shards. Amounts are
-- high * 1000000000 + low cents, so that no sum is too large for its column.
CREATE TABLE flussi.settlement_counts (
    owner uuid NOT NULL,
    shard bigint NOT NULL,
    expected_number bigint NOT NULL,
    expected_high bigint NOT NULL,
    expected_low bigint NOT NULL,
    differs_number bigint NOT NULL,
    differs_high bigint NOT NULL,
    differs_low bigint NOT NULL,
    doubled_number bigint NOT NULL,
    doubled_high bigint NOT NULL,
    doubled_low bigint NOT NULL,
    unknown_number bigint NOT NULL,
    unknown_high bigint NOT NULL,
    unknown_low bigint NOT NULL,
    foreign_number bigint NOT NULL,
    foreign_high bigint NOT NULL,
    foreign_low bigint NOT NULL,
    revoked_number bigint NOT NULL,
    revoked_high bigint NOT NULL,
    revoked_low bigint NOT NULL,
    aside_number bigint NOT NULL,
    aside_high bigint NOT NULL,
    aside_low bigint NOT NULL,
    unusable_number bigint NOT NULL,
    unusable_high bigint NOT NULL,
    unusable_low bigint NOT NULL,
    dropped_number bigint NOT NULL,
    dropped_high bigint NOT NULL,
    dropped_low bigint NOT NULL,
    PRIMARY KEY (owner, shard)
);

CREATE TABLE flussi.settlement_records (
    owner uuid NOT NULL,
    version bigint NOT NULL,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    from_state text COLLATE "C" NOT NULL,
    to_state text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    answer text COLLATE "C" NOT NULL,
    PRIMARY KEY (owner, version)
);

CREATE TABLE flussi.payments (
    id uuid NOT NULL PRIMARY KEY,
    settlement_id uuid NOT NULL,
    body text COLLATE "C" NOT NULL, -- of the settlement
    created_at bigint NOT NULL,
    reference text COLLATE "C" NOT NULL, -- IUV
    target text COLLATE "C" NOT NULL, -- the reference for which it counts
    reference_before text COLLATE "C" NOT NULL, -- the earlier target, until the Due was told
    iur text COLLATE "C" NOT NULL,
    transfer_index bigint NOT NULL,
    repetition bigint NOT NULL, -- which of several equal rows
    file_row bigint NOT NULL,
    amount bigint NOT NULL, -- in cents
    outcome bigint NOT NULL,
    date bigint,
    unusable boolean NOT NULL,
    dropped boolean NOT NULL,
    expected bigint NOT NULL, -- in cents
    reference_owner text COLLATE "C" NOT NULL,
    hand_kind text COLLATE "C" NOT NULL,
    hand_reason text COLLATE "C" NOT NULL,
    hand_by text COLLATE "C" NOT NULL,
    hand_at bigint,
    state text COLLATE "C" NOT NULL,
    updated_at bigint NOT NULL,
    updated_by text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    write_id bigint NOT NULL -- which write created it
);
CREATE INDEX payments_listed ON flussi.payments (created_at, id) WHERE length(body) >= 0;
CREATE INDEX payments_of_body ON flussi.payments (body, created_at, id);
CREATE INDEX payments_of_body_in_state ON flussi.payments (body, state, created_at, id);
CREATE INDEX payments_of_settlement ON flussi.payments (settlement_id, created_at, id);
CREATE INDEX payments_of_settlement_in_state ON flussi.payments (settlement_id, state, created_at, id);
CREATE INDEX payments_by_reference ON flussi.payments (substr(reference, 1, 64), body) WHERE reference <> '';
-- Few payments count for another reference than their own.
CREATE INDEX payments_by_target ON flussi.payments (substr(target, 1, 64), body) WHERE target <> '' AND target <> reference;
CREATE INDEX payments_by_reference_before ON flussi.payments (substr(reference_before, 1, 64), body) WHERE reference_before <> '';

CREATE TABLE flussi.payment_records (
    owner uuid NOT NULL,
    version bigint NOT NULL,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    from_state text COLLATE "C" NOT NULL,
    to_state text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    answer text COLLATE "C" NOT NULL,
    PRIMARY KEY (owner, version)
);

CREATE TABLE flussi.movements (
    id uuid NOT NULL PRIMARY KEY,
    body text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    bank text COLLATE "C" NOT NULL, -- codice ABI
    year bigint NOT NULL,
    account text COLLATE "C" NOT NULL,
    number text COLLATE "C" NOT NULL, -- of the sospeso
    entries text COLLATE "C" NOT NULL, -- JSON: [{"key": text, "operation": text, "amount": cents, "date": time, "journal": text, "causale": text, …}, …]
    date bigint,
    amount bigint NOT NULL, -- in cents
    regularised bigint NOT NULL, -- in cents
    names text COLLATE "C" NOT NULL, -- JSON: what the causale names
    prefix text COLLATE "C" NOT NULL, -- what is left of a name
    cut boolean NOT NULL,
    reference text COLLATE "C" NOT NULL, -- of a single payment
    reference_before text COLLATE "C" NOT NULL, -- the earlier reference, until the Due was told
    stated bigint NOT NULL, -- in cents
    loose boolean NOT NULL, -- matched by its amount, or waiting
    hand text COLLATE "C" NOT NULL, -- JSON: [{"settlement": ID, "amount": cents, "reason": text, "by": user, "at": time}, …]
    parts text COLLATE "C" NOT NULL, -- JSON: [{"kind": text, "settlement": ID, "amount": cents, "by_amount": flag, "by": user}, …]
    state text COLLATE "C" NOT NULL,
    untold boolean NOT NULL,
    anonymised_at bigint,
    updated_at bigint NOT NULL,
    updated_by text COLLATE "C" NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX movements_listed ON flussi.movements (created_at, id) WHERE length(body) >= 0;
CREATE INDEX movements_of_body ON flussi.movements (body, created_at, id);
CREATE INDEX movements_of_body_in_state ON flussi.movements (body, state, created_at, id);
CREATE INDEX movements_untold ON flussi.movements (body, created_at, id) WHERE untold;
CREATE INDEX movements_by_amount ON flussi.movements (amount, body, prefix);
CREATE INDEX movements_loose ON flussi.movements (amount, body) WHERE loose;
CREATE INDEX movements_by_reference ON flussi.movements (substr(reference, 1, 64), body) WHERE reference <> '';
CREATE INDEX movements_by_reference_before ON flussi.movements (substr(reference_before, 1, 64), body) WHERE reference_before <> '';

CREATE TABLE flussi.movement_records (
    owner uuid NOT NULL,
    version bigint NOT NULL,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    from_state text COLLATE "C" NOT NULL,
    to_state text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    answer text COLLATE "C" NOT NULL,
    PRIMARY KEY (owner, version)
);

-- The names of movements, to find them by one.
CREATE TABLE flussi.movement_names (
    movement_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    PRIMARY KEY (movement_id, name)
);
CREATE INDEX movement_names_by_name ON flussi.movement_names (name, movement_id);

-- The settlements of the parts of movements, and of what operators decided.
CREATE TABLE flussi.movement_settlements (
    movement_id uuid NOT NULL,
    settlement_id uuid NOT NULL,
    PRIMARY KEY (movement_id, settlement_id)
);
CREATE INDEX movement_settlements_by_settlement ON flussi.movement_settlements (settlement_id, movement_id);
