-- A message is not sent by two notifications: the column message_digest recognises it, by
-- flow.DigestVersion 2. The column digest is that of version 1: a process of an earlier release that
-- is still running writes it, and a row that has one gets its message_digest anew. See digest.go.

ALTER TABLE notifications
    ADD COLUMN occasion        text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN allow_repeat    boolean NOT NULL DEFAULT false,
    ADD COLUMN earlier         uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- that has the message already
    ADD COLUMN message_digest  bytea,
    ADD COLUMN claimed_version bigint NOT NULL DEFAULT 0; -- the version with which it became In invio

-- A process of an earlier release does not look whether a message was sent, so it cannot claim: it
-- does not write claimed_version. What it claimed before, it can still bring to an end.
UPDATE notifications SET claimed_version = version WHERE state = 'sending';
ALTER TABLE notifications ADD CONSTRAINT notifications_claimed CHECK (state <> 'sending' OR claimed_version = version);

DROP INDEX notifications_by_digest;
CREATE INDEX notifications_by_message_digest ON notifications (message_digest) WHERE message_digest IS NOT NULL;
CREATE INDEX notifications_to_digest ON notifications (id) WHERE digest IS NOT NULL;

-- Messages that a transaction makes In invio: whoever does the same with the same message waits for
-- its end. The rows are deleted in the same transaction, so the table is always empty.
CREATE TABLE messages_in_hand (
    service text COLLATE "C" NOT NULL,
    digest  bytea NOT NULL,
    PRIMARY KEY (service, digest)
);

-- The imports, which are made once.
CREATE TABLE imports (
    key     bytea NOT NULL PRIMARY KEY,
    flow_id uuid NOT NULL,
    at      bigint NOT NULL
);

-- The services that flows and notifications are of. Names of one look were there before this table.
CREATE TABLE services (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    look text COLLATE "C" NOT NULL -- flow.ServiceLook
);

CREATE INDEX services_by_look ON services (look);
