-- What makes texts be found by any three characters of theirs. It is created once the database
-- has the extension pg_trgm, or lets it be created; until then, searches for texts read more.
--
-- The texts are in tables of their own, since an update of a row changes all indexes of its table,
-- with what of a row never changes; triggers keep them, so that it does not matter which process knows about the index. The index
-- does not look beyond the end of a word, so the words are joined by a letter that is rare. What
-- waits to be put into the index is read by every search, so it is kept short.

LOCK TABLE flows, notifications IN SHARE ROW EXCLUSIVE MODE;

CREATE TABLE flow_search (
    id         uuid             NOT NULL PRIMARY KEY,
    service    text COLLATE "C" NOT NULL,
    created_at bigint           NOT NULL,
    search     text COLLATE "C" NOT NULL
);

CREATE FUNCTION flow_created() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO flow_search SELECT id, service, created_at, replace(search, ' ', 'j') FROM created;
    RETURN NULL;
END $$;
CREATE TRIGGER created AFTER INSERT ON flows REFERENCING NEW TABLE AS created
    FOR EACH STATEMENT EXECUTE FUNCTION flow_created();

CREATE FUNCTION flow_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE flow_search SET search = replace(new.search, ' ', 'j') WHERE id = new.id;
    RETURN NULL;
END $$;
CREATE TRIGGER changed AFTER UPDATE OF search ON flows
    FOR EACH ROW WHEN (old.search <> new.search) EXECUTE FUNCTION flow_changed();

CREATE FUNCTION flow_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    DELETE FROM flow_search WHERE id = old.id;
    RETURN NULL;
END $$;
CREATE TRIGGER deleted AFTER DELETE ON flows FOR EACH ROW EXECUTE FUNCTION flow_deleted();

INSERT INTO flow_search SELECT id, service, created_at, replace(search, ' ', 'j') FROM flows;
CREATE INDEX flow_search_trigrams ON flow_search USING gin (search gin_trgm_ops) WITH (gin_pending_list_limit = 1024);

CREATE TABLE notification_search (
    id         uuid             NOT NULL PRIMARY KEY,
    flow_id    uuid             NOT NULL,
    service    text COLLATE "C" NOT NULL,
    created_at bigint           NOT NULL,
    search     text COLLATE "C" NOT NULL
);

CREATE FUNCTION notification_created() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO notification_search SELECT id, flow_id, service, created_at, replace(search, ' ', 'j') FROM created;
    RETURN NULL;
END $$;
CREATE TRIGGER created AFTER INSERT ON notifications REFERENCING NEW TABLE AS created
    FOR EACH STATEMENT EXECUTE FUNCTION notification_created();

CREATE FUNCTION notification_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE notification_search SET search = replace(new.search, ' ', 'j') WHERE id = new.id;
    RETURN NULL;
END $$;
CREATE TRIGGER changed AFTER UPDATE OF search ON notifications
    FOR EACH ROW WHEN (old.search <> new.search) EXECUTE FUNCTION notification_changed();

CREATE FUNCTION notification_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    DELETE FROM notification_search WHERE id = old.id;
    RETURN NULL;
END $$;
CREATE TRIGGER deleted AFTER DELETE ON notifications FOR EACH ROW EXECUTE FUNCTION notification_deleted();

INSERT INTO notification_search SELECT id, flow_id, service, created_at, replace(search, ' ', 'j') FROM notifications;
CREATE INDEX notification_search_trigrams ON notification_search USING gin (search gin_trgm_ops) WITH (gin_pending_list_limit = 1024);
