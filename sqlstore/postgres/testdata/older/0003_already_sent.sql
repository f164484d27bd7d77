-- message_digest is the digest by which a message is not sent twice, of flow.DigestVersion 2. The
-- column digest is of version 1. A process of an earlier release still writes it; a row that has
-- one gets a new message_digest. See digest.go.

ALTER TABLE notifications
    ADD COLUMN occasion        text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN allow_repeat    boolean NOT NULL DEFAULT false,
    ADD COLUMN earlier         uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- the notification with the same message
    ADD COLUMN message_digest  bytea,
    ADD COLUMN claimed_version bigint NOT NULL DEFAULT 0; -- the version with which it became In invio

-- A process of an earlier release does not check whether a message was sent. The constraint keeps
-- it from claiming, since it does not write claimed_version. It can still store the outcomes of
-- its earlier claims.
UPDATE notifications SET claimed_version = version WHERE state = 'sending';
-- A trigger, because a constraint that fails shows the whole row in the server's log.
CREATE FUNCTION refuse_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'a process of an earlier release cannot claim' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER claimed BEFORE INSERT OR UPDATE ON notifications
    FOR EACH ROW WHEN (new.state = 'sending' AND new.claimed_version <> new.version) EXECUTE FUNCTION refuse_claim();

DROP INDEX notifications_by_digest;
CREATE INDEX notifications_by_message_digest ON notifications (message_digest) WHERE message_digest IS NOT NULL;
CREATE INDEX notifications_to_digest ON notifications (id) WHERE digest IS NOT NULL;

-- The messages that a transaction makes In invio. A second transaction that inserts the same
-- message waits until the first one ends. The rows are deleted in the same transaction, so the
-- table is always empty.
CREATE TABLE message_locks (
    service text COLLATE "C" NOT NULL,
    digest  bytea NOT NULL,
    PRIMARY KEY (service, digest)
);

-- The imports that are stored, by their keys.
CREATE TABLE imports (
    key     bytea NOT NULL PRIMARY KEY,
    flow_id uuid NOT NULL,
    at      bigint NOT NULL
);

-- The services of all flows and notifications. The look is not unique: an earlier release accepted
-- similar names.
CREATE TABLE services (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    look text COLLATE "C" NOT NULL, -- flow.ServiceLook
    older boolean NOT NULL -- than this table
);

CREATE INDEX services_by_look ON services (look);
CREATE UNIQUE INDEX services_one_look ON services (look) WHERE NOT older;
