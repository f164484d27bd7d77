-- +goose Up
-- The turns that the processes of each body have reserved in its limit of calls. A row is updated
-- several times a second, and its turns are worthless a moment later. So the table is not logged: a
-- change waits for no disk and no replica, and after a crash of the server the table is empty. Times
-- are in microseconds. All of them except seen_at count from seen_at, so a clock that jumps changes
-- only the time that has passed since then.
CREATE UNLOGGED TABLE flussi.paces (
    name text COLLATE "C" NOT NULL PRIMARY KEY, -- of the body
    seen_at bigint NOT NULL, -- the last request, by the database's clock, since 1970
    next_in bigint NOT NULL, -- until the next turn is free
    held_for bigint NOT NULL, -- until calls may start, since the platform asked to wait
    share double precision NOT NULL, -- of the full rate, after 429s
    turns bigint NOT NULL, -- granted by the last request
    start_in bigint NOT NULL, -- until the first of them
    step bigint NOT NULL -- between them, in nanoseconds
) WITH (fillfactor = 50); -- room for new versions of a row in its page
