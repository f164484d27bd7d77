-- Payment events and their notices.

CREATE TABLE events (
    id                  uuid NOT NULL PRIMARY KEY,
    school              text COLLATE "C" NOT NULL,
    created_at          bigint NOT NULL,
    event_kind          text COLLATE "C" NOT NULL, -- fee or donation
    name                text COLLATE "C" NOT NULL,
    causale             text COLLATE "C" NOT NULL,
    category            text COLLATE "C" NOT NULL,
    school_year         bigint NOT NULL, -- in which it begins
    financial_year      bigint NOT NULL,
    account             text COLLATE "C" NOT NULL,
    amount              bigint NOT NULL, -- in cents
    flexible            boolean NOT NULL,
    instalments         text COLLATE "C" NOT NULL, -- JSON: [{"due": time, "amount": cents}, …]
    binding             boolean NOT NULL,
    repeatable          boolean NOT NULL,
    state               text COLLATE "C" NOT NULL,
    rejection           text COLLATE "C" NOT NULL,
    remote_id           text COLLATE "C" NOT NULL,
    discrepancy_kind    text COLLATE "C" NOT NULL,
    discrepancy_state   text COLLATE "C" NOT NULL,
    discrepancy_amount  bigint NOT NULL,
    discrepancy_at      bigint,
    discrepancy_settled boolean NOT NULL,
    updated_at          bigint NOT NULL,
    updated_by          text COLLATE "C" NOT NULL,
    version             bigint NOT NULL,
    search              text COLLATE "C" NOT NULL, -- the name and the causale in lower case
    kind                text COLLATE "C" NOT NULL -- see kind.go
);

CREATE INDEX events_list_in_school ON events (school, kind, created_at, id);

-- How many notices an event has: the sum of its shards.
CREATE TABLE event_counts (
    event_id      uuid NOT NULL,
    shard         integer NOT NULL,
    not_linked    bigint NOT NULL,
    unpaid        bigint NOT NULL,
    paid          bigint NOT NULL,
    cancelled     bigint NOT NULL,
    refunded      bigint NOT NULL,
    discrepancies bigint NOT NULL,
    PRIMARY KEY (event_id, shard)
);

CREATE TABLE event_records (
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

CREATE TABLE notices (
    id                  uuid NOT NULL PRIMARY KEY,
    event_id            uuid NOT NULL,
    school              text COLLATE "C" NOT NULL,
    created_at          bigint NOT NULL,
    instalment          bigint NOT NULL,
    debtor              text COLLATE "C" NOT NULL,
    debtor_kind         text COLLATE "C" NOT NULL,
    debtor_name         text COLLATE "C" NOT NULL,
    payer               text COLLATE "C" NOT NULL,
    amount              bigint NOT NULL, -- in cents
    discount            bigint NOT NULL, -- in cents
    due_date            bigint,
    reference           text COLLATE "C" NOT NULL,
    number              text COLLATE "C" NOT NULL,
    iuv                 text COLLATE "C" NOT NULL, -- that of the number
    state               text COLLATE "C" NOT NULL,
    remote_id           text COLLATE "C" NOT NULL,
    payer_registered    boolean NOT NULL,
    payer_logged_in     boolean NOT NULL,
    visible             boolean NOT NULL,
    evidence            text COLLATE "C" NOT NULL, -- JSON: {"receipt": {"reference": text, "amount": cents, "date": time, "by": user}, …}; '' if there is none
    discrepancy_kind    text COLLATE "C" NOT NULL,
    discrepancy_state   text COLLATE "C" NOT NULL,
    discrepancy_amount  bigint NOT NULL,
    discrepancy_at      bigint,
    discrepancy_settled boolean NOT NULL,
    error               text COLLATE "C" NOT NULL,
    updated_at          bigint NOT NULL,
    updated_by          text COLLATE "C" NOT NULL,
    version             bigint NOT NULL,
    kind                text COLLATE "C" NOT NULL
);

CREATE INDEX notices_list_in_event ON notices (event_id, kind, created_at, id);
CREATE INDEX notices_list_in_school ON notices (school, kind, created_at, id);
CREATE INDEX notices_due_in_event ON notices (event_id, kind, due_date);
CREATE INDEX notices_due_in_school ON notices (school, kind, due_date);
CREATE INDEX notices_by_debtor ON notices (debtor) WHERE debtor <> '';
CREATE INDEX notices_by_payer ON notices (payer) WHERE payer <> '';
CREATE INDEX notices_by_iuv ON notices (iuv) WHERE iuv <> '';
CREATE INDEX notices_by_reference ON notices (reference) WHERE reference <> '';

CREATE TABLE notice_records (
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
