-- message_digest is the digest by which a message is not sent twice, of flow.DigestVersion 2. The
-- column digest is of version 1. A process of an earlier release still writes it; a row that has
-- one gets a new message_digest. See digest.go.

-- A process of an earlier release does not check whether a message was sent. The constraint keeps
-- it from claiming, since it does not write claimed_version. It can still store the outcomes of
-- its earlier claims. SQLite checks the existing rows when the column is added, so those In invio
-- get another state meanwhile.
UPDATE notifications SET state = 'upgrading' WHERE state = 'sending';
ALTER TABLE notifications ADD COLUMN claimed_version INTEGER NOT NULL DEFAULT 0 -- the version with which it became In invio
    CHECK (state <> 'sending' OR claimed_version = version);
UPDATE notifications SET state = 'sending', claimed_version = version WHERE state = 'upgrading';

ALTER TABLE notifications ADD COLUMN occasion TEXT NOT NULL DEFAULT '';
ALTER TABLE notifications ADD COLUMN allow_repeat INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notifications ADD COLUMN earlier BLOB NOT NULL DEFAULT x'00000000000000000000000000000000'; -- the notification with the same message
ALTER TABLE notifications ADD COLUMN message_digest BLOB;

DROP INDEX notifications_by_digest;
CREATE INDEX notifications_by_message_digest ON notifications (message_digest) WHERE message_digest IS NOT NULL;
CREATE INDEX notifications_to_digest ON notifications (seq) WHERE digest IS NOT NULL;

-- The imports that are stored, by their keys.
CREATE TABLE imports (
    key     BLOB    NOT NULL PRIMARY KEY,
    flow_id BLOB    NOT NULL,
    at      INTEGER NOT NULL
) WITHOUT ROWID;

-- The services of all flows and notifications. The look is not unique: an earlier release accepted
-- similar names.
CREATE TABLE services (
    name TEXT NOT NULL PRIMARY KEY,
    look TEXT NOT NULL, -- flow.ServiceLook
    older INTEGER NOT NULL -- than this table
) WITHOUT ROWID;

CREATE INDEX services_by_look ON services (look);
CREATE UNIQUE INDEX services_one_look ON services (look) WHERE NOT older;
