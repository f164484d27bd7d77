-- Payment events and their notices.

CREATE TABLE events (
    seq                 INTEGER PRIMARY KEY,
    id                  BLOB    NOT NULL,
    school              TEXT    NOT NULL,
    created_at          INTEGER NOT NULL,
    event_kind          TEXT    NOT NULL, -- fee or donation
    name                TEXT    NOT NULL,
    causale             TEXT    NOT NULL,
    category            TEXT    NOT NULL,
    school_year         INTEGER NOT NULL, -- in which it begins
    financial_year      INTEGER NOT NULL,
    account             TEXT    NOT NULL,
    amount              INTEGER NOT NULL, -- in cents
    flexible            INTEGER NOT NULL,
    instalments         TEXT    NOT NULL, -- JSON: [{"due": time, "amount": cents}, …]
    binding             INTEGER NOT NULL,
    repeatable          INTEGER NOT NULL,
    state               TEXT    NOT NULL,
    rejection           TEXT    NOT NULL,
    remote_id           TEXT    NOT NULL,
    discrepancy_kind    TEXT    NOT NULL,
    discrepancy_state   TEXT    NOT NULL,
    discrepancy_amount  INTEGER NOT NULL,
    discrepancy_at      INTEGER,
    discrepancy_settled INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    updated_by          TEXT    NOT NULL,
    version             INTEGER NOT NULL,
    search              TEXT    NOT NULL, -- the name and the causale in lower case
    kind                TEXT    NOT NULL  -- see kind.go
);

CREATE UNIQUE INDEX events_by_id ON events (id);
CREATE INDEX events_list_in_school ON events (school, kind, created_at, id);

-- How many notices an event has: the sum of its shards.
CREATE TABLE event_counts (
    event_id      BLOB    NOT NULL,
    shard         INTEGER NOT NULL,
    not_linked    INTEGER NOT NULL,
    unpaid        INTEGER NOT NULL,
    paid          INTEGER NOT NULL,
    cancelled     INTEGER NOT NULL,
    refunded      INTEGER NOT NULL,
    discrepancies INTEGER NOT NULL,
    PRIMARY KEY (event_id, shard)
) WITHOUT ROWID;

CREATE TABLE event_records (
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

CREATE TABLE notices (
    seq                 INTEGER PRIMARY KEY,
    id                  BLOB    NOT NULL,
    event_id            BLOB    NOT NULL,
    school              TEXT    NOT NULL,
    created_at          INTEGER NOT NULL,
    instalment          INTEGER NOT NULL,
    debtor              TEXT    NOT NULL,
    debtor_kind         TEXT    NOT NULL,
    debtor_name         TEXT    NOT NULL,
    payer               TEXT    NOT NULL,
    amount              INTEGER NOT NULL, -- in cents
    discount            INTEGER NOT NULL, -- in cents
    due_date            INTEGER,
    reference           TEXT    NOT NULL,
    number              TEXT    NOT NULL,
    iuv                 TEXT    NOT NULL, -- that of the number
    state               TEXT    NOT NULL,
    remote_id           TEXT    NOT NULL,
    payer_registered    INTEGER NOT NULL,
    payer_logged_in     INTEGER NOT NULL,
    visible             INTEGER NOT NULL,
    evidence            TEXT    NOT NULL, -- JSON: {"receipt": {"reference": text, "amount": cents, "date": time, "by": user}, …}; '' if there is none
    discrepancy_kind    TEXT    NOT NULL,
    discrepancy_state   TEXT    NOT NULL,
    discrepancy_amount  INTEGER NOT NULL,
    discrepancy_at      INTEGER,
    discrepancy_settled INTEGER NOT NULL,
    error               TEXT    NOT NULL,
    updated_at          INTEGER NOT NULL,
    updated_by          TEXT    NOT NULL,
    version             INTEGER NOT NULL,
    kind                TEXT    NOT NULL
);

CREATE UNIQUE INDEX notices_by_id ON notices (id);
CREATE INDEX notices_list_in_event ON notices (event_id, kind, created_at, id);
CREATE INDEX notices_list_in_school ON notices (school, kind, created_at, id);
CREATE INDEX notices_due_in_event ON notices (event_id, kind, due_date);
CREATE INDEX notices_due_in_school ON notices (school, kind, due_date);
CREATE INDEX notices_by_debtor ON notices (debtor) WHERE debtor <> '';
CREATE INDEX notices_by_payer ON notices (payer) WHERE payer <> '';
CREATE INDEX notices_by_iuv ON notices (iuv) WHERE iuv <> '';
CREATE INDEX notices_by_reference ON notices (reference) WHERE reference <> '';

CREATE TABLE notice_records (
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
