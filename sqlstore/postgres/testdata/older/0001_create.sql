-- Times are microseconds since 1970 in UTC, NULL if there is none: to_timestamp(created_at / 1e6)
-- shows them. Texts that are not there are ''. They are compared byte by byte.

CREATE TABLE settings (
    name  text COLLATE "C" NOT NULL PRIMARY KEY,
    value text COLLATE "C" NOT NULL
);

CREATE TABLE flows (
    id          uuid NOT NULL PRIMARY KEY,
    service     text COLLATE "C" NOT NULL,
    created_at  bigint NOT NULL,
    state       text COLLATE "C" NOT NULL,
    note        text COLLATE "C" NOT NULL,
    app_context text COLLATE "C" NOT NULL,
    app_key     text COLLATE "C" NOT NULL,
    error       text COLLATE "C" NOT NULL,
    disabled    boolean NOT NULL,
    updated_at  bigint NOT NULL,
    updated_by  text COLLATE "C" NOT NULL,
    version     bigint NOT NULL,
    search      text COLLATE "C" NOT NULL, -- the note in lower case
    -- Its state and flags, which are looked for and have few values: see kind.go. Lists are
    -- merged from those of each kind.
    kind        text COLLATE "C" NOT NULL
);

CREATE INDEX flows_list_in_service ON flows (service, kind, created_at, id);
CREATE INDEX flows_change_in_service ON flows (service, kind, updated_by, updated_at);
CREATE INDEX flows_by_context ON flows (app_context) WHERE app_context <> '';
CREATE INDEX flows_by_key ON flows (app_key) WHERE app_key <> '';

-- How many notifications a flow has: the sum of its shards.
CREATE TABLE flow_counts (
    flow_id    uuid NOT NULL,
    shard      integer NOT NULL,
    registered bigint NOT NULL,
    sending    bigint NOT NULL,
    sent       bigint NOT NULL,
    failed     bigint NOT NULL,
    disabled   bigint NOT NULL,
    PRIMARY KEY (flow_id, shard)
);

CREATE TABLE flow_records (
    owner      uuid NOT NULL,
    version    bigint NOT NULL,
    at         bigint NOT NULL,
    actor      text COLLATE "C" NOT NULL,
    action     text COLLATE "C" NOT NULL,
    from_state text COLLATE "C" NOT NULL,
    to_state   text COLLATE "C" NOT NULL,
    reason     text COLLATE "C" NOT NULL,
    PRIMARY KEY (owner, version)
);

CREATE TABLE notifications (
    id                uuid NOT NULL PRIMARY KEY,
    flow_id           uuid NOT NULL, -- zero if it stands alone
    service           text COLLATE "C" NOT NULL,
    created_at        bigint NOT NULL,
    state             text COLLATE "C" NOT NULL,
    recipient         text COLLATE "C" NOT NULL,
    subject           text COLLATE "C" NOT NULL,
    content           text COLLATE "C" NOT NULL,
    due_date          bigint,
    amount            bigint NOT NULL, -- in cents
    is_payment        boolean NOT NULL,
    payable_after_due boolean NOT NULL,
    notice_number     text COLLATE "C" NOT NULL,
    payee             text COLLATE "C" NOT NULL,
    reference         text COLLATE "C" NOT NULL,
    message_id        text COLLATE "C" NOT NULL,
    attempts          bigint NOT NULL,
    sent_at           bigint,
    error_code        text COLLATE "C" NOT NULL,
    error             text COLLATE "C" NOT NULL,
    delivery_status   text COLLATE "C" NOT NULL,
    delivery_email    text COLLATE "C" NOT NULL,
    delivery_push     text COLLATE "C" NOT NULL,
    delivery_read     text COLLATE "C" NOT NULL,
    delivery_payment  text COLLATE "C" NOT NULL,
    checked_at        bigint,
    disabled          boolean NOT NULL,
    anonymised_at     bigint,
    updated_at        bigint NOT NULL,
    updated_by        text COLLATE "C" NOT NULL,
    version           bigint NOT NULL,
    search            text COLLATE "C" NOT NULL, -- the subject in lower case
    digest            bytea, -- of the message and its recipient, if there is one
    unsettled         boolean NOT NULL, -- whether the platform may still have news of it
    lease_end         bigint, -- of one that is being sent
    kind              text COLLATE "C" NOT NULL
);

CREATE INDEX notifications_list_in_flow ON notifications (flow_id, kind, created_at, id);
CREATE INDEX notifications_list_in_service ON notifications (service, kind, created_at, id);
CREATE INDEX notifications_change_in_flow ON notifications (flow_id, kind, updated_by, updated_at) WHERE state <> 'sending';
CREATE INDEX notifications_change_in_service ON notifications (service, kind, updated_by, updated_at) WHERE state <> 'sending';
CREATE INDEX notifications_to_send ON notifications (flow_id, created_at, id) WHERE state = 'registered' AND NOT disabled;
CREATE INDEX notifications_in_flight ON notifications (lease_end) WHERE lease_end IS NOT NULL;
CREATE INDEX notifications_by_recipient ON notifications (recipient) WHERE recipient <> '';
CREATE INDEX notifications_by_notice ON notifications (notice_number) WHERE notice_number <> '';
CREATE INDEX notifications_by_reference ON notifications (reference) WHERE reference <> '';
CREATE INDEX notifications_by_message ON notifications (message_id) WHERE message_id <> '';
CREATE INDEX notifications_by_digest ON notifications (digest) WHERE digest IS NOT NULL;

CREATE TABLE notification_records (
    owner      uuid NOT NULL,
    version    bigint NOT NULL,
    at         bigint NOT NULL,
    actor      text COLLATE "C" NOT NULL,
    action     text COLLATE "C" NOT NULL,
    from_state text COLLATE "C" NOT NULL,
    to_state   text COLLATE "C" NOT NULL,
    reason     text COLLATE "C" NOT NULL,
    PRIMARY KEY (owner, version)
);
