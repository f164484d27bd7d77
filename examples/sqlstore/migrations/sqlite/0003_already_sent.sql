-- A message is not sent by two notifications: the column message_digest recognises it, by
-- flow.DigestVersion 2. The column digest is that of version 1: a process of an earlier release that
-- is still running writes it, and a row that has one gets its message_digest anew. See digest.go.

-- A process of an earlier release does not look whether a message was sent, so it cannot claim: it
-- does not write claimed_version. What it claimed before, it can still bring to an end. SQLite checks
-- the rows that there are when the column is added, so those in flight take another state meanwhile.
UPDATE notifications SET state = 'upgrading' WHERE state = 'sending';
ALTER TABLE notifications ADD COLUMN claimed_version INTEGER NOT NULL DEFAULT 0 -- the version with which it became In invio
    CHECK (state <> 'sending' OR claimed_version = version);
UPDATE notifications SET state = 'sending', claimed_version = version WHERE state = 'upgrading';

ALTER TABLE notifications ADD COLUMN occasion TEXT NOT NULL DEFAULT '';
ALTER TABLE notifications ADD COLUMN allow_repeat INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notifications ADD COLUMN earlier BLOB NOT NULL DEFAULT x'00000000000000000000000000000000'; -- that has the message already
ALTER TABLE notifications ADD COLUMN message_digest BLOB;

DROP INDEX notifications_by_digest;
CREATE INDEX notifications_by_message_digest ON notifications (message_digest) WHERE message_digest IS NOT NULL;
CREATE INDEX notifications_to_digest ON notifications (seq) WHERE digest IS NOT NULL;

-- The imports, which are made once.
CREATE TABLE imports (
    key     BLOB    NOT NULL PRIMARY KEY,
    flow_id BLOB    NOT NULL,
    at      INTEGER NOT NULL
) WITHOUT ROWID;

-- The services that flows and notifications are of. Names of one look were there before this table.
CREATE TABLE services (
    name TEXT NOT NULL PRIMARY KEY,
    look TEXT NOT NULL -- flow.ServiceLook
) WITHOUT ROWID;

CREATE INDEX services_by_look ON services (look);
