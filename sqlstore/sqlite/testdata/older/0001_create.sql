-- Times are microseconds since 1970 in UTC, NULL if there is none; IDs are 16 bytes; texts that
-- are not there are ''.

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE flows (
    seq         INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL,
    service     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    app_context TEXT    NOT NULL,
    app_key     TEXT    NOT NULL,
    error       TEXT    NOT NULL,
    disabled    INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    updated_by  TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    search      TEXT    NOT NULL, -- the note in lower case
    -- Its state and flags, which are looked for and have few values: see kind.go. Lists are
    -- merged from those of each kind.
    kind        TEXT    NOT NULL
);

CREATE UNIQUE INDEX flows_by_id ON flows (id);
CREATE INDEX flows_list_in_service ON flows (service, kind, created_at, id);
CREATE INDEX flows_change_in_service ON flows (service, kind, updated_by, updated_at);
CREATE INDEX flows_by_context ON flows (app_context) WHERE app_context <> '';
CREATE INDEX flows_by_key ON flows (app_key) WHERE app_key <> '';

CREATE VIRTUAL TABLE flow_search USING fts5 (search, content='flows', content_rowid='seq',
    tokenize='trigram case_sensitive 1', detail=none, columnsize=0);
INSERT INTO flow_search (flow_search, rank) VALUES ('secure-delete', 1);

-- The first and the last place, in the order of lists, among runs of rows in the order of seq.
CREATE TABLE flow_blocks (
    block INTEGER PRIMARY KEY,
    first TEXT    NOT NULL,
    last  TEXT    NOT NULL
);

-- How many notifications a flow has: the sum of its shards.
CREATE TABLE flow_counts (
    flow_id    BLOB    NOT NULL,
    shard      INTEGER NOT NULL,
    registered INTEGER NOT NULL,
    sending    INTEGER NOT NULL,
    sent       INTEGER NOT NULL,
    failed     INTEGER NOT NULL,
    disabled   INTEGER NOT NULL,
    PRIMARY KEY (flow_id, shard)
) WITHOUT ROWID;

CREATE TABLE flow_records (
    owner      BLOB    NOT NULL,
    version    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    from_state TEXT    NOT NULL,
    to_state   TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    PRIMARY KEY (owner, version)
) WITHOUT ROWID;

CREATE TABLE notifications (
    seq               INTEGER PRIMARY KEY,
    id                BLOB    NOT NULL,
    flow_id           BLOB    NOT NULL, -- zero if it stands alone
    service           TEXT    NOT NULL,
    created_at        INTEGER NOT NULL,
    state             TEXT    NOT NULL,
    recipient         TEXT    NOT NULL,
    subject           TEXT    NOT NULL,
    content           TEXT    NOT NULL,
    due_date          INTEGER,
    amount            INTEGER NOT NULL, -- in cents
    is_payment        INTEGER NOT NULL,
    payable_after_due INTEGER NOT NULL,
    notice_number     TEXT    NOT NULL,
    payee             TEXT    NOT NULL,
    reference         TEXT    NOT NULL,
    message_id        TEXT    NOT NULL,
    attempts          INTEGER NOT NULL,
    sent_at           INTEGER,
    error_code        TEXT    NOT NULL,
    error             TEXT    NOT NULL,
    delivery_status   TEXT    NOT NULL,
    delivery_email    TEXT    NOT NULL,
    delivery_push     TEXT    NOT NULL,
    delivery_read     TEXT    NOT NULL,
    delivery_payment  TEXT    NOT NULL,
    checked_at        INTEGER,
    disabled          INTEGER NOT NULL,
    anonymised_at     INTEGER,
    updated_at        INTEGER NOT NULL,
    updated_by        TEXT    NOT NULL,
    version           INTEGER NOT NULL,
    search            TEXT    NOT NULL, -- the subject in lower case
    digest            BLOB,             -- of the message and its recipient, if there is one
    unsettled         INTEGER NOT NULL, -- whether the platform may still have news of it
    lease_end         INTEGER,          -- of one that is being sent
    kind              TEXT    NOT NULL
);

CREATE UNIQUE INDEX notifications_by_id ON notifications (id);
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

CREATE VIRTUAL TABLE notification_search USING fts5 (search, content='notifications', content_rowid='seq',
    tokenize='trigram case_sensitive 1', detail=none, columnsize=0);
INSERT INTO notification_search (notification_search, rank) VALUES ('secure-delete', 1);

CREATE TABLE notification_blocks (
    block INTEGER PRIMARY KEY,
    first TEXT    NOT NULL,
    last  TEXT    NOT NULL
);

CREATE TABLE notification_records (
    owner      BLOB    NOT NULL,
    version    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    from_state TEXT    NOT NULL,
    to_state   TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    PRIMARY KEY (owner, version)
) WITHOUT ROWID;
