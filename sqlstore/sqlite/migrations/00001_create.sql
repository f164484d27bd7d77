-- +goose Up
-- Times are microseconds since 1970 in UTC, NULL if there is none; IDs are 16 bytes; texts that are
-- not there are ''.

-- Indexes …_listed have a condition that all rows fulfil, and that only lists of all services or schools
-- ask for: a database would also use them to look for the rows of one service among all others.

-- What the store knows about the database itself.
CREATE TABLE flussi_properties (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE flussi_flows (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    service TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    note TEXT NOT NULL,
    app_context TEXT NOT NULL,
    app_key TEXT NOT NULL,
    state TEXT NOT NULL,
    error TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    version INTEGER NOT NULL,
    search TEXT NOT NULL -- the note in lower case
);
CREATE UNIQUE INDEX flussi_flows_by_id ON flussi_flows (id);
CREATE INDEX flussi_flows_listed ON flussi_flows (created_at, id) WHERE length(service) >= 0;
CREATE INDEX flussi_flows_of_service ON flussi_flows (service, created_at, id);
CREATE INDEX flussi_flows_of_service_in_state ON flussi_flows (service, state, created_at, id);
CREATE INDEX flussi_flows_in_state ON flussi_flows (state, created_at, id);
CREATE INDEX flussi_flows_by_context ON flussi_flows (app_context, created_at, id) WHERE app_context <> '';
CREATE INDEX flussi_flows_by_key ON flussi_flows (app_key) WHERE app_key <> '';

-- How many notifications a flow has: the sum of its shards.
CREATE TABLE flussi_flow_counts (
    owner BLOB NOT NULL,
    shard INTEGER NOT NULL,
    registered INTEGER NOT NULL,
    sending INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    disabled INTEGER NOT NULL,
    PRIMARY KEY (owner, shard)
) WITHOUT ROWID;

CREATE TABLE flussi_flow_records (
    owner BLOB NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (owner, version)
) WITHOUT ROWID;

CREATE TABLE flussi_notifications (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    flow_id BLOB NOT NULL, -- zeros if it stands alone
    service TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    content TEXT NOT NULL,
    due_date INTEGER,
    amount INTEGER NOT NULL, -- in cents
    is_payment INTEGER NOT NULL,
    payable_after_due INTEGER NOT NULL,
    notice_number TEXT NOT NULL,
    payee TEXT NOT NULL,
    reference TEXT NOT NULL,
    occasion TEXT NOT NULL,
    state TEXT NOT NULL,
    message_id TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    sent_at INTEGER,
    error_code TEXT NOT NULL,
    error TEXT NOT NULL,
    earlier_id BLOB NOT NULL, -- the notification with the same message
    delivery_status TEXT NOT NULL,
    delivery_email TEXT NOT NULL,
    delivery_push TEXT NOT NULL,
    delivery_read TEXT NOT NULL,
    delivery_payment TEXT NOT NULL,
    checked_at INTEGER,
    disabled INTEGER NOT NULL,
    allow_duplicate INTEGER NOT NULL,
    anonymised_at INTEGER,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    version INTEGER NOT NULL,
    delivery_open INTEGER NOT NULL, -- the platform may still have news of it
    search TEXT NOT NULL, -- the subject in lower case
    lease_start INTEGER, -- of one In invio, by the database's clock
    lease_end INTEGER,
    digest BLOB, -- of the message and its recipient, if it has one
    digest_version INTEGER NOT NULL, -- flow.DigestVersion
    write_id INTEGER NOT NULL -- which write created it
);
CREATE UNIQUE INDEX flussi_notifications_by_id ON flussi_notifications (id);
CREATE INDEX flussi_notifications_listed ON flussi_notifications (created_at, id) WHERE length(service) >= 0;
CREATE INDEX flussi_notifications_of_flow ON flussi_notifications (flow_id, created_at, id);
CREATE INDEX flussi_notifications_of_flow_in_state ON flussi_notifications (flow_id, state, created_at, id);
CREATE INDEX flussi_notifications_of_service ON flussi_notifications (service, created_at, id);
CREATE INDEX flussi_notifications_of_service_in_state ON flussi_notifications (service, state, created_at, id);
CREATE INDEX flussi_notifications_to_send ON flussi_notifications (flow_id, created_at, id) WHERE state = 'registered' AND NOT disabled;
CREATE INDEX flussi_notifications_sending ON flussi_notifications (lease_end) WHERE state = 'sending';
CREATE INDEX flussi_notifications_delivery_open ON flussi_notifications (service, created_at, id) WHERE delivery_open;
CREATE INDEX flussi_notifications_by_recipient ON flussi_notifications (recipient) WHERE recipient <> '';
CREATE INDEX flussi_notifications_by_notice_number ON flussi_notifications (notice_number) WHERE notice_number <> '';
CREATE INDEX flussi_notifications_by_reference ON flussi_notifications (reference, created_at, id) WHERE reference <> '';
CREATE INDEX flussi_notifications_by_message_id ON flussi_notifications (message_id) WHERE message_id <> '';
CREATE INDEX flussi_notifications_by_digest ON flussi_notifications (digest) WHERE digest IS NOT NULL;
CREATE INDEX flussi_notifications_old_digest ON flussi_notifications (digest_version, id) WHERE digest_version < 2;

CREATE TABLE flussi_notification_records (
    owner BLOB NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (owner, version)
) WITHOUT ROWID;

-- The imports that are stored, by their keys.
CREATE TABLE flussi_imports (
    key BLOB NOT NULL PRIMARY KEY,
    flow_id BLOB NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;

-- The services of all flows and notifications. Skeletons are not unique among older ones: an earlier
-- release accepted names that look alike.
CREATE TABLE flussi_services (
    name TEXT NOT NULL PRIMARY KEY,
    skeleton TEXT NOT NULL, -- flow.ServiceSkeleton
    older INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX flussi_services_by_skeleton ON flussi_services (skeleton);
CREATE UNIQUE INDEX flussi_services_unique ON flussi_services (skeleton) WHERE NOT older;

CREATE TABLE flussi_events (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    school TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    causale TEXT NOT NULL,
    category TEXT NOT NULL,
    school_year INTEGER NOT NULL, -- in which it begins
    financial_year INTEGER NOT NULL,
    account TEXT NOT NULL,
    amount INTEGER NOT NULL, -- in cents
    flexible INTEGER NOT NULL,
    instalments TEXT NOT NULL, -- JSON: [{"due": time, "amount": cents}, …]
    binding INTEGER NOT NULL,
    repeatable INTEGER NOT NULL,
    state TEXT NOT NULL,
    rejection TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    discrepancy_kind TEXT NOT NULL,
    discrepancy_state TEXT NOT NULL,
    discrepancy_amount INTEGER NOT NULL,
    discrepancy_at INTEGER,
    discrepancy_resolved INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    version INTEGER NOT NULL,
    search TEXT NOT NULL -- the name and the causale in lower case
);
CREATE UNIQUE INDEX flussi_events_by_id ON flussi_events (id);
CREATE INDEX flussi_events_listed ON flussi_events (created_at, id) WHERE length(school) >= 0;
CREATE INDEX flussi_events_of_school ON flussi_events (school, created_at, id);
CREATE INDEX flussi_events_of_school_in_state ON flussi_events (school, state, created_at, id);

-- How many notices an event has: the sum of its shards.
CREATE TABLE flussi_event_counts (
    owner BLOB NOT NULL,
    shard INTEGER NOT NULL,
    not_linked INTEGER NOT NULL,
    unpaid INTEGER NOT NULL,
    paid INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    discrepancies INTEGER NOT NULL,
    PRIMARY KEY (owner, shard)
) WITHOUT ROWID;

CREATE TABLE flussi_event_records (
    owner BLOB NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (owner, version)
) WITHOUT ROWID;

CREATE TABLE flussi_notices (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    event_id BLOB NOT NULL,
    school TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    instalment INTEGER NOT NULL,
    debtor TEXT NOT NULL,
    debtor_kind TEXT NOT NULL,
    debtor_name TEXT NOT NULL,
    payer TEXT NOT NULL,
    amount INTEGER NOT NULL, -- in cents
    discount INTEGER NOT NULL, -- in cents
    due_date INTEGER,
    reference TEXT NOT NULL,
    number TEXT NOT NULL,
    state TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    payer_registered INTEGER NOT NULL,
    payer_logged_in INTEGER NOT NULL,
    visible INTEGER NOT NULL,
    evidence TEXT NOT NULL, -- JSON: {"receipt": {"reference": text, "amount": cents, "date": time, "by": user}, …}; '' if there is none
    discrepancy_kind TEXT NOT NULL,
    discrepancy_state TEXT NOT NULL,
    discrepancy_amount INTEGER NOT NULL,
    discrepancy_at INTEGER,
    discrepancy_resolved INTEGER NOT NULL,
    error TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    version INTEGER NOT NULL,
    iuv TEXT NOT NULL, -- that of the number
    write_id INTEGER NOT NULL -- which write created it
);
CREATE UNIQUE INDEX flussi_notices_by_id ON flussi_notices (id);
CREATE INDEX flussi_notices_listed ON flussi_notices (created_at, id) WHERE length(school) >= 0;
CREATE INDEX flussi_notices_of_event ON flussi_notices (event_id, created_at, id);
CREATE INDEX flussi_notices_of_event_in_state ON flussi_notices (event_id, state, created_at, id);
CREATE INDEX flussi_notices_of_school ON flussi_notices (school, created_at, id);
CREATE INDEX flussi_notices_of_school_in_state ON flussi_notices (school, state, created_at, id);
CREATE INDEX flussi_notices_by_debtor ON flussi_notices (debtor) WHERE debtor <> '';
CREATE INDEX flussi_notices_by_payer ON flussi_notices (payer) WHERE payer <> '';
CREATE INDEX flussi_notices_by_iuv ON flussi_notices (iuv) WHERE iuv <> '';
CREATE INDEX flussi_notices_by_reference ON flussi_notices (reference, created_at, id) WHERE reference <> '';

CREATE TABLE flussi_notice_records (
    owner BLOB NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (owner, version)
) WITHOUT ROWID;

-- The indexes for texts, by any three characters of them. The store puts the texts of new rows into
-- them; triggers replace those that change.
CREATE VIRTUAL TABLE flussi_flow_texts USING fts5 (search, content='flussi_flows', content_rowid='seq',
    tokenize='trigram case_sensitive 1', detail=none, columnsize=0);
INSERT INTO flussi_flow_texts (flussi_flow_texts, rank) VALUES ('secure-delete', 1);

-- +goose StatementBegin
CREATE TRIGGER flussi_flow_text_changed AFTER UPDATE OF search ON flussi_flows BEGIN
    INSERT INTO flussi_flow_texts (flussi_flow_texts, rowid, search) VALUES ('delete', old.seq, old.search);
    INSERT INTO flussi_flow_texts (rowid, search) VALUES (new.seq, new.search);
END;
-- +goose StatementEnd

CREATE VIRTUAL TABLE flussi_notification_texts USING fts5 (search, content='flussi_notifications', content_rowid='seq',
    tokenize='trigram case_sensitive 1', detail=none, columnsize=0);
INSERT INTO flussi_notification_texts (flussi_notification_texts, rank) VALUES ('secure-delete', 1);

-- +goose StatementBegin
CREATE TRIGGER flussi_notification_text_changed AFTER UPDATE OF search ON flussi_notifications BEGIN
    INSERT INTO flussi_notification_texts (flussi_notification_texts, rowid, search) VALUES ('delete', old.seq, old.search);
    INSERT INTO flussi_notification_texts (rowid, search) VALUES (new.seq, new.search);
END;
-- +goose StatementEnd
