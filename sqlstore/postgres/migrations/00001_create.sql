-- +goose Up
-- Times are microseconds since 1970 in UTC, NULL if there is none: to_timestamp(created_at / 1e6)
-- shows them. Texts that are not there are ''. They are compared byte by byte.

-- Indexes …_listed have a condition that all rows fulfil, and that only lists of all services or schools
-- ask for: a database would also use them to look for the rows of one service among all others.

-- What the store knows about the database itself.
CREATE TABLE flussi.properties (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    value text COLLATE "C" NOT NULL
);

CREATE TABLE flussi.flows (
    id uuid NOT NULL PRIMARY KEY,
    service text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    note text COLLATE "C" NOT NULL,
    app_context text COLLATE "C" NOT NULL,
    app_key text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    error text COLLATE "C" NOT NULL,
    disabled boolean NOT NULL,
    updated_at bigint NOT NULL,
    updated_by text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    search text COLLATE "C" NOT NULL -- the note in lower case
);
CREATE INDEX flows_listed ON flussi.flows (created_at, id) WHERE length(service) >= 0;
CREATE INDEX flows_of_service ON flussi.flows (service, created_at, id);
CREATE INDEX flows_of_service_in_state ON flussi.flows (service, state, created_at, id);
CREATE INDEX flows_in_state ON flussi.flows (state, created_at, id);
CREATE INDEX flows_by_context ON flussi.flows (app_context, created_at, id) WHERE app_context <> '';
CREATE INDEX flows_by_key ON flussi.flows (app_key) WHERE app_key <> '';

-- How many notifications a flow has: the sum of its shards.
CREATE TABLE flussi.flow_counts (
    owner uuid NOT NULL,
    shard bigint NOT NULL,
    registered bigint NOT NULL,
    sending bigint NOT NULL,
    sent bigint NOT NULL,
    failed bigint NOT NULL,
    disabled bigint NOT NULL,
    PRIMARY KEY (owner, shard)
);

CREATE TABLE flussi.flow_records (
    owner uuid NOT NULL,
    version bigint NOT NULL,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    from_state text COLLATE "C" NOT NULL,
    to_state text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    PRIMARY KEY (owner, version)
);

CREATE TABLE flussi.notifications (
    id uuid NOT NULL PRIMARY KEY,
    flow_id uuid NOT NULL, -- zeros if it stands alone
    service text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    recipient text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    content text COLLATE "C" NOT NULL,
    due_date bigint,
    amount bigint NOT NULL, -- in cents
    is_payment boolean NOT NULL,
    payable_after_due boolean NOT NULL,
    notice_number text COLLATE "C" NOT NULL,
    payee text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    occasion text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    message_id text COLLATE "C" NOT NULL,
    attempts bigint NOT NULL,
    sent_at bigint,
    error_code text COLLATE "C" NOT NULL,
    error text COLLATE "C" NOT NULL,
    earlier_id uuid NOT NULL, -- the notification with the same message
    delivery_status text COLLATE "C" NOT NULL,
    delivery_email text COLLATE "C" NOT NULL,
    delivery_push text COLLATE "C" NOT NULL,
    delivery_read text COLLATE "C" NOT NULL,
    delivery_payment text COLLATE "C" NOT NULL,
    checked_at bigint,
    disabled boolean NOT NULL,
    allow_duplicate boolean NOT NULL,
    anonymised_at bigint,
    updated_at bigint NOT NULL,
    updated_by text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    delivery_open boolean NOT NULL, -- the platform may still have news of it
    search text COLLATE "C" NOT NULL, -- the subject in lower case
    lease_start bigint, -- of one In invio, by the database's clock
    lease_end bigint,
    digest bytea, -- of the message and its recipient, if it has one
    digest_version bigint NOT NULL, -- flow.DigestVersion
    write_id bigint NOT NULL -- which write created it
);
CREATE INDEX notifications_listed ON flussi.notifications (created_at, id) WHERE length(service) >= 0;
CREATE INDEX notifications_of_flow ON flussi.notifications (flow_id, created_at, id);
CREATE INDEX notifications_of_flow_in_state ON flussi.notifications (flow_id, state, created_at, id);
CREATE INDEX notifications_of_service ON flussi.notifications (service, created_at, id);
CREATE INDEX notifications_of_service_in_state ON flussi.notifications (service, state, created_at, id);
CREATE INDEX notifications_to_send ON flussi.notifications (flow_id, created_at, id) WHERE state = 'registered' AND NOT disabled;
CREATE INDEX notifications_sending ON flussi.notifications (lease_end) WHERE state = 'sending';
CREATE INDEX notifications_delivery_open ON flussi.notifications (service, created_at, id) WHERE delivery_open;
CREATE INDEX notifications_by_recipient ON flussi.notifications (recipient) WHERE recipient <> '';
CREATE INDEX notifications_by_notice_number ON flussi.notifications (notice_number) WHERE notice_number <> '';
CREATE INDEX notifications_by_reference ON flussi.notifications (reference, created_at, id) WHERE reference <> '';
CREATE INDEX notifications_by_message_id ON flussi.notifications (message_id) WHERE message_id <> '';
CREATE INDEX notifications_by_digest ON flussi.notifications (digest) WHERE digest IS NOT NULL;
CREATE INDEX notifications_old_digest ON flussi.notifications (digest_version, id) WHERE digest_version < 2;

CREATE TABLE flussi.notification_records (
    owner uuid NOT NULL,
    version bigint NOT NULL,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    from_state text COLLATE "C" NOT NULL,
    to_state text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    PRIMARY KEY (owner, version)
);

-- The messages that a transaction makes In invio. A second transaction that inserts the same
-- message waits until the first one ends. The rows are deleted in the same transaction, so the
-- table is always empty.
CREATE TABLE flussi.message_locks (
    service text COLLATE "C" NOT NULL,
    digest bytea NOT NULL,
    PRIMARY KEY (service, digest)
);

-- The imports that are stored, by their keys.
CREATE TABLE flussi.imports (
    key bytea NOT NULL PRIMARY KEY,
    flow_id uuid NOT NULL,
    at bigint NOT NULL
);

-- The services of all flows and notifications. Skeletons are not unique among older ones: an earlier
-- release accepted names that look alike.
CREATE TABLE flussi.services (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    skeleton text COLLATE "C" NOT NULL, -- flow.ServiceSkeleton
    older boolean NOT NULL
);
CREATE INDEX services_by_skeleton ON flussi.services (skeleton);
CREATE UNIQUE INDEX services_unique ON flussi.services (skeleton) WHERE NOT older;

CREATE TABLE flussi.events (
    id uuid NOT NULL PRIMARY KEY,
    school text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    causale text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    school_year bigint NOT NULL, -- in which it begins
    financial_year bigint NOT NULL,
    account text COLLATE "C" NOT NULL,
    amount bigint NOT NULL, -- in cents
    flexible boolean NOT NULL,
    instalments text COLLATE "C" NOT NULL, -- JSON: [{"due": time, "amount": cents}, …]
    binding boolean NOT NULL,
    repeatable boolean NOT NULL,
    state text COLLATE "C" NOT NULL,
    rejection text COLLATE "C" NOT NULL,
    remote_id text COLLATE "C" NOT NULL,
    discrepancy_kind text COLLATE "C" NOT NULL,
    discrepancy_state text COLLATE "C" NOT NULL,
    discrepancy_amount bigint NOT NULL,
    discrepancy_at bigint,
    discrepancy_resolved boolean NOT NULL,
    updated_at bigint NOT NULL,
    updated_by text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    search text COLLATE "C" NOT NULL -- the name and the causale in lower case
);
CREATE INDEX events_listed ON flussi.events (created_at, id) WHERE length(school) >= 0;
CREATE INDEX events_of_school ON flussi.events (school, created_at, id);
CREATE INDEX events_of_school_in_state ON flussi.events (school, state, created_at, id);

-- How many notices an event has: the sum of its shards.
CREATE TABLE flussi.event_counts (
    owner uuid NOT NULL,
    shard bigint NOT NULL,
    not_linked bigint NOT NULL,
    unpaid bigint NOT NULL,
    paid bigint NOT NULL,
    cancelled bigint NOT NULL,
    refunded bigint NOT NULL,
    discrepancies bigint NOT NULL,
    PRIMARY KEY (owner, shard)
);

CREATE TABLE flussi.event_records (
    owner uuid NOT NULL,
    version bigint NOT NULL,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    from_state text COLLATE "C" NOT NULL,
    to_state text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    PRIMARY KEY (owner, version)
);

CREATE TABLE flussi.notices (
    id uuid NOT NULL PRIMARY KEY,
    event_id uuid NOT NULL,
    school text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    instalment bigint NOT NULL,
    debtor text COLLATE "C" NOT NULL,
    debtor_kind text COLLATE "C" NOT NULL,
    debtor_name text COLLATE "C" NOT NULL,
    payer text COLLATE "C" NOT NULL,
    amount bigint NOT NULL, -- in cents
    discount bigint NOT NULL, -- in cents
    due_date bigint,
    reference text COLLATE "C" NOT NULL,
    number text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    remote_id text COLLATE "C" NOT NULL,
    payer_registered boolean NOT NULL,
    payer_logged_in boolean NOT NULL,
    visible boolean NOT NULL,
    evidence text COLLATE "C" NOT NULL, -- JSON: {"receipt": {"reference": text, "amount": cents, "date": time, "by": user}, …}; '' if there is none
    discrepancy_kind text COLLATE "C" NOT NULL,
    discrepancy_state text COLLATE "C" NOT NULL,
    discrepancy_amount bigint NOT NULL,
    discrepancy_at bigint,
    discrepancy_resolved boolean NOT NULL,
    error text COLLATE "C" NOT NULL,
    updated_at bigint NOT NULL,
    updated_by text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    iuv text COLLATE "C" NOT NULL, -- that of the number
    write_id bigint NOT NULL -- which write created it
);
CREATE INDEX notices_listed ON flussi.notices (created_at, id) WHERE length(school) >= 0;
CREATE INDEX notices_of_event ON flussi.notices (event_id, created_at, id);
CREATE INDEX notices_of_event_in_state ON flussi.notices (event_id, state, created_at, id);
CREATE INDEX notices_of_school ON flussi.notices (school, created_at, id);
CREATE INDEX notices_of_school_in_state ON flussi.notices (school, state, created_at, id);
CREATE INDEX notices_by_debtor ON flussi.notices (debtor) WHERE debtor <> '';
CREATE INDEX notices_by_payer ON flussi.notices (payer) WHERE payer <> '';
CREATE INDEX notices_by_iuv ON flussi.notices (iuv) WHERE iuv <> '';
CREATE INDEX notices_by_reference ON flussi.notices (reference, created_at, id) WHERE reference <> '';

CREATE TABLE flussi.notice_records (
    owner uuid NOT NULL,
    version bigint NOT NULL,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    from_state text COLLATE "C" NOT NULL,
    to_state text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    PRIMARY KEY (owner, version)
);

-- The texts that are searched, in tables of their own, since an update of a row would change the
-- index for its text, too. Triggers keep them. Words are joined by a letter that is rare, since
-- pg_trgm does not look beyond the end of a word.
CREATE TABLE flussi.flow_texts (
    id uuid NOT NULL PRIMARY KEY,
    search text COLLATE "C" NOT NULL
);

-- +goose StatementBegin
CREATE FUNCTION flussi.flow_texts_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO flussi.flow_texts SELECT id, replace(search, ' ', 'j') FROM added;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER flow_texts_added AFTER INSERT ON flussi.flows REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION flussi.flow_texts_added();

-- +goose StatementBegin
CREATE FUNCTION flussi.flow_text_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE flussi.flow_texts SET search = replace(new.search, ' ', 'j') WHERE id = new.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER flow_text_changed AFTER UPDATE OF search ON flussi.flows
    FOR EACH ROW WHEN (old.search <> new.search) EXECUTE FUNCTION flussi.flow_text_changed();

CREATE TABLE flussi.notification_texts (
    id uuid NOT NULL PRIMARY KEY,
    search text COLLATE "C" NOT NULL
);

-- +goose StatementBegin
CREATE FUNCTION flussi.notification_texts_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO flussi.notification_texts SELECT id, replace(search, ' ', 'j') FROM added;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER notification_texts_added AFTER INSERT ON flussi.notifications REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION flussi.notification_texts_added();

-- +goose StatementBegin
CREATE FUNCTION flussi.notification_text_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE flussi.notification_texts SET search = replace(new.search, ' ', 'j') WHERE id = new.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER notification_text_changed AFTER UPDATE OF search ON flussi.notifications
    FOR EACH ROW WHEN (old.search <> new.search) EXECUTE FUNCTION flussi.notification_text_changed();
